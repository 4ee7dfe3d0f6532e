import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keepComment } from '../../src/github/comment.ts'
import { keepIssue } from '../../src/github/issue.ts'
import type { Seen } from '../../src/report/failures.ts'
import { LOST_ANSWER, GitHub as StandIn } from '../github-api/index.ts'
import { type Place, placeOf } from './place.ts'

const TITLE = 'Nightly sync is failing'

function seen(bad: readonly number[], good: readonly number[] = []): Seen {
  return {
    bad: bad.map((id) => ({ id: `census/${id}`, since: '2026-11-24', outcome: 'failed', name: `${id}` })),
    good: good.map((id) => `census/${id}`),
    step: 'nightly.yml/sync',
    run: '7001',
    runUrl: 'https://github.example/run/7001',
  }
}

async function keep(place: Place, what: Seen): Promise<void> {
  await keepIssue(await place.connect(), TITLE, what)
}

const listOf = (text: string | null) =>
  [...new Set([...(text ?? '').matchAll(/"census\/(\d+)"/g)].map(([, id]) => Number(id)))].sort()
const open = (standIn: StandIn) => standIn.issues().filter(({ state }) => state === 'open')

describe('one issue', () => {
  test('of any number of runs that report at the same time, with what each has seen', async () => {
    const job = fc.record({ bad: fc.subarray([1, 2, 3]) })
    const delays = fc.array(fc.nat({ max: 20 }), { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { minLength: 2, maxLength: 3 }),
        fc.boolean(),
        delays,
        async (jobs, isThere, waits) => {
          const standIn = new StandIn()
          await using place = await placeOf(standIn)
          if (isThere) await keep(place, seen([9]))
          let requests = 0
          standIn.faults.push(() => ({ kind: 'delay', ms: waits[requests++ % waits.length] ?? 0 }))
          // Each has syncs of its own, as the jobs of a matrix have; the first one sees what was bad before.
          const own = jobs.map(({ bad }, at) => {
            const of = (ids: number[]) => ids.map((id) => 10 * (at + 1) + id)
            const good = [1, 2, 3].filter((id) => !bad.includes(id))
            return seen(of(bad), at === 0 ? [...of(good), 9] : of(good))
          })
          await Promise.all(own.map((what) => keep(place, what)))
          standIn.faults.length = 0
          // Two that were opened in the same moment are joined by whoever looks next.
          await keep(place, seen([], []))
          const expected = own.flatMap(({ bad }) => bad.map(({ id }) => Number(id.replace('census/', ''))))
          expect(open(standIn).length).toBe(expected.length > 0 ? 1 : 0)
          expect(listOf(open(standIn)[0]?.body ?? null)).toEqual(expected.toSorted())
          expect(standIn.problems).toEqual([])
        },
      ),
      { numRuns: 40 },
    )
  })

  test('remains where several are open: the oldest, with what stands in the others', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    const first = standIn.issue(1).body ?? ''
    standIn.openIssue({ title: TITLE, body: first.replaceAll('census/1', 'census/2'), login: 'github-actions[bot]' })
    standIn.openIssue({ title: TITLE, body: first.replaceAll('census/1', 'census/3'), login: 'github-actions[bot]' })
    await keep(place, seen([4], [3]))
    expect(open(standIn).map(({ number }) => number)).toEqual([1])
    expect(listOf(standIn.issue(1).body)).toEqual([1, 2, 4])
    expect(standIn.issue(3)).toMatchObject({
      stateReason: 'not_planned',
      body: expect.stringContaining('A duplicate of #1'),
    })
  })

  test('is not touched by a run that has nothing to say of it', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    const before = standIn.issue(1)
    await keep(place, { ...seen([], [2]), runUrl: 'https://github.example/run/7002' })
    expect(standIn.issue(1)).toEqual(before)
  })

  test('is what its comments say, whoever overwrites its text with an older list', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    const old = standIn.issue(1).body ?? ''
    await keep(place, seen([2]))
    standIn.editIssue(1, { body: old })
    await keep(place, seen([3], [1]))
    expect(listOf(standIn.issue(1).body)).toEqual([2, 3])
    expect(standIn.comments(1)).toHaveLength(2)
  })

  test('believes no comment of anybody else', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    await keep(place, seen([2]))
    const [said] = standIn.comments(1)
    standIn.comment(1, { body: (said?.body ?? '').replaceAll('census/2', 'census/666'), login: 'mallory' })
    await keep(place, seen([3]))
    expect(listOf(standIn.issue(1).body)).toEqual([1, 2, 3])
  })

  test('is opened again where a run says something new between the last look and the closing', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    const other = new StandIn()
    await using elsewhere = await placeOf(other)
    await keep(elsewhere, seen([1]))
    await keep(elsewhere, seen([2]))
    const theirs = other.comments(1)[0]?.body ?? ''
    standIn.faults.push((_request, { operation, nth }) => {
      if (operation === 'update-issue' && nth === 1) standIn.comment(1, { body: theirs, login: 'github-actions[bot]' })
      return undefined
    })
    await keep(place, seen([], [1]))
    expect(open(standIn).map(({ number }) => number)).toEqual([1])
    expect(listOf(standIn.issue(1).body)).toEqual([2])
  })

  test('is opened anew where another run closes it in the same moment', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    standIn.faults.push((_request, { operation, nth }) => {
      // The other run has seen that 1 is well again, and knows nothing of 2 yet.
      if (operation === 'get-issue' && nth === 1) standIn.closeIssue(1)
      return undefined
    })
    await keep(place, seen([2], [1]))
    expect(open(standIn).map(({ number }) => number)).toEqual([2])
    expect(listOf(standIn.issue(2).body)).toEqual([2])
  })

  test('is not closed over an answer that was lost', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    standIn.failNext('update-issue', LOST_ANSWER)
    await keep(place, seen([], [1]))
    expect(open(standIn)).toEqual([])
    expect(standIn.comments(1)).toHaveLength(1)
  })
})

describe('one comment', () => {
  test('of any number of runs that write at the same time', async () => {
    const delays = fc.array(fc.nat({ max: 20 }), { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(delays, async (waits) => {
        const standIn = new StandIn()
        const number = standIn.openPullRequest()
        await using place = await placeOf(standIn)
        let requests = 0
        standIn.faults.push(() => ({ kind: 'delay', ms: waits[requests++ % waits.length] ?? 0 }))
        const texts = ['one', 'two', 'three']
        await Promise.all(texts.map(async (text) => keepComment(await place.connect(), number, 'plan.yml/plan', text)))
        expect(standIn.comments(number)).toHaveLength(1)
        expect(texts).toContain(standIn.comments(number)[0]?.body?.split('\n')[1])
        await keepComment(await place.connect(), number, 'plan.yml/plan', 'four')
        expect(standIn.comments(number).map(({ body }) => body?.split('\n')[1])).toEqual(['four'])
      }),
      { numRuns: 25 },
    )
  })

  test('that has not changed is not written again', async () => {
    const standIn = new StandIn()
    const number = standIn.openPullRequest()
    await using place = await placeOf(standIn)
    for (let round = 0; round < 2; round += 1)
      await keepComment(await place.connect(), number, 'plan.yml/plan', 'the same')
    expect(standIn.requests.map(({ operation }) => operation)).not.toContain('update-comment')
  })
})

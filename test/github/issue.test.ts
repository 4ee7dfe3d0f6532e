import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keepComment } from '../../src/github/comment.ts'
import { keepIssue } from '../../src/github/issue.ts'
import type { Seen } from '../../src/report/failure-issue.ts'
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
    const run = fc.record({ bad: fc.subarray([1, 2, 3]), at: fc.constantFrom(0, 10, 20) })
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 3 }), fc.boolean(), async (runs, isThere) => {
        const standIn = new StandIn()
        await using place = await placeOf(standIn)
        if (isThere) await keep(place, seen([99]))
        // Each has syncs of its own, as the jobs of a matrix have.
        const own = runs.map(({ bad }, job) =>
          seen(
            bad.map((id) => 10 * job + id),
            [1, 2, 3].filter((id) => !bad.includes(id)).map((id) => 10 * job + id),
          ),
        )
        await Promise.all(own.map((what) => keep(place, what)))
        // Whatever was left by chance of the moment, the next run puts in order.
        await keep(place, seen([], []))
        const expected = [
          ...own.flatMap(({ bad }) => bad.map(({ id }) => Number(id.replace('census/', '')))),
          ...(isThere ? [99] : []),
        ]
        expect(open(standIn).length).toBeLessThanOrEqual(1)
        expect(listOf(open(standIn)[0]?.body ?? null)).toEqual(expected.sort())
        expect(standIn.problems).toEqual([])
      }),
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

  test('is told of a change once, although its list was overwritten again and again', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    await keep(place, seen([1]))
    const theirs = standIn.issue(1).body ?? ''
    standIn.faults.push((_request, { operation }) => {
      if (operation === 'get-issue') standIn.editIssue(1, { body: theirs })
      return undefined
    })
    await keep(place, seen([2]))
    expect(standIn.comments(1)).toHaveLength(1)
    expect(standIn.requests.filter(({ operation }) => operation === 'update-issue')).toHaveLength(5)
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
    for (let round = 0; round < 20; round += 1) {
      const standIn = new StandIn()
      const number = standIn.openPullRequest()
      await using place = await placeOf(standIn)
      await Promise.all(
        ['one', 'two', 'three'].map(async (text) => keepComment(await place.connect(), number, 'plan.yml/plan', text)),
      )
      await keepComment(await place.connect(), number, 'plan.yml/plan', 'four')
      expect(standIn.comments(number).map(({ body }) => body?.split('\n')[1])).toEqual(['four'])
    }
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

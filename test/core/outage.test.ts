import { describe, expect, test } from 'vitest'
import { completesAfter, type Fault } from '../simulator/index.ts'
import { Rehearsal } from '../support/in-memory.ts'

const MINUTE = 60_000
const DOWN: [string, Fault][] = [
  ['answers with 502', { kind: 'respond', status: 502 }],
  ['cuts every connection', { kind: 'reset', when: 'before' }],
]

/** Syncs whose runs take half an hour, at a host that is down for some minutes in between. */
function stageOf(syncs: number, fault: Fault, minutes: number): Rehearsal {
  const stage = new Rehearsal(
    {},
    { syncs: Array.from({ length: syncs }, (_, index) => ({ id: index + 1, timeline: completesAfter(30 * MINUTE) })) },
  )
  const from = stage.clock.wall() + 5 * MINUTE
  stage.simulator.faults.push(() => {
    const now = stage.clock.wall()
    return now >= from && now < from + minutes * MINUTE ? fault : undefined
  })
  return stage
}

/** How many requests came while the host was down. */
function requestsDuring(stage: Rehearsal, minutes: number): number {
  const start = stage.clock.wall() - stage.clock.now() + 5 * MINUTE
  return stage.simulator.requests.filter(({ at }) => at >= start && at < start + minutes * MINUTE).length
}

describe.each(DOWN)('a host that %s', (_name, fault) => {
  test.each([1, 20, 200])(
    'for ten minutes: the runs of %i syncs are watched to their end, at the cost of 40 requests',
    async (syncs) => {
      const stage = stageOf(syncs, fault, 10)
      const { conclusion, results } = await stage.run()
      expect(conclusion).toBe('success')
      expect(results).toHaveLength(syncs)
      expect(requestsDuring(stage, 10)).toBeLessThanOrEqual(40)
      for (const { sync } of results) expect(stage.simulator.runsCreated(Number(sync.id))).toBe(1)
    },
  )

  test('for sixteen minutes: nobody can say what became of the run, and its page is named', async () => {
    const stage = stageOf(3, fault, 16)
    const { conclusion, results } = await stage.run()
    expect(conclusion).toBe('failure')
    for (const { outcome, url, runId, sync } of results) {
      expect(outcome).toBe('unknown')
      expect(url).toBe(`https://app.getcensus.com/syncs/${sync.id}/sync-history`)
      expect(runId).not.toBeNull()
    }
    expect(stage.timesOf('cancel-run')).toEqual([])
    expect(stage.clock.now()).toBeLessThan(22 * MINUTE)
  })

  test('and is there again shortly before the deadline: what has ended by then is seen to have ended', async () => {
    for (const back of [37, 50, 57]) {
      const stage = new Rehearsal(
        { timeoutMs: MINUTE },
        { syncs: Array.from({ length: 20 }, (_, index) => ({ id: index + 1, timeline: completesAfter(30_000) })) },
      )
      stage.simulator.faults.push((_request, { operation }) =>
        operation === 'read-run' && stage.clock.now() > 3000 && stage.clock.now() < back * 1000 ? fault : undefined,
      )
      const { conclusion } = await stage.run()
      expect(conclusion, `back after ${back} s`).toBe('success')
      expect(stage.clock.now()).toBeLessThanOrEqual(MINUTE)
    }
  })

  test('for five minutes at the very start: every sync is triggered once, afterwards', async () => {
    const stage = stageOf(20, fault, 0)
    const until = stage.clock.wall() + 5 * MINUTE
    stage.simulator.faults.push(() => (stage.clock.wall() < until ? fault : undefined))
    const { conclusion } = await stage.run()
    expect(conclusion).toBe('success')
    expect(stage.timesOf('trigger')).toHaveLength(20)
  })
})

import { describe, expect, test } from 'vitest'
import { completesAfter, failsAfter } from '../simulator/index.ts'
import { Rehearsal } from '../support/in-memory.ts'

const MINUTE = 60_000
const three = { syncs: [{ id: 1 }, { id: 2 }, { id: 3 }] }

describe('reading the syncs before anything is triggered', () => {
  test('a token that is refused for all: none is started, not even one that is missing counts as failed', async () => {
    const stage = new Rehearsal({ token: 'secret-token:wrong', syncIds: ['1', '4711'] }, three)
    const { results, conclusion } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'not_started' }, { outcome: 'not_started' }])
    expect(conclusion).toBe('failure')
    const mixed = new Rehearsal({ syncIds: ['1', '4711'] }, three)
    mixed.simulator.failNext(/\/syncs\/1\//, { kind: 'respond', status: 403 }, 9)
    expect((await mixed.run()).results).toMatchObject([{ outcome: 'not_started' }, { outcome: 'not_started' }])
  })

  test('a token that is refused for one: that one has failed, the others run', async () => {
    const stage = new Rehearsal({}, three)
    stage.simulator.failNext(/GET .*\/syncs\/2$/, { kind: 'respond', status: 403, body: '{"message":"Not yours"}' })
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'succeeded' },
      {
        outcome: 'failed',
        reason: 'the sync could not be read: the token may not use sync 2 (HTTP 403)',
        message: 'Not yours',
      },
      { outcome: 'succeeded' },
    ])
  })

  test('an outage is outlasted, and nothing is triggered before every sync is known', async () => {
    const stage = new Rehearsal({}, three)
    stage.simulator.faults.push((_request, { operation, id }) =>
      operation === 'read-sync' && id === 3 && stage.clock.now() < 5 * MINUTE
        ? { kind: 'respond', status: 502 }
        : undefined,
    )
    expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    expect(Math.min(...stage.timesOf('trigger'))).toBeGreaterThanOrEqual(5 * MINUTE)
  })

  test('an outage that is too long: the sync is not started, the others run', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 2 * MINUTE }, three)
    stage.simulator.failNext(/GET .*\/syncs\/3$/, { kind: 'respond', status: 502 }, 1000)
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'succeeded' },
      { outcome: 'succeeded' },
      { outcome: 'not_started', reason: expect.stringContaining('HTTP 502') },
    ])
  })

  test('the deadline comes first', async () => {
    const stage = new Rehearsal({ timeoutMs: MINUTE })
    stage.simulator.failNext('list-runs', { kind: 'respond', status: 502 }, 1000)
    const { results } = await stage.run()
    expect(results).toMatchObject([
      {
        outcome: 'not_started',
        reason: 'the deadline came before the sync could be read: the provider is not available (HTTP 502)',
      },
    ])
    expect(stage.clock.now()).toBeLessThanOrEqual(MINUTE)
  })

  test('throttling is no outage', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 0 })
    stage.simulator.failNext('list-runs', { kind: 'respond', status: 429, headers: { 'retry-after': '300' } }, 3)
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    expect(stage.clock.now()).toBeGreaterThan(15 * MINUTE)
  })
})

describe('a history that has to be read again', () => {
  test('and cannot be: not started, if nothing was triggered yet', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 2 * MINUTE })
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline: completesAfter(3 * MINUTE) })
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'list-runs' && nth > 1 ? { kind: 'respond', status: 500 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([
      {
        outcome: 'not_started',
        attempts: 0,
        reason: expect.stringContaining('the history of the sync could not be read'),
      },
    ])
  })

  test('and cannot be: what has failed has failed, if something was', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 2 * MINUTE, retries: 1 })
    stage.simulator.script(8290, failsAfter(MINUTE))
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'list-runs' && nth > 1 ? { kind: 'respond', status: 500 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([
      {
        outcome: 'failed',
        attempts: 1,
        reason: expect.stringMatching(/^there was no retry \(the history .*\); the provider says$/),
      },
    ])
  })

  test('and is not answered before the deadline', async () => {
    const stage = new Rehearsal({ timeoutMs: 5 * MINUTE })
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline: completesAfter(3 * MINUTE) })
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'list-runs' && nth > 1 ? { kind: 'respond', status: 500 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([
      {
        outcome: 'not_started',
        reason: expect.stringMatching(/^the deadline came while the history of the sync was read: .*HTTP 500/),
      },
    ])
  })

  test('while the workflow is cancelled', async () => {
    const stage = new Rehearsal()
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline: completesAfter(3 * MINUTE) })
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'list-runs' && nth > 1 ? { kind: 'hang', when: 'before' } : undefined,
    )
    stage.clock.at(3 * MINUTE, () => stage.cancel.abort())
    expect((await stage.run()).results).toMatchObject([{ outcome: 'cancelled', attempts: 0 }])
  })
})

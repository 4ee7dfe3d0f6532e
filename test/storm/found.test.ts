import { describe, expect, test } from 'vitest'
import { completesAfter, counted, failsAfter, type Timeline } from '../simulator/index.ts'
import { calm, calmSync, MINUTE } from './calm.ts'
import { violations } from './oracles.ts'
import { runTrial } from './storm.ts'
import type { Trial, TrialSync } from './trial.ts'
import { makeTrial } from './trial.ts'
import type { Strike, Trouble } from './weather.ts'

/**
 * What the storm has found, each in the smallest trial that shows it.
 */
async function broken(trial: Trial): Promise<string[]> {
  return violations(await runTrial(trial)).map(({ oracle, text }) => `${oracle}: ${text}`)
}

const onTrigger = (trouble: Trouble, sync: number | null = null): Strike => ({
  operation: 'trigger',
  sync,
  from: 1,
  times: 1,
  trouble,
})
const wait = (seconds: number, took: boolean, status: 429 | 503 = 503): Trouble => ({
  kind: 'patience',
  status,
  seconds,
  form: 'seconds',
  took,
})
/** A run that the provider lists only after five minutes, though it can be read at once. */
const listedLate = (life: Timeline): Timeline => [{ at: 0, listed: false }, ...life, { at: 5 * MINUTE, listed: true }]

describe('a trigger answered with 503 and Retry-After, which had started a run', () => {
  // The gate stays closed for as long as the run is looked for, so nobody has looked when the second request leaves.
  test('is not sent again while Retry-After kept everybody from looking for the run', async () => {
    expect(await broken(calm({ weather: { strikes: [onTrigger(wait(90, true))] } }))).toEqual([])
  })

  test('is not sent again while the list of runs could not be read', async () => {
    const list: Strike = {
      operation: 'list-runs',
      sync: null,
      from: 2,
      times: 12,
      trouble: { kind: 'respond', status: 500 },
    }
    expect(await broken(calm({ weather: { strikes: [onTrigger(wait(1, true)), list] } }))).toEqual([])
  })

  test('is not "not started" when the deadline comes before the gate opens', async () => {
    const policy = { timeoutMs: 5 * MINUTE }
    expect(await broken(calm({ policy, weather: { strikes: [onTrigger(wait(600, true))] } }))).toEqual([])
  })
})

describe('a run found after a lost answer', () => {
  const lost = { strikes: [onTrigger({ kind: 'reset', when: 'before' })] }
  const older = (reason: 'schedule' | 'api'): TrialSync['others'] => {
    const timeline = [
      { at: 0, status: 'working', listed: false },
      { at: 30_000, listed: true },
      { at: MINUTE, status: 'completed' },
    ]
    return [{ at: -20_000, reason, full: false, timeline }]
  }

  test('is not one that began before the data was ready and is only listed late', async () => {
    expect(await broken(calm({ syncs: [calmSync({ others: older('schedule') })], weather: lost }))).toEqual([])
  })

  test('is not cancelled if it began before the step, whatever started it', async () => {
    expect(
      await broken(calm({ syncs: [calmSync({ others: older('api') })], weather: lost, cancelAt: 35_000 })),
    ).toEqual([])
  })

  // The run of the schedule tells nothing of what became of the request, so its end must not lead to a second one.
  test.each([
    ['failed', completesAfter(10_000), 12_000],
    ['was skipped', completesAfter(15_500), 10_000],
  ])('is somebody else’s and %s: the step does not trigger again', async (_end, ours, at) => {
    const others = [{ at, reason: 'schedule' as const, full: false, timeline: failsAfter(5000) }]
    const syncs = [calmSync({ ours: [listedLate(ours), completesAfter(20_000)], others })]
    const weather = { strikes: [onTrigger({ kind: 'reset', when: 'after' })] }
    expect(await broken(calm({ syncs, weather, policy: { retries: 1 } }))).toEqual([])
  })
})

describe('with a lost answer', () => {
  const weather = { strikes: [onTrigger({ kind: 'hang', when: 'after' })] }

  // Both came by the API, and the newer one is taken, though it is the one that was skipped because ours was going.
  test('a run that another client triggered meanwhile, and that was skipped, is not taken for ours', async () => {
    const others = [{ at: 5000, reason: 'api' as const, full: false, timeline: completesAfter(5000) }]
    const syncs = [calmSync({ ours: [completesAfter(20_000), completesAfter(20_000)], others })]
    expect(await broken(calm({ syncs, weather }))).toEqual([])
  })

  // The run of the first attempt is watched by its id, but not listed until the answer to the second attempt is lost.
  test('the failed run of the attempt before is not taken for the run of this one', async () => {
    const failed = [{ at: 0, listed: false }, ...failsAfter(5000), { at: 20_000, listed: true }]
    const syncs = [calmSync({ ours: [failed, listedLate(completesAfter(2000)), completesAfter(20_000)] })]
    const strikes = [{ ...onTrigger({ kind: 'reset', when: 'after' }), from: 2 }]
    expect(await broken(calm({ syncs, weather: { strikes }, policy: { retries: 2 } }))).toEqual([])
  })
})

describe('a run that completes before its counters are there', () => {
  test('is not called a success if the second look at it did not come back', async () => {
    const late: Timeline = [
      { at: 0, status: 'working' },
      { at: 1000, status: 'completed' },
      { at: 1500, counts: counted({ rejected: 120 }) },
    ]
    const strikes: Strike[] = [
      { operation: 'read-run', sync: null, from: 2, times: 1, trouble: { kind: 'respond', status: 500 } },
    ]
    const policy = { outageToleranceMs: 0 }
    expect(await broken(calm({ syncs: [calmSync({ ours: [late] })], weather: { strikes }, policy }))).toEqual([])
  })
})

describe('the deadline', () => {
  test('is not overslept while the data settles', async () => {
    const policy = { timeoutMs: 4000 }
    const vendor = { clockSkewMs: -30 * MINUTE }
    expect(await broken(calm({ policy, vendor, builtAgo: MINUTE }))).toEqual([])
  })
})

describe('fail-fast', () => {
  const syncs = [calmSync({ ours: [failsAfter(2000)] }), calmSync({ id: 102 })]

  test.each([
    ['a connection that is refused', { kind: 'refused' } as const],
    ['a 429', wait(30, false, 429)],
    ['a 503 with Retry-After', wait(1, false)],
  ])('holds for a trigger that is to be sent again after %s', async (_name, trouble) => {
    const strikes: Strike[] = [{ ...onTrigger(trouble, 102), times: 3 }]
    expect(await broken(calm({ syncs, policy: { failFast: true }, weather: { strikes } }))).toEqual([])
  })
})

// Too many things come together in these for a smaller trial to be worth more than the whole.
test.each([
  [1, 3, 'a dry run that was waited for'],
  [1, 720, 'a retry that came to nothing, and hid the failure before it'],
  [4711, 7627, 'a run of another client from before the trigger, listed late and cancelled'],
  [987123, 14188, 'a scheduled run from before the data was ready, taken for a lost one'],
  [987123, 15614, 'a last look past the deadline'],
])('seed %i, trial %i: %s', async (seed, number) => {
  expect(await broken(makeTrial(seed, number))).toEqual([])
})

import { describe, expect, test } from 'vitest'
import { completesAfter, counted, failsAfter, Simulator, worksForever } from '../simulator/index.ts'
import { annotations, busy, play, triggersOf } from './stage.ts'

const one = { syncs: [{ id: 8290, label: 'Customers' }] }
const soon = completesAfter(300)

describe.concurrent('every outcome, from the bundle', () => {
  test('succeeded', async () => {
    const { step, results } = await play({ simulator: one, prepare: (sim) => sim.script(8290, soon) })
    expect(step.exitCode).toBe(0)
    expect(step.outputs.conclusion).toBe('success')
    expect(results).toMatchObject([
      {
        outcome: 'succeeded',
        attempts: 1,
        adopted: false,
        records: { processed: 120, succeeded: 120, failed: 0, invalid: 0 },
      },
    ])
  })

  test('warned: some records rejected or invalid', async () => {
    const { step, results } = await play({
      simulator: one,
      prepare: (sim) => sim.script(8290, completesAfter(300, { rejected: 3, invalid: 2 })),
    })
    expect(step.exitCode).toBe(0)
    expect(results).toMatchObject([{ outcome: 'warned', records: { failed: 3, invalid: 2 } }])
    expect(annotations(step, 'warning').join()).toContain(
      '3 records rejected by the destination, 2 records invalid and not sent',
    )
    expect(step.outputs).toMatchObject({
      conclusion: 'success',
      'records-failed': '3',
      'records-invalid': '2',
      'succeeded-count': '1',
    })
  })

  test('fresh: a run that began after the step delivered while an older one was waited for', async () => {
    const simulator = busy(completesAfter(150_000), one.syncs, (sim, now) => {
      // Created after the step began, also by the clock that has just been put forward, and over when the older run is.
      sim.startRun(8290, { createdAt: now + 3000, timeline: completesAfter(0), collides: false })
    })
    simulator.faults.push((_request, { operation, nth }) =>
      // The history is read again only once that run is there.
      operation === 'list-runs' && nth > 1 && simulator.runs(8290).length < 2
        ? { kind: 'respond', status: 503 }
        : undefined,
    )
    const { step, results } = await play({ simulator })
    expect(results).toMatchObject([{ outcome: 'fresh', adopted: true, attempts: 0 }])
    expect(step.exitCode).toBe(0)
    expect(step.outputs['succeeded-count']).toBe('1')
    expect(simulator.runsCreated(8290)).toBe(0)
  })

  test('triggered, and then waited for by another step through the runs output', async () => {
    const simulator = { syncs: [{ id: 8290 }, { id: 8291 }] }
    const triggered = await play({
      simulator,
      with: { mode: 'trigger' },
      prepare: (sim) => sim.script(8290, completesAfter(800)),
    })
    expect(triggered.outcomes).toEqual(['triggered', 'triggered'])
    expect(triggered.step).toMatchObject({ exitCode: 0, outputs: { conclusion: 'success' } })
    expect(triggered.simulator.requests.some(({ operation }) => operation === 'read-run')).toBe(false)

    triggered.simulator.script(8290)
    const waited = await play({
      simulator: triggered.simulator,
      with: { mode: 'wait', runs: triggered.step.outputs.runs ?? '' },
    })
    expect(waited.results).toMatchObject([
      { outcome: 'succeeded', sync_id: '8290', run_id: triggered.results[0]?.run_id, attempts: 0 },
      { outcome: 'succeeded', sync_id: '8291' },
    ])
    expect(triggersOf(waited.simulator)).toBe(2)
    expect(waited.step.exitCode).toBe(0)
  })

  test('wait takes plain run ids, and takes a skipped run for a failed one', async () => {
    const simulator = new Simulator(one)
    const good = simulator.startRun(8290, { timeline: completesAfter(300) })
    const skipped = simulator.startRun(8290, { reason: 'api' })
    const { step, results } = await play({ simulator, with: { mode: 'wait', runs: `${good} ${skipped}` } })
    expect(step.exitCode).toBe(1)
    expect(results).toMatchObject([
      { outcome: 'succeeded', sync_id: '8290', name: 'Customers' },
      { outcome: 'failed', sync_id: '8290', reason: 'the provider skipped the run' },
    ])
    expect(triggersOf(simulator)).toBe(0)
  })

  test('planned: nothing is triggered, and what is wrong with a sync is red', async () => {
    const { step, outcomes, simulator } = await play({
      simulator: { syncs: [{ id: 8290 }, { id: 8291, paused: true }] },
      with: { mode: 'plan', 'sync-ids': '8290 8291 4711' },
    })
    expect(outcomes).toEqual(['planned', 'failed', 'failed'])
    expect(step.exitCode).toBe(1)
    expect(triggersOf(simulator)).toBe(0)
    const good = await play({ simulator: one, with: { mode: 'plan' } })
    expect(good.step.exitCode).toBe(0)
    expect(good.results).toMatchObject([{ outcome: 'planned', reason: 'would trigger' }])
  })

  test.each([
    ['on-paused', { syncs: [{ id: 8290, paused: true }] }, 0],
    ['on-running', one, 60_000],
  ] as const)('skipped by %s: skip', async (input, simulator, age) => {
    const { step, outcomes } = await play({
      simulator,
      with: { [input]: 'skip' },
      prepare: (sim) =>
        age > 0 && sim.startRun(8290, { createdAt: Date.now() - age, timeline: completesAfter(120_000) }),
    })
    expect(outcomes).toEqual(['skipped'])
    expect(step).toMatchObject({ exitCode: 0, outputs: { conclusion: 'skipped', 'skipped-count': '1' } })
    expect(annotations(step, 'notice')).toHaveLength(1)
  })

  test('failed: the envelope says success, the run says failed', async () => {
    const { step, results } = await play({
      simulator: one,
      prepare: (sim) => sim.script(8290, failsAfter(300, { message: 'The object Account is locked' })),
    })
    expect(step.exitCode).toBe(1)
    expect(results).toMatchObject([{ outcome: 'failed', reason: 'the provider says: The object Account is locked' }])
    expect(annotations(step, 'error').join()).toContain(
      '8290 Customers → CRM · Contact: the provider says: The object Account is locked',
    )
  })

  test('failed: every record rejected', async () => {
    const { step, results } = await play({
      simulator: one,
      prepare: (sim) => sim.script(8290, completesAfter(300, { rejected: 120 })),
    })
    expect(step.exitCode).toBe(1)
    expect(results).toMatchObject([{ outcome: 'failed', reason: 'the destination rejected every record (120)' }])
  })

  test('failed: more rejected than max-failed-records, which otherwise warns', async () => {
    const scene = {
      simulator: one,
      prepare: (sim: Parameters<NonNullable<Parameters<typeof play>[0]['prepare']>>[0]) =>
        sim.script(8290, completesAfter(300, { rejected: 6 })),
    }
    expect((await play({ ...scene, with: { 'max-failed-records': '5%' } })).outcomes).toEqual(['warned'])
    expect((await play({ ...scene, with: { 'max-failed-records': '5' } })).outcomes).toEqual(['failed'])
  })

  test('failed: paused, unknown to the provider, or with a run in the way, by policy; good syncs run', async () => {
    const { step, results } = await play({
      simulator: { syncs: [{ id: 8290, timeline: soon }, { id: 8291, paused: true }, { id: 8292 }] },
      with: { 'sync-ids': '8290 8291 4711 8292', 'on-running': 'fail' },
      prepare: (sim) => sim.startRun(8292, { createdAt: Date.now() - 60_000, timeline: completesAfter(120_000) }),
    })
    expect(results).toMatchObject([
      { outcome: 'succeeded' },
      { outcome: 'failed', reason: 'the sync is paused (on-paused: fail)' },
      { outcome: 'failed', reason: expect.stringContaining('there is no sync 4711 that this token can see') },
      { outcome: 'failed', reason: expect.stringContaining('(on-running: fail)') },
    ])
    expect(step.exitCode).toBe(1)
  })

  test('failed: the trigger is refused', async () => {
    const { step, results, simulator } = await play({
      simulator: { syncs: [{ id: 8290, paused: true, pausedTrigger: 'refuses' }] },
      with: { 'on-paused': 'trigger' },
    })
    expect(step.exitCode).toBe(1)
    expect(results).toMatchObject([{ outcome: 'failed', attempts: 0, run_id: null }])
    expect(simulator.runsCreated(8290)).toBe(0)
  })

  test('cancelled: completed, but with canceled: true', async () => {
    const cancelled = [
      { at: 0, status: 'working' },
      { at: 300, status: 'completed', canceled: true as const, counts: counted() },
    ]
    const { step, outcomes } = await play({ simulator: one, prepare: (sim) => sim.script(8290, cancelled) })
    expect(outcomes).toEqual(['cancelled'])
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'failure' } })
  })

  test('timed_out: a status nobody knows is told once, is never green and ends at the deadline', async () => {
    const { step, results } = await play({
      simulator: one,
      with: { 'timeout-minutes': '0.08' },
      prepare: (sim) => sim.script(8290, [{ at: 0, status: 'hibernating', counts: counted() }]),
    })
    expect(results).toMatchObject([
      {
        outcome: 'timed_out',
        reason: expect.stringContaining('its last status was "hibernating"; it goes on at the provider'),
      },
    ])
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'timed_out' } })
    expect(annotations(step, 'warning').filter((text) => text.includes('"hibernating" is not known'))).toHaveLength(1)
  })

  test('timed_out with cancel-on: timeout cancels the run', async () => {
    const { results, simulator } = await play({
      simulator: one,
      with: { 'timeout-minutes': '0.08', 'cancel-on': 'timeout' },
      prepare: (sim) => sim.script(8290, worksForever()),
    })
    expect(results).toMatchObject([
      { outcome: 'timed_out', reason: expect.stringContaining('its run was told to stop') },
    ])
    expect(simulator.runs(8290).at(-1)?.state.canceled).toBe(true)
  })

  test('unknown: the run cannot be read any more', async () => {
    const { step, results } = await play({
      simulator: one,
      with: { 'outage-tolerance-minutes': '0.03' },
      prepare: (sim) => sim.failNext('read-run', { kind: 'respond', status: 500 }, 1000),
    })
    expect(step.exitCode).toBe(1)
    expect(results).toMatchObject([
      { outcome: 'unknown', attempts: 1, reason: expect.stringContaining('could not be read any more') },
    ])
  })

  test('not_started: fail-fast starts nothing after a failure', async () => {
    const { outcomes, simulator } = await play({
      simulator: { syncs: [{ id: 8290 }, { id: 8291 }, { id: 8292 }] },
      with: { 'fail-fast': 'true', 'max-parallel': '1' },
      prepare: (sim) => sim.script(8290, failsAfter(200)),
    })
    expect(outcomes).toEqual(['failed', 'not_started', 'not_started'])
    expect(triggersOf(simulator)).toBe(1)
  })
})

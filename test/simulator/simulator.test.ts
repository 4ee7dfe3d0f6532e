import { describe, expect, it } from 'vitest'
import { ask, HandClock, NOON, readRun, trigger } from './ask.ts'
import { completesAfter, failsAfter, Simulator, type SimulatorOptions, shop } from './index.ts'

const SYNC = 512

function simulated(options: SimulatorOptions = {}): { simulator: Simulator; clock: HandClock } {
  const clock = new HandClock()
  return { simulator: new Simulator({ now: clock.now, syncs: [{ id: SYNC }], ...options }), clock }
}

describe('a triggered run', () => {
  it('has null counters until its timeline gives them', () => {
    const { simulator, clock } = simulated()
    simulator.script(SYNC, completesAfter(10_000, { sourceRecords: 60, sourceUpdates: 20, invalid: 2, rejected: 1 }))
    const runId = trigger(simulator, SYNC)
    const unknown = { records_processed: null, records_updated: null, records_failed: null }
    expect(readRun(simulator, runId)).toMatchObject({ status: 'queued', source_record_count: null, ...unknown })
    clock.pass(6000)
    const loading = 'Loading data into destination service'
    expect(readRun(simulator, runId)).toMatchObject({
      status: 'working',
      source_record_count: 60,
      current_step: loading,
    })
    expect(readRun(simulator, runId)).toMatchObject({ source_record_invalids: 2, records_invalid: 2, ...unknown })
    clock.pass(4000)
    expect(readRun(simulator, runId)).toMatchObject({
      status: 'completed',
      completed_at: '2026-03-11T12:00:10.250Z',
      records_processed: 18,
      records_updated: 17,
      records_failed: 1,
    })
    expect(readRun(simulator, runId)).not.toHaveProperty('current_step')
  })

  it('keeps moving updated_at for a while after completion', () => {
    const { simulator, clock } = simulated({ syncs: [{ id: SYNC, timeline: completesAfter(1000) }] })
    const runId = trigger(simulator, SYNC)
    clock.pass(31_000)
    expect(readRun(simulator, runId)).toMatchObject({ updated_at: '2026-03-11T12:00:31.250Z' })
    clock.pass(600_000)
    expect(readRun(simulator, runId)).toMatchObject({ updated_at: '2026-03-11T12:01:21.250Z' })
  })

  it('follows the scripts in order and then the timeline of its sync', () => {
    const { simulator, clock } = simulated()
    simulator.script(SYNC, failsAfter(1000, { message: 'no' }), completesAfter(1000), failsAfter(1000))
    const ends = [0, 1, 2, 3].map(() => {
      const runId = trigger(simulator, SYNC)
      clock.pass(5000)
      return simulator.runs(SYNC).find(({ id }) => id === runId)?.state.status
    })
    expect(ends).toEqual(['failed', 'completed', 'failed', 'completed'])
    expect(simulator.runsCreated(SYNC)).toBe(4)
  })

  it('fails without completed_at', () => {
    const { simulator, clock } = simulated({
      syncs: [{ id: SYNC, timeline: failsAfter(1000, { code: 'E1', message: 'm' }) }],
    })
    const runId = trigger(simulator, SYNC)
    clock.pass(1000)
    const error = { error_code: 'E1', error_message: 'm', error_detail: 'm', completed_at: null }
    expect(readRun(simulator, runId)).toMatchObject({ status: 'failed', ...error })
  })

  it('may be hidden, listed late, go backwards and vanish', () => {
    const { simulator, clock } = simulated()
    simulator.script(SYNC, [
      { at: 0, visible: false },
      { at: 1000, visible: true, listed: false },
      { at: 2000, listed: true, status: 'failed' },
      { at: 3000, status: 'retrying' },
      { at: 4000, vanished: true },
    ])
    const runId = trigger(simulator, SYNC)
    const seen = [0, 1, 2, 3, 4].map(() => {
      const { status } = ask(simulator, 'GET', `/sync_runs/${runId}`)
      const listed = ask(simulator, 'GET', `/syncs/${SYNC}/sync_runs`).body
      clock.pass(1000)
      return [status, JSON.stringify(listed).includes(String(runId))]
    })
    expect(seen).toEqual([
      [404, false],
      [200, false],
      [200, true],
      [200, true],
      [404, false],
    ])
    expect(ask(simulator, 'POST', `/sync_runs/${runId}/cancel`).status).toBe(404)
  })
})

describe('a trigger while an earlier run is active', () => {
  it('creates a run that is skipped and uses up no script', () => {
    const { simulator, clock } = simulated()
    simulator.script(SYNC, completesAfter(4000), failsAfter(4000))
    trigger(simulator, SYNC)
    expect(readRun(simulator, trigger(simulator, SYNC))).toMatchObject({ status: 'skipped', canceled: false })
    clock.pass(4000)
    const third = trigger(simulator, SYNC)
    clock.pass(4000)
    expect(readRun(simulator, third)).toMatchObject({ status: 'failed' })
    expect(simulator.runsCreated(SYNC)).toBe(3)
  })

  it.each([
    { onCollision: 'error-200', status: 200 },
    { onCollision: 'conflict-409', status: 409 },
  ] as const)('is refused with $onCollision', ({ onCollision, status }) => {
    const { simulator } = simulated({ syncs: [{ id: SYNC, onCollision }] })
    trigger(simulator, SYNC)
    const message = expect.stringContaining('already running')
    expect(ask(simulator, 'POST', `/syncs/${SYNC}/trigger`)).toMatchObject({
      status,
      body: { status: 'error', message },
    })
    expect([simulator.runsCreated(SYNC), simulator.triggerCalls(SYNC)]).toEqual([1, 2])
  })
})

describe('runs that others start', () => {
  it('may be older and still active', () => {
    const { simulator, clock } = simulated()
    const older = simulator.startRun(SYNC, { createdAt: NOON - 60_000, timeline: completesAfter(90_000) })
    const ours = trigger(simulator, SYNC)
    expect(ours).toBeGreaterThan(older)
    expect(readRun(simulator, older)).toMatchObject({ status: 'working', created_at: '2026-03-11T11:59:00.250Z' })
    expect(readRun(simulator, ours)).toMatchObject({ status: 'skipped' })
    clock.pass(30_000)
    expect(readRun(simulator, older)).toMatchObject({ status: 'completed' })
    expect(simulator.runsCreated(SYNC)).toBe(1)
  })

  it('may lie in the future, and then meet what is active at that moment', () => {
    const { simulator, clock } = simulated()
    const soon = simulator.startRun(SYNC, { createdAt: NOON + 2000 })
    const later = simulator.startRun(SYNC, { createdAt: NOON + 9000 })
    const ours = trigger(simulator, SYNC)
    expect(ask(simulator, 'GET', `/sync_runs/${soon}`).status).toBe(404)
    expect(simulator.runs(SYNC).map(({ id }) => id)).toEqual([ours])
    clock.pass(20_000)
    expect(simulator.runs(SYNC).map(({ id, state }) => [id, state.status])).toEqual([
      [ours, 'completed'],
      [soon, 'skipped'],
      [later, 'completed'],
    ])
    const scheduled = '2026-03-11T12:00:09.250Z'
    expect(readRun(simulator, later)).toMatchObject({ created_at: scheduled, scheduled_execution_time: scheduled })
  })

  it('are listed when dry, as completed runs with counts and an e-mail address', () => {
    const { simulator, clock } = simulated()
    const dry = simulator.startRun(SYNC, { reason: 'dry-run', startedBy: 'ada@shop.example' })
    const ours = trigger(simulator, SYNC)
    clock.pass(4000)
    const reason = { ui_tag: 'Dry Run', ui_detail: 'Dry run triggered by ada@shop.example' }
    const list = ask(simulator, 'GET', `/syncs/${SYNC}/sync_runs?order=asc`).body
    expect(list).toMatchObject({
      data: [
        { id: dry, status: 'completed', records_updated: 120, sync_trigger_reason: reason },
        { id: ours, status: 'completed', sync_trigger_reason: { ui_tag: 'API Request' } },
      ],
    })
  })
})

describe('cancelling', () => {
  it.each(['completed', 'failed', 'cancelled', 'working'] as const)('leaves the status %s', (cancelledStatus) => {
    const { simulator, clock } = simulated({ cancelledStatus })
    const runId = trigger(simulator, SYNC)
    clock.pass(1000)
    const reply = ask(simulator, 'POST', `/sync_runs/${runId}/cancel`)
    expect(reply).toMatchObject({ status: 200, body: { status: 'cancelled', data: {} } })
    clock.pass(60_000)
    expect(readRun(simulator, runId)).toMatchObject({ status: cancelledStatus, canceled: true })
    expect(readRun(simulator, trigger(simulator, SYNC))).toMatchObject({ status: 'queued' })
  })

  it('loses the race when the run completes first', () => {
    const { simulator, clock } = simulated({ cancelTakesMs: 2000 })
    const runId = trigger(simulator, SYNC)
    clock.pass(3000)
    expect(ask(simulator, 'POST', `/sync_runs/${runId}/cancel`).status).toBe(200)
    clock.pass(3000)
    expect(readRun(simulator, runId)).toMatchObject({ status: 'completed', canceled: false })
  })

  it.each([
    { options: { cancelSettled: 'accepted' }, elapsed: 9000, status: 200 },
    { options: { cancelSettled: 'not-found' }, elapsed: 9000, status: 404 },
    { options: { cancelQueued: 'refuses' }, elapsed: 0, status: 404 },
  ] as const)('answers $status with $options after $elapsed ms', ({ options, elapsed, status }) => {
    const { simulator, clock } = simulated(options)
    const runId = trigger(simulator, SYNC)
    clock.pass(elapsed)
    expect(ask(simulator, 'POST', `/sync_runs/${runId}/cancel`).status).toBe(status)
    expect(simulator.runs(SYNC)[0]?.state.canceled).toBe(false)
  })
})

describe('the shop', () => {
  it.each(['good', 'failing', 'busy'] as const)('tells the story "%s"', (scenario) => {
    const clock = new HandClock()
    const simulator = shop(scenario, { now: clock.now, speed: 2 })
    const runIds = [8290, 8291, 8292].map((syncId) => trigger(simulator, syncId))
    clock.pass(2500)
    const ends = runIds.map((runId) => readRun(simulator, runId))
    const completed = { status: 'completed', records_failed: 0 }
    const stories = {
      good: [completed, completed, completed],
      failing: [
        { status: 'completed', records_failed: 3, source_record_invalids: 5 },
        { status: 'failed', error_message: expect.stringMatching(/"Edda Lindqvist".*@kundpost\.example.*\d{16}/) },
        completed,
      ],
      busy: [{ status: 'skipped' }, completed, completed],
    }
    expect(ends).toMatchObject(stories[scenario])
    expect(simulator.runs(8291).map(({ reason }) => reason)).toEqual(['dry-run', 'manual', 'api', 'api', 'api', 'api'])
    expect(simulator.problems).toEqual([])
  })
})

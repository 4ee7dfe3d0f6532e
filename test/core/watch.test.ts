import { describe, expect, test } from 'vitest'
import { completesAfter, counted, failsAfter, worksForever } from '../simulator/index.ts'
import { Rehearsal } from '../support/in-memory.ts'

const MINUTE = 60_000
const OUTAGE = { kind: 'respond', status: 503 } as const

/** The provider fails every request of this kind from then until then, in milliseconds from the start. */
function fails(stage: Rehearsal, operation: string, from: number, until: number) {
  stage.simulator.faults.push((_request, call) =>
    call.operation === operation && stage.clock.now() >= from && stage.clock.now() < until ? OUTAGE : undefined,
  )
}

describe('an outage while a run is watched', () => {
  test('of ten minutes is survived, with few requests, told once and told when it is over', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, completesAfter(30 * MINUTE))
    fails(stage, 'read-run', 5 * MINUTE, 15 * MINUTE)
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded' }])
    expect(stage.timesOf('read-run').filter((at) => at >= 5 * MINUTE && at < 15 * MINUTE).length).toBeLessThanOrEqual(
      40,
    )
    expect(stage.events.filter(({ kind }) => kind === 'unreadable')).toHaveLength(1)
    const over = stage.events.filter((event) => event.kind === 'readable')
    expect(over).toHaveLength(1)
    expect(over[0]?.afterMs).toBeGreaterThan(9 * MINUTE)
  })

  test('of sixteen minutes ends in unknown, with the last status, and cancels nothing', async () => {
    const stage = new Rehearsal({ cancelOn: new Set(['cancel', 'timeout']) })
    stage.simulator.script(8290, worksForever())
    fails(stage, 'read-run', 5 * MINUTE, 60 * MINUTE)
    expect((await stage.run()).results).toMatchObject([
      {
        outcome: 'unknown',
        reason: expect.stringMatching(/could not be read any more, its last status was "working": .*HTTP 503/),
      },
    ])
    expect(stage.clock.now()).toBeLessThan(21 * MINUTE)
    expect(stage.timesOf('cancel-run')).toEqual([])
  })

  test('that goes on at the deadline is named, and nobody claims to know that the run goes on', async () => {
    const stage = new Rehearsal({ timeoutMs: 10 * MINUTE })
    stage.simulator.script(8290, worksForever())
    fails(stage, 'read-run', 5 * MINUTE, 60 * MINUTE)
    expect((await stage.run()).results).toMatchObject([
      {
        outcome: 'timed_out',
        reason: expect.stringMatching(
          /had not ended in time: its last status was "working", and then it could not be read \(.*HTTP 503.*\); it may go on/,
        ),
        hint: 'lost-run',
      },
    ])
  })

  test('that was over before the deadline is not', async () => {
    const stage = new Rehearsal({ timeoutMs: 10 * MINUTE })
    stage.simulator.script(8290, worksForever())
    fails(stage, 'read-run', 3 * MINUTE, 5 * MINUTE)
    expect((await stage.run()).results).toMatchObject([
      {
        reason: 'the run had not ended in time: its last status was "working"; it goes on at the provider',
        hint: 'timed-out',
      },
    ])
  })

  test('of the credentials falls under the same tolerance', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, completesAfter(10 * MINUTE))
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'read-run' && nth > 3 && nth < 8 ? { kind: 'respond', status: 401 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
  })

  test('a run that is not visible yet is not called unreadable', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [
      { at: 0, status: 'queued', visible: false },
      { at: 20_000, visible: true },
      { at: 30_000, status: 'completed', counts: counted() },
    ])
    await stage.run()
    expect(stage.events.some(({ kind }) => kind === 'unreadable' || kind === 'readable')).toBe(false)
  })
})

describe('counters that come late', () => {
  test('are waited for with one more look, and no more than one', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [{ at: 0, status: 'completed' }])
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'succeeded', polls: 2, reason: 'completed; the provider gave no record counts' },
    ])
  })

  test('are waited for where a limit needs another one of them', async () => {
    for (const [limits, first] of [
      [{ maxInvalid: { count: 5 } }, { records_failed: 0, source_record_invalids: null }],
      [{ maxFailed: { percent: 5 } }, { records_failed: 1, records_processed: null, records_updated: null }],
    ] as const) {
      const stage = new Rehearsal(limits)
      stage.simulator.script(8290, [{ at: 0, status: 'completed', counts: counted({ rejected: 0 }) }])
      stage.simulator.faults.push((_request, { operation, nth, id }) =>
        operation === 'read-run' && nth === 1
          ? {
              kind: 'respond',
              status: 200,
              body: JSON.stringify({ status: 'success', data: { id, status: 'completed', ...first } }),
            }
          : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', polls: 2 }])
    }
  })

  test('are not waited for where they are there, or the run has failed', async () => {
    for (const [timeline, outcome] of [
      [[{ at: 0, status: 'completed', counts: counted() }], 'succeeded'],
      [failsAfter(0), 'failed'],
    ] as const) {
      const stage = new Rehearsal()
      stage.simulator.script(8290, timeline)
      expect((await stage.run()).results).toMatchObject([{ outcome, polls: 1 }])
    }
  })

  test('nobody can say that it delivered, if the one more look cannot be had', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 0 })
    stage.simulator.script(8290, [{ at: 0, status: 'completed' }])
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'read-run' && nth > 1 ? OUTAGE : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown' }])
    const flawed = new Rehearsal({ outageToleranceMs: 0 })
    flawed.simulator.faults.push((_request, { operation, nth, id }) => {
      if (operation !== 'read-run') return undefined
      const data = { id, sync_id: 8290, status: 'completed', records_invalid: 3 }
      return nth > 1 ? OUTAGE : { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
    })
    expect((await flawed.run()).results).toMatchObject([{ outcome: 'unknown' }])
  })
})

describe('an answer about another sync', () => {
  const foreign = (stage: Rehearsal) =>
    stage.simulator.faults.push((_request, { operation, id }) =>
      operation === 'read-run'
        ? {
            kind: 'respond',
            status: 200,
            body: JSON.stringify({
              status: 'success',
              data: { id, sync_id: 77, status: 'completed', records_failed: 0 },
            }),
          }
        : undefined,
    )

  test('never makes a sync green, whoever has started the run', async () => {
    const own = new Rehearsal()
    foreign(own)
    const given = new Rehearsal({
      mode: 'wait',
      syncIds: [],
      runs: [{ provider: 'census', syncId: '8290', runId: '431000000' }],
    })
    foreign(given)
    for (const stage of [own, given]) {
      const { results } = await stage.run()
      expect(results).toMatchObject([{ outcome: 'unknown' }])
      expect(results[0]?.reason).toContain('is said to be one of sync 77, not of 8290')
    }
  })
})

describe('cancelling a run', () => {
  const two = {
    syncs: [
      { id: 1, timeline: worksForever() },
      { id: 2, timeline: failsAfter(MINUTE) },
    ],
  }

  test('at the deadline only where cancel-on says so', async () => {
    for (const [cancelOn, cancels] of [
      [new Set(['timeout'] as const), 1],
      [new Set(['cancel'] as const), 0],
    ] as const) {
      const stage = new Rehearsal({ cancelOn, timeoutMs: 5 * MINUTE }, { syncs: [{ id: 1, timeline: worksForever() }] })
      expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }])
      expect(stage.timesOf('cancel-run')).toHaveLength(cancels)
      expect(stage.events.filter(({ kind }) => kind === 'cancelled')).toHaveLength(cancels)
    }
  })

  test('after another one failed only where cancel-on says so', async () => {
    const stage = new Rehearsal({ failFast: true, cancelOn: new Set(['failure']) }, two)
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'cancelled', reason: 'another sync failed (fail-fast); its run was told to stop' },
      { outcome: 'failed' },
    ])
    expect(stage.simulator.runs(1)[0]?.state.canceled).toBe(true)
    const calm = new Rehearsal({ failFast: true, timeoutMs: 5 * MINUTE }, two)
    expect((await calm.run()).results).toMatchObject([{ outcome: 'timed_out' }, { outcome: 'failed' }])
    expect(calm.timesOf('cancel-run')).toEqual([])
  })

  test('never a run of somebody else', async () => {
    const stage = new Rehearsal(
      {
        failFast: true,
        onRunning: 'attach',
        timeoutMs: 5 * MINUTE,
        cancelOn: new Set(['failure', 'timeout', 'cancel']),
      },
      two,
    )
    stage.simulator.startRun(1, { createdAt: stage.clock.wall() - MINUTE, timeline: worksForever() })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out', adopted: true }, { outcome: 'failed' }])
    expect(stage.timesOf('cancel-run')).toEqual([])
  })

  test('that does not work is told', async () => {
    const stage = new Rehearsal(
      { cancelOn: new Set(['timeout']), timeoutMs: MINUTE },
      { syncs: [{ id: 1, timeline: worksForever() }] },
    )
    stage.simulator.failNext('cancel-run', { kind: 'respond', status: 500 })
    expect((await stage.run()).results).toMatchObject([
      { reason: expect.stringContaining('its run may go on: cancelling did not work') },
    ])
    const silent = new Rehearsal(
      { cancelOn: new Set(['timeout']), timeoutMs: MINUTE },
      { syncs: [{ id: 1, timeline: worksForever() }] },
    )
    silent.simulator.failNext('cancel-run', { kind: 'hang', when: 'before' })
    expect((await silent.run()).results).toMatchObject([{ outcome: 'timed_out' }])
    expect(silent.clock.now()).toBeLessThanOrEqual(MINUTE + 1000)
    const denied = new Rehearsal(
      { cancelOn: new Set(['timeout']), timeoutMs: MINUTE },
      { syncs: [{ id: 1, timeline: worksForever() }] },
    )
    const body = '{"status":"error","message":"It cannot be cancelled now"}'
    denied.simulator.failNext('cancel-run', { kind: 'respond', status: 200, body })
    expect((await denied.run()).results).toMatchObject([
      { reason: expect.stringContaining('its run may go on: cancelling did not work') },
    ])
    expect(denied.events.filter(({ kind }) => kind === 'cancelled')).toEqual([])
  })
})

describe('an older run that is waited for', () => {
  const older = (stage: Rehearsal, timeline = worksForever()) =>
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline })

  test('counts its looks as looks of the sync', async () => {
    const stage = new Rehearsal()
    older(stage, completesAfter(3 * MINUTE))
    const [result] = (await stage.run()).results
    expect(result?.polls).toBe(stage.timesOf('read-run').length)
  })

  test('and vanishes is in nobody’s way any more', async () => {
    const stage = new Rehearsal()
    older(stage, [
      { at: 0, status: 'working' },
      { at: 3 * MINUTE, vanished: true },
    ])
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
  })

  test('and that a list goes on showing although it is not there is waited for once', async () => {
    const stage = new Rehearsal()
    const id = older(stage)
    stage.simulator.faults.push((_request, { operation, id: asked }) =>
      operation === 'read-run' && asked === Number(id) ? { kind: 'respond', status: 404 } : undefined,
    )
    stage.simulator.changeSync(8290, { onCollision: 'conflict-409' })
    await stage.run()
    expect(stage.timesOf('trigger').length).toBeGreaterThan(0)
    expect(stage.clock.now()).toBeLessThan(5 * MINUTE)
  })

  test('and cannot be read for too long keeps the sync from being started', async () => {
    const stage = new Rehearsal()
    older(stage)
    fails(stage, 'read-run', 0, 60 * MINUTE)
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'not_started', reason: expect.stringContaining('still working when it could not be read any more') },
    ])
  })

  test('is waited for no longer once another sync failed', async () => {
    const stage = new Rehearsal({ failFast: true }, { syncs: [{ id: 8290 }, { id: 2, timeline: failsAfter(MINUTE) }] })
    older(stage)
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'not_started', reason: expect.stringContaining('fail-fast') },
      { outcome: 'failed' },
    ])
  })
})

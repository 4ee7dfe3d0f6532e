import { describe, expect, test } from 'vitest'
import type { Inputs } from '../../src/core/inputs.ts'
import type { Overrides } from '../../src/core/settings.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { completesAfter, counted, type Fault, failsAfter, worksForever } from '../simulator/index.ts'
import { START } from '../support/builders.ts'
import { evidence, found, manifest, model, type Rows, results } from '../support/dbt.ts'
import { Rehearsal } from '../support/in-memory.ts'

const MINUTE = 60_000

describe('the life of a sync', () => {
  test('baseline, trigger, watch, verdict', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, completesAfter(4 * MINUTE))
    const { conclusion, results } = await stage.run()
    expect(conclusion).toBe('success')
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1, adopted: false }])
    const kinds = stage.events.map(({ kind }) => kind)
    expect([...new Set(kinds)]).toEqual(['planned', 'intent', 'triggered', 'changed', 'settled'])
  })

  test('an older run is waited out; its end decides nothing, only that the sync is triggered then', async () => {
    const stage = new Rehearsal()
    const older = stage.simulator.startRun(8290, {
      createdAt: stage.clock.wall() - MINUTE,
      timeline: failsAfter(6 * MINUTE),
    })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
    expect(results[0]?.runId).not.toBe(String(older))
    expect(stage.timesOf('trigger')[0]).toBeGreaterThanOrEqual(5 * MINUTE)
  })

  test('a scheduled run that slips in while waiting, and counts, is adopted', async () => {
    const stage = new Rehearsal()
    const now = stage.clock.wall()
    stage.simulator.startRun(8290, { createdAt: now - MINUTE, timeline: completesAfter(3 * MINUTE) })
    const scheduled = stage.simulator.startRun(8290, {
      createdAt: now + 2 * MINUTE,
      timeline: completesAfter(5 * MINUTE),
    })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded', adopted: true, attempts: 0, runId: String(scheduled) }])
    expect(stage.timesOf('trigger')).toEqual([])
  })

  test('a run that the provider skipped: the one in the way is waited out, and the sync triggered again', async () => {
    const stage = new Rehearsal()
    // It is there when the trigger arrives, but was not in the list when the plan was made.
    stage.simulator.startRun(8290, {
      createdAt: stage.clock.wall() - MINUTE,
      timeline: [
        { at: 0, status: 'working', listed: false },
        { at: MINUTE + 500, listed: true },
        { at: 5 * MINUTE, status: 'completed', counts: counted() },
      ],
    })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 2, adopted: false }])
    expect(stage.simulator.runs(8290).map(({ state }) => state.status)).toEqual(['completed', 'skipped', 'completed'])
  })

  test('a sync that the provider skips three times has failed', async () => {
    const stage = new Rehearsal()
    stage.simulator.startRun(8290, {
      createdAt: stage.clock.wall() - MINUTE,
      timeline: [{ at: 0, status: 'working', listed: false }],
    })
    const { results } = await stage.run()
    expect(results).toMatchObject([
      { outcome: 'failed', attempts: 3, reason: 'the provider skipped the run, 3 times in a row' },
    ])
  })

  test.each(['error-200', 'conflict-409'] as const)(
    'a trigger that is refused because of a run nobody saw (%s): the run is waited out',
    async (onCollision) => {
      const stage = new Rehearsal({}, { syncs: [{ id: 8290, onCollision }] })
      stage.simulator.startRun(8290, {
        createdAt: stage.clock.wall() - MINUTE,
        timeline: [
          { at: 0, status: 'working', listed: false },
          { at: MINUTE, listed: true },
          { at: 4 * MINUTE, status: 'completed', counts: counted() },
        ],
      })
      stage.simulator.failNext('list-runs', { kind: 'respond', status: 200, body: '{"status":"success","data":[]}' })
      const { results } = await stage.run()
      expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
    },
  )

  test('retries: a new run after a failed one, each only after the end of the one before', async () => {
    const stage = new Rehearsal({ retries: 2 })
    stage.simulator.script(
      8290,
      failsAfter(MINUTE),
      failsAfter(MINUTE),
      failsAfter(MINUTE, { message: 'Locked again' }),
    )
    const { results } = await stage.run()
    const told = { reason: 'after 2 retries, the provider says', message: 'Locked again' }
    expect(results).toMatchObject([{ outcome: 'failed', attempts: 3, ...told }])
    expect(stage.simulator.runs(8290).every(({ state }) => state.status === 'failed')).toBe(true)
  })

  test('a retry for which there is no time is not started, and the sync has failed', async () => {
    const stage = new Rehearsal({ retries: 5, timeoutMs: 3 * MINUTE })
    stage.simulator.script(8290, failsAfter(3 * MINUTE - 800, { message: 'Locked' }))
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'failed', message: 'Locked', attempts: 1 }])
    expect(stage.timesOf('trigger')).toHaveLength(1)
  })

  test('a retry that a cancellation keeps from being started leaves the sync failed', async () => {
    const stage = new Rehearsal({ retries: 1, maxParallel: 1 }, { syncs: [{ id: 1 }, { id: 2 }] })
    stage.simulator.script(1, failsAfter(MINUTE, { message: 'Locked' }))
    stage.simulator.script(2, worksForever())
    const done = stage.run((event) => {
      if (event.kind === 'again') void stage.clock.sleep(30_000).then(() => stage.cancel.abort())
    })
    const { results, conclusion } = await done
    expect(conclusion).toBe('cancelled')
    expect(results).toMatchObject([{ outcome: 'failed', message: 'Locked', attempts: 1 }, { outcome: 'cancelled' }])
    expect(results[0]?.reason).toMatch(/^there was no retry \(the workflow was cancelled before the trigger\)/)
  })

  test('a list that goes on showing a run that has failed takes no retry away', async () => {
    const stage = new Rehearsal({ retries: 2 })
    stage.simulator.script(8290, failsAfter(MINUTE), failsAfter(MINUTE), completesAfter(MINUTE))
    const stale: unknown[] = []
    stage.simulator.faults.push((_request, { operation }) => {
      if (operation !== 'list-runs' || stage.simulator.runsCreated(8290) === 0) return undefined
      const runs = stage.simulator.runs(8290).map(({ id, createdAt }) => ({
        id,
        sync_id: 8290,
        status: 'working',
        created_at: new Date(createdAt).toISOString(),
      }))
      stale.push(runs)
      return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data: runs.reverse() }) }
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 3, adopted: false }])
    expect(stale.length).toBeGreaterThan(1)
  })

  test('a run that the list shows as complete, without counters, is asked for them before it counts as fresh', async () => {
    for (const [rejected, outcome, attempts] of [
      [0, 'fresh', 0],
      [120, 'succeeded', 1],
    ] as const) {
      const stage = new Rehearsal()
      const now = stage.clock.wall()
      stage.simulator.startRun(8290, { createdAt: now - MINUTE, timeline: completesAfter(2 * MINUTE) })
      const ended = [{ at: 0, status: 'completed', counts: counted({ rejected }) }]
      stage.simulator.startRun(8290, { createdAt: now + MINUTE + 1, timeline: ended })
      stage.simulator.faults.push((_request, { operation }) => {
        if (operation !== 'list-runs' || stage.clock.now() <= MINUTE || stage.simulator.runsCreated(8290) > 0)
          return undefined
        const data = stage.simulator
          .runs(8290)
          .map(({ id, createdAt }) => ({ id, status: 'completed', created_at: new Date(createdAt).toISOString() }))
        return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
      })
      expect((await stage.run()).results).toMatchObject([{ outcome, attempts }])
    }
  })

  describe('a completed run without counters in the list', () => {
    /** The list shows the run that came up meanwhile as complete, whatever it says itself. */
    const listed = (
      timeline: Parameters<Rehearsal['simulator']['script']>[1],
      read?: (nth: number) => Fault | undefined,
      given: Partial<Inputs> = {},
    ) => {
      const stage = new Rehearsal(given)
      const now = stage.clock.wall()
      stage.simulator.startRun(8290, { createdAt: now - MINUTE, timeline: completesAfter(2 * MINUTE) })
      const id = stage.simulator.startRun(8290, { createdAt: now + MINUTE + 1, timeline })
      let reads = 0
      stage.simulator.faults.push((_request, { operation, id: asked }) => {
        if (operation === 'read-run' && asked === id) {
          reads += 1
          return read?.(reads)
        }
        if (operation !== 'list-runs' || stage.clock.now() <= MINUTE) return undefined
        const data = stage.simulator
          .runs(8290)
          .map((run) => ({ id: run.id, status: 'completed', created_at: new Date(run.createdAt).toISOString() }))
        return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
      })
      return stage
    }

    test('that goes on is watched to its end', async () => {
      const stage = listed([{ at: 0, status: 'working' }, ...failsAfter(5 * MINUTE)])
      expect((await stage.run()).results).toMatchObject([{ outcome: 'failed', adopted: true, attempts: 0 }])
      expect(stage.clock.now()).toBeGreaterThan(5 * MINUTE)
    })

    test('that cannot be read at first is read again, and counts as what it then says', async () => {
      const stage = listed([{ at: 0, status: 'completed', counts: counted() }], (nth) =>
        nth < 3 ? { kind: 'respond', status: 503 } : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'fresh', attempts: 0 }])
    })

    test('is not asked for where something else decides', async () => {
      const stage = new Rehearsal({ onPaused: 'skip' })
      stage.simulator.changeSync(8290, { paused: true })
      stage.simulator.faults.push((_request, { operation }) => {
        const data = [{ id: 5, status: 'completed', created_at: new Date(stage.clock.wall() + 5000).toISOString() }]
        if (operation === 'read-run') return { kind: 'respond', status: 503 }
        if (operation !== 'list-runs') return undefined
        return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
      })
      expect((await stage.run()).results).toMatchObject([{ outcome: 'skipped', hint: 'paused' }])
      expect(stage.timesOf('read-run')).toEqual([])
    })

    test('is asked for no longer than its sync may take', async () => {
      const one = [{ at: 0, status: 'completed', counts: counted() }]
      const config = new Map([['8290', { ownTimeoutMs: 2 * MINUTE }]])
      const stage = listed(one, () => ({ kind: 'respond', status: 503 }), { config })
      expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown', runId: expect.any(String) }])
      expect(stage.clock.now()).toBeLessThanOrEqual(4 * MINUTE)
    })

    test('that came up while its sync waited for a place is asked for before the trigger', async () => {
      const stage = new Rehearsal(
        { maxParallel: 1, maxFailed: { count: 5 } },
        { syncs: [{ id: 1, timeline: completesAfter(5 * MINUTE) }, { id: 2 }] },
      )
      const good = [{ at: 0, status: 'completed', counts: counted() }]
      const id = stage.simulator.startRun(2, { createdAt: stage.clock.wall() + 2 * MINUTE, timeline: good })
      stage.simulator.faults.push((_request, { operation, id: asked }) => {
        if (operation !== 'list-runs' || asked !== 2 || stage.clock.now() < 2 * MINUTE) return undefined
        const data = [{ id, status: 'completed', created_at: new Date(stage.clock.wall()).toISOString() }]
        return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
      })
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'fresh', attempts: 0 }])
    })

    test('does not begin the time of its sync before its turn', async () => {
      const stage = new Rehearsal(
        { maxParallel: 1, config: new Map([1, 2, 3].map((id) => [String(id), { ownTimeoutMs: 2 * MINUTE }])) },
        { syncs: [1, 2, 3].map((id) => ({ id, timeline: completesAfter(1.5 * MINUTE) })) },
      )
      stage.simulator.faults.push((_request, { operation, id }) => {
        if (operation !== 'list-runs' || stage.clock.now() > 30_000) return undefined
        const data = [
          { id: 900 + id, status: 'completed', created_at: new Date(stage.clock.wall() + 5000).toISOString() },
        ]
        return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
      })
      stage.simulator.faults.push((_request, { operation, id }) => {
        if (operation !== 'read-run' || id > 1000) return undefined
        const rejected = { id, status: 'completed', records_processed: 7, records_updated: 0, records_failed: 7 }
        const data = { ...rejected, created_at: new Date(stage.clock.wall() + 5000).toISOString() }
        return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
      })
      expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    })

    test('that cannot be read at all is unknown, and not run again', async () => {
      const stage = listed([{ at: 0, status: 'completed', counts: counted() }], () => ({
        kind: 'respond',
        status: 503,
      }))
      expect((await stage.run()).results).toMatchObject([
        { outcome: 'unknown', reason: 'the run has completed, but its record counts could not be read' },
      ])
      expect(stage.timesOf('trigger')).toEqual([])
    })
  })

  describe('a run that failed, and is taken up again by the provider', () => {
    const again = [
      { at: 0, status: 'failed', error: { code: null, message: 'Locked', detail: null } },
      { at: 1500, status: 'working' },
      { at: 40_000, status: 'completed', counts: counted() },
    ]
    const skipped = [{ at: 0, status: 'skipped' }]

    test.each(['queue', 'attach', 'skip', 'fail'] as const)(
      'is still this step’s own, in its first second too: watched on, and not run twice (on-running: %s)',
      async (onRunning) => {
        const stage = new Rehearsal({ retries: 1, onRunning })
        stage.simulator.script(8290, again, skipped, skipped, skipped)
        const { results } = await stage.run()
        const first = Math.min(...stage.simulator.runs(8290).map(({ id }) => id))
        expect(results).toMatchObject([{ outcome: 'succeeded', runId: String(first) }])
        const ends = stage.simulator.runs(8290).map(({ state }) => state.status)
        expect(ends.filter((status) => status !== 'skipped')).toEqual(['completed'])
      },
    )
  })

  test('a run that ended well after all, as the run itself says, is not run again', async () => {
    const stage = new Rehearsal({ retries: 2 })
    const late = [
      { at: 0, status: 'failed', error: { code: null, message: 'Locked', detail: null } },
      { at: 1500, status: 'completed', counts: counted() },
    ]
    stage.simulator.script(8290, late, completesAfter(MINUTE))
    stage.simulator.faults.push((_request, { operation }) => {
      const [run] = stage.simulator.runs(8290)
      if (operation !== 'list-runs' || run === undefined) return undefined
      const created = new Date(run.createdAt).toISOString()
      const data = [{ id: run.id, sync_id: 8290, status: 'working', created_at: created }]
      // The list is late by more than it takes the run to end well.
      const fault = { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) } as const
      return { kind: 'delay', ms: 2000, fault }
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'fresh' }])
    expect(stage.simulator.runsCreated(8290)).toBe(1)
  })

  test('a run whose state is unknown is never run again', async () => {
    const stage = new Rehearsal({ retries: 5 })
    stage.simulator.script(8290, [
      { at: 0, status: 'working' },
      { at: MINUTE, vanished: true },
    ])
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'unknown', attempts: 1 }])
    expect(stage.simulator.runsCreated(8290)).toBe(1)
  })

  test('a fresh run that cannot be read yet is no trouble', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [
      { at: 0, status: 'queued', visible: false },
      { at: 40_000, visible: true },
      { at: 50_000, status: 'completed', counts: counted() },
    ])
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
  })

  test('a completed run gets one more look for its counters', async () => {
    const late = [
      { at: 0, status: 'working' },
      { at: 30_000, status: 'completed' },
      { at: 31_500, counts: counted({ rejected: 120 }) },
    ]
    const stage = new Rehearsal()
    stage.simulator.script(8290, late)
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('rejected every record') },
    ])
    const silent = new Rehearsal({ maxFailed: { count: 5 } })
    silent.simulator.script(8290, [{ at: 0, status: 'completed' }])
    expect((await silent.run()).results).toMatchObject([{ outcome: 'unknown', polls: 2 }])
  })

  test('an active dry run is waited out, and a finished one is never taken for fresh', async () => {
    const stage = new Rehearsal({ onRunning: 'attach' })
    stage.simulator.startRun(8290, {
      reason: 'dry-run',
      createdAt: stage.clock.wall(),
      timeline: completesAfter(2 * MINUTE),
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 1, adopted: false }])
  })
})

describe('the deadline', () => {
  test('an unknown status ends within a second before it, with the last status, and was logged once', async () => {
    const stage = new Rehearsal({ timeoutMs: 10 * MINUTE })
    stage.simulator.script(8290, [{ at: 0, status: 'hibernating', counts: counted() }])
    const { results, conclusion } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'timed_out', reason: expect.stringContaining('"hibernating"') }])
    expect(conclusion).toBe('timed_out')
    expect(stage.clock.now()).toBeGreaterThan(10 * MINUTE - 1000)
    expect(stage.clock.now()).toBeLessThanOrEqual(10 * MINUTE)
    expect(stage.events.filter(({ kind }) => kind === 'changed')).toHaveLength(1)
    expect(stage.timesOf('read-run').at(-1)).toBeGreaterThanOrEqual(10 * MINUTE - 1000)
  })

  test('in the queue: not started, with the last status of the run in the way', async () => {
    const stage = new Rehearsal({ timeoutMs: 10 * MINUTE })
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline: worksForever() })
    const { results } = await stage.run()
    expect(results).toMatchObject([
      { outcome: 'not_started', attempts: 0, reason: expect.stringMatching(/still working when the deadline came/) },
    ])
  })

  test('nothing is triggered in the last second before it', async () => {
    const stage = new Rehearsal({ timeoutMs: 60_700 })
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline: completesAfter(2 * MINUTE) })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'not_started' }])
    expect(stage.timesOf('trigger')).toEqual([])
  })

  test('a place that never becomes free before it', async () => {
    const stage = new Rehearsal(
      { timeoutMs: 10 * MINUTE, maxParallel: 1 },
      { syncs: [{ id: 1, timeline: worksForever() }, { id: 2 }] },
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }, { outcome: 'not_started' }])
  })
})

describe('max-parallel', () => {
  test('a sync that waits for an older run takes no place', async () => {
    const stage = new Rehearsal({ maxParallel: 1 }, { syncs: [{ id: 1 }, { id: 2, timeline: completesAfter(MINUTE) }] })
    stage.simulator.startRun(1, { createdAt: stage.clock.wall() - MINUTE, timeline: completesAfter(11 * MINUTE) })
    const { results } = await stage.run()
    expect(results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded'])
    expect(stage.timesOf('trigger')[0]).toBe(0)
  })

  test('a history read long before its turn is read again', async () => {
    const stage = new Rehearsal(
      { maxParallel: 1 },
      { syncs: [{ id: 1, timeline: completesAfter(5 * MINUTE) }, { id: 2 }] },
    )
    // A run of the second sync appears, and delivers, while it waits for its place.
    stage.simulator.startRun(2, { createdAt: stage.clock.wall() + 2 * MINUTE, timeline: completesAfter(MINUTE) })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'fresh', attempts: 0 }])
    expect(stage.simulator.runsCreated(2)).toBe(0)
  })
})

describe('cancelling', () => {
  test.each([
    ['while the plan is made', 'list-runs', { kind: 'hang', when: 'before' }],
    ['while the trigger is on its way', 'trigger', { kind: 'hang', when: 'before' }],
  ] as const)('%s ends at once', async (_name, operation, fault) => {
    const stage = new Rehearsal()
    stage.simulator.failNext(operation, fault)
    stage.clock.at(5000, () => stage.cancel.abort())
    const { conclusion, results } = await stage.run()
    expect(conclusion).toBe('cancelled')
    expect(['cancelled', 'unknown']).toContain(results[0]?.outcome)
    expect(stage.clock.now()).toBeLessThanOrEqual(8000)
  })

  test('with the trigger answered too late: the run is found and cancelled', async () => {
    const stage = new Rehearsal({}, { syncs: [{ id: 8290, timeline: worksForever() }] })
    stage.simulator.failNext('trigger', { kind: 'hang', when: 'after' })
    stage.clock.at(5000, () => stage.cancel.abort())
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'cancelled', adopted: true }])
    expect(stage.simulator.runs(8290)[0]?.state.canceled).toBe(true)
  })

  test('in the queue touches nobody else’s run', async () => {
    const stage = new Rehearsal()
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline: worksForever() })
    stage.clock.at(5000, () => stage.cancel.abort())
    expect((await stage.run()).results).toMatchObject([{ outcome: 'cancelled', attempts: 0 }])
    expect(stage.timesOf('cancel-run')).toEqual([])
  })
})

describe('a watermark on a clock that is off', () => {
  test.each([-600_000, 600_000])(
    'a run that ended before the step began is never fresh (provider ahead by %i ms)',
    async (clockSkewMs) => {
      const stage = new Rehearsal({}, { clockSkewMs })
      const skewed = stage.clock.wall() + clockSkewMs
      stage.simulator.startRun(8290, { createdAt: skewed - 2 * MINUTE, timeline: completesAfter(MINUTE) })
      const { results } = await stage.run()
      expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
    },
  )
})

describe('the settings of a sync', () => {
  const config = (overrides: Overrides) => new Map([['8290', overrides]])

  test('hold for that sync alone', async () => {
    const syncs = [{ id: 8290 }, { id: 2 }]
    const stage = new Rehearsal({ retries: 0, config: config({ retries: 1, full: true, name: 'ours' }) }, { syncs })
    for (const { id } of syncs) stage.simulator.script(id, failsAfter(MINUTE))
    const { results } = await stage.run()
    expect(results).toMatchObject([
      { outcome: 'succeeded', attempts: 2, sync: { name: 'ours' }, run: { full: true } },
      { outcome: 'failed', attempts: 1, sync: { name: 'Sync 2' } },
    ])
  })

  test('allow-failure: the sync has failed, and the step is green', async () => {
    const stage = new Rehearsal(
      { config: config({ allowFailure: true }), failFast: true },
      { syncs: [{ id: 8290 }, { id: 2 }] },
    )
    stage.simulator.script(8290, failsAfter(MINUTE))
    stage.simulator.script(2, completesAfter(3 * MINUTE))
    const { conclusion, results } = await stage.run()
    expect(conclusion).toBe('success')
    expect(results).toMatchObject([
      { outcome: 'failed', tolerated: 'allow-failure' },
      { outcome: 'succeeded', tolerated: null },
    ])
  })

  test('allow-failure does not forgive a refused token', async () => {
    const stage = new Rehearsal({ token: 'secret-token:wrong', config: config({ allowFailure: true }) })
    expect(await stage.run()).toMatchObject({ conclusion: 'failure', results: [{ outcome: 'not_started' }] })
  })

  test('timeout-minutes ends its run early, and no other', async () => {
    const syncs = [
      { id: 8290, timeline: worksForever() },
      { id: 2, timeline: completesAfter(20 * MINUTE) },
    ]
    const stage = new Rehearsal({ config: config({ ownTimeoutMs: 5 * MINUTE }) }, { syncs })
    let ended = 0
    const report = await stage.run((event) => {
      if (event.kind === 'settled' && event.result.outcome === 'timed_out') ended = stage.clock.now()
    })
    expect(report.results.map(({ outcome }) => outcome)).toEqual(['timed_out', 'succeeded'])
    expect(ended).toBeGreaterThan(4.9 * MINUTE)
    expect(ended).toBeLessThanOrEqual(5 * MINUTE + 1000)
  })

  test('timeout-minutes begins with the turn of a sync, not while it waits for a place', async () => {
    const syncs = [
      { id: 2, timeline: completesAfter(20 * MINUTE) },
      { id: 8290, timeline: completesAfter(4 * MINUTE) },
    ]
    const stage = new Rehearsal({ maxParallel: 1, config: config({ ownTimeoutMs: 5 * MINUTE }) }, { syncs })
    expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded'])
  })

  test('timeout-minutes never outlasts the step', async () => {
    const stage = new Rehearsal({ timeoutMs: 2 * MINUTE, config: config({ ownTimeoutMs: 5 * MINUTE }) })
    stage.simulator.script(8290, worksForever())
    await stage.run()
    expect(stage.clock.now()).toBeLessThanOrEqual(2 * MINUTE + 1000)
  })
})

describe('a step with evidence of dbt', () => {
  /** dbt has just built this, a while before the step. */
  const built = (rows: Rows, agoMs = MINUTE) => {
    const parts = [model('customers', [], { meta: { census_sync_id: 8290 } })]
    const at = START - agoMs
    const weighed = evidence([found({ manifest: manifest(parts), results: results(rows, { at }) })])
    return { rulings: new Rulings(weighed, CENSUS), builtAt: at, problems: [], badNames: [] }
  }
  const GOOD = { 'model.shop.customers': 'success' }

  test('takes a run since the build for fresh, though it began before the step', async () => {
    const stage = new Rehearsal()
    stage.dbt = built(GOOD, 10 * MINUTE)
    const run = stage.simulator.startRun(8290, { createdAt: START - 9 * MINUTE, timeline: completesAfter(MINUTE) })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'fresh', runId: String(run), attempts: 0 }])
  })

  test('does not take a run of four seconds after the build for it: the file was still to be written', async () => {
    const stage = new Rehearsal()
    stage.dbt = built(GOOD, 10 * MINUTE)
    stage.simulator.startRun(8290, { createdAt: START - 10 * MINUTE + 4000, timeline: completesAfter(MINUTE) })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
  })

  test('joins a run that goes on since the build', async () => {
    const stage = new Rehearsal()
    stage.dbt = built(GOOD, 10 * MINUTE)
    const run = stage.simulator.startRun(8290, { createdAt: START - MINUTE, timeline: completesAfter(5 * MINUTE) })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true, runId: String(run) }])
    expect(stage.timesOf('trigger')).toEqual([])
  })

  test('triggers five seconds after the build at the earliest, and waits for ten at most, whatever the clocks say', async () => {
    const stage = new Rehearsal()
    stage.dbt = built(GOOD, 1000)
    await stage.run()
    expect(stage.timesOf('trigger')).toEqual([4000])
    const ahead = new Rehearsal()
    ahead.dbt = built(GOOD, -4 * MINUTE)
    await ahead.run()
    expect(ahead.timesOf('trigger')).toEqual([10_000])
  })

  test('asks for more runs where a page is full of dry ones, before it says that nothing ever ran', async () => {
    const stage = new Rehearsal()
    stage.dbt = built({})
    const run = stage.simulator.startRun(8290, { createdAt: START - 60 * MINUTE, timeline: completesAfter(MINUTE) })
    for (let dry = 1; dry <= 12; dry += 1) {
      stage.simulator.startRun(8290, {
        createdAt: START - dry * MINUTE,
        reason: 'dry-run',
        timeline: completesAfter(1000),
      })
    }
    expect((await stage.run()).results).toMatchObject([{ outcome: 'skipped' }])
    expect(stage.simulator.runs(8290)[0]?.id).toBe(run)
  })

  describe('that is not about a sync whose last run the list shows without counters', () => {
    const stageOf = (rejected: number | 'unreadable', paused = false) => {
      const stage = new Rehearsal({ onPaused: 'skip' })
      stage.dbt = built({})
      if (paused) stage.simulator.changeSync(8290, { paused: true })
      stage.simulator.faults.push((_request, { operation, id }) => {
        const run = {
          id: 5,
          sync_id: 8290,
          status: 'completed',
          created_at: new Date(START - 60 * MINUTE).toISOString(),
        }
        const counts = { records_processed: 7, records_updated: 7 - Number(rejected), records_failed: rejected }
        if (operation === 'list-runs' && stage.simulator.runsCreated(8290) === 0)
          return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data: [run] }) }
        if (operation !== 'read-run' || id !== 5) return undefined
        if (rejected === 'unreadable') return { kind: 'respond', status: 404 }
        return {
          kind: 'respond',
          status: 200,
          body: JSON.stringify({ status: 'success', data: { ...run, ...counts } }),
        }
      })
      return stage
    }

    test('triggers it where that run did not deliver, and leaves it out where it did', async () => {
      expect((await stageOf(7).run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
      expect((await stageOf(0).run()).results).toMatchObject([{ outcome: 'skipped' }])
    })

    test('leaves it out where nobody can say, and asks nothing where it is paused', async () => {
      expect((await stageOf('unreadable').run()).results).toMatchObject([{ outcome: 'skipped' }])
      const paused = stageOf('unreadable', true)
      expect((await paused.run()).results).toMatchObject([{ outcome: 'skipped', hint: 'paused' }])
      expect(paused.timesOf('read-run')).toEqual([])
    })
  })

  test('goes on though an earlier step failed', async () => {
    const stage = new Rehearsal({ jobStatus: 'failure' })
    stage.dbt = built(GOOD)
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
  })

  test('but not with a lineage alone', async () => {
    const stage = new Rehearsal({ jobStatus: 'failure' })
    stage.dbt = { ...built(GOOD), builtAt: null }
    expect((await stage.run()).results).toMatchObject([{ outcome: 'not_started' }])
  })

  test('looks for the syncs that read what was built, and starts nothing if it cannot', async () => {
    const refused = new Rehearsal({ discover: 'lineage' })
    refused.dbt = built(GOOD)
    refused.simulator.failNext('list-syncs', { kind: 'respond', status: 403 }, 9)
    expect(await refused.run()).toMatchObject({ conclusion: 'failure', results: [{ outcome: 'not_started' }] })
    expect(refused.timesOf('trigger')).toEqual([])
    const patient = new Rehearsal({ discover: 'lineage' })
    patient.dbt = built(GOOD)
    patient.simulator.failNext('list-syncs', { kind: 'respond', status: 502 }, 3)
    expect(await patient.run()).toMatchObject({ conclusion: 'success' })
  })
})

describe('fail-fast', () => {
  test('a sync that the plan already shows to be wrong keeps all others from being started', async () => {
    const stage = new Rehearsal({ failFast: true, syncIds: ['1', '4711', '2'] }, { syncs: [{ id: 1 }, { id: 2 }] })
    expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['not_started', 'failed', 'not_started'])
    expect(stage.timesOf('trigger')).toEqual([])
  })

  test('a paused sync does so too', async () => {
    const stage = new Rehearsal({ failFast: true }, { syncs: [{ id: 1 }, { id: 2, paused: true }] })
    expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['not_started', 'failed'])
    expect(stage.timesOf('trigger')).toEqual([])
  })

  test('what is going on is watched to its end', async () => {
    const syncs = [
      { id: 1, timeline: completesAfter(10 * MINUTE) },
      { id: 2, timeline: failsAfter(MINUTE) },
    ]
    const stage = new Rehearsal({ failFast: true }, { syncs })
    expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'failed'])
  })
})

describe('waiting for the runs of another step', () => {
  const wait = (runIds: number[], overrides = {}) =>
    new Rehearsal({
      mode: 'wait',
      syncIds: [],
      runs: runIds.map((id) => ({ provider: 'census', syncId: null, runId: String(id) })),
      ...overrides,
    })

  test('a run that the provider skipped is failed, and triggers nothing', async () => {
    const stage = wait([431_000_000])
    stage.simulator.startRun(8290, { timeline: [{ at: 0, status: 'skipped' }] })
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'failed', sync: { id: '8290', name: 'Sync 8290' }, attempts: 0 },
    ])
    expect(stage.timesOf('trigger')).toEqual([])
  })

  test('the settings of its sync hold, though only the run was given', async () => {
    const stage = wait([431_000_000], {
      config: new Map([['8290', { name: 'ours', maxFailed: { count: 0 }, allowFailure: true }]]),
    })
    stage.simulator.startRun(8290, { timeline: [{ at: 0, status: 'completed', counts: counted({ rejected: 1 }) }] })
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'failed', sync: { id: '8290', name: 'ours' }, tolerated: 'allow-failure' },
    ])
  })

  test('the time that the config file gives it holds, too', async () => {
    const stage = wait([431_000_000], { config: new Map([['8290', { ownTimeoutMs: 2 * MINUTE }]]) })
    stage.simulator.startRun(8290, { timeline: worksForever() })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }])
    expect(stage.clock.now()).toBeLessThanOrEqual(2 * MINUTE)
  })

  test('a dry run delivers nothing, so it is no success', async () => {
    const stage = wait([431_000_000])
    stage.simulator.startRun(8290, { reason: 'dry-run', timeline: completesAfter(1000) })
    expect((await stage.run()).results).toMatchObject([
      { outcome: 'failed', reason: 'it was a dry run, which delivers nothing' },
    ])
  })

  test('a run that never shows up is unknown after a minute', async () => {
    const stage = wait([431_000_000])
    const { results } = await stage.run()
    expect(results).toMatchObject([
      {
        outcome: 'unknown',
        runId: '431000000',
        sync: { id: '', name: 'run 431000000' },
        url: 'https://app.getcensus.com',
        reason: expect.stringMatching(/^the run could not be read: .*there is no run 431000000/),
        hint: 'not-found',
      },
    ])
    expect(stage.clock.now()).toBeLessThan(2 * MINUTE)
  })

  test('throttled beyond the deadline ends at the deadline', async () => {
    const stage = wait([431_000_000], { timeoutMs: 5 * MINUTE })
    stage.simulator.startRun(8290, { timeline: worksForever() })
    stage.simulator.failNext('read-run', { kind: 'respond', status: 429, headers: { 'retry-after': '7200' } }, 9)
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }])
    expect(stage.clock.now()).toBeLessThanOrEqual(5 * MINUTE)
  })

  test('is never cancelled, not even at a time-out that cancels', async () => {
    const stage = wait([431_000_000], { timeoutMs: MINUTE, cancelOn: new Set(['timeout', 'cancel']) })
    stage.simulator.startRun(8290, { timeline: worksForever() })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }])
    expect(stage.timesOf('cancel-run')).toEqual([])
  })
})

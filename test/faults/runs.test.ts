// What a provider's runs, lists and clocks can do, in virtual time: hours pass in milliseconds, always the same way.
import { describe, expect, test, vi } from 'vitest'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { completesAfter, counted, type Fault, failsAfter, type Timeline, worksForever } from '../simulator/index.ts'
import { Rehearsal } from '../support/in-memory.ts'
import { syncs } from './support.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const LOST = { kind: 'reset', when: 'after' } as const

describe('the life of a run', () => {
  test('run-instant: one that is over before the first look is seen with it', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, completesAfter(0))
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', polls: 1 }])
    expect(stage.clock.now()).toBeLessThanOrEqual(2000)
  })

  test('run-backwards: a status that goes backwards is told, and waited on', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [
      { at: 0, status: 'queued' },
      { at: MINUTE, status: 'working' },
      { at: 2 * MINUTE, status: 'queued' },
      { at: 3 * MINUTE, status: 'retrying' },
      { at: 4 * MINUTE, status: 'working' },
      { at: 5 * MINUTE, status: 'completed', counts: counted() },
    ])
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    const seen = stage.events.flatMap((event) => (event.kind === 'changed' ? [event.run.status] : []))
    expect(seen).toEqual(['queued', 'working', 'queued', 'retrying', 'working', 'completed'])
  })

  test('run-endless: one that never ends is timed out within a second of the deadline, and not cancelled unasked', async () => {
    const stage = new Rehearsal({ timeoutMs: 3 * HOUR })
    stage.simulator.script(8290, worksForever())
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }])
    expect(Math.abs(stage.clock.now() - 3 * HOUR)).toBeLessThanOrEqual(1000)
    expect(stage.timesOf('cancel-run')).toEqual([])
    const last = stage.timesOf('read-run').at(-1) ?? 0
    expect(3 * HOUR - last).toBeLessThanOrEqual(1000)
  })

  test.each<[string, Timeline[number]]>([
    [
      'an error of the destination',
      { at: MINUTE, status: 'failed', error: { code: 'X', message: 'Locked', detail: null } },
    ],
    ['a word that nobody knows', { at: MINUTE, status: 'aborted' }],
    ['an empty word', { at: MINUTE, status: '' }],
    ['success in another spelling', { at: MINUTE, status: 'success' }],
    ['a cancellation in the web app', { at: MINUTE, status: 'completed', canceled: true, counts: counted() }],
    ['every record rejected', { at: MINUTE, status: 'completed', counts: counted({ rejected: 120 }) }],
    ['its disappearance', { at: MINUTE, vanished: true }],
  ])('run-not-green: one that ends in %s is never green', async (_name, end) => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [{ at: 0, status: 'working' }, end])
    const { conclusion, results } = await stage.run()
    expect(['failure', 'timed_out']).toContain(conclusion)
    expect(results[0]?.outcome).not.toBe('succeeded')
    expect(stage.timesOf('trigger')).toHaveLength(1)
  })

  test('run-vanished: one that is gone is looked for during a minute at least, and then unknown', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [
      { at: 0, status: 'working' },
      { at: 5 * MINUTE, vanished: true },
    ])
    expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown' }])
    const looks = stage.timesOf('read-run').filter((at) => at > 5 * MINUTE + 1000)
    expect(looks.length).toBeGreaterThanOrEqual(3)
    expect((looks.at(-1) ?? 0) - (looks[0] ?? 0)).toBeGreaterThanOrEqual(MINUTE - 1000)
  })

  test('run-sync-removed: a sync that is removed or paused while it runs is judged by its run', async () => {
    const stage = new Rehearsal({}, { syncs: [{ id: 8290 }, { id: 8291 }] })
    for (const id of [8290, 8291]) stage.simulator.script(id, completesAfter(4 * MINUTE))
    stage.clock.at(MINUTE, () => {
      stage.simulator.changeSync(8290, { paused: true })
      stage.simulator.failNext(
        (_request, { operation, id }) => operation !== 'read-run' && id === 8291,
        { kind: 'respond', status: 404 },
        99,
      )
    })
    expect((await stage.run()).results.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded'])
  })
})

describe('runs of others', () => {
  test('other-before: one that was there before the trigger is never taken for its run', async () => {
    const stage = new Rehearsal({ onRunning: 'queue' })
    const older = stage.simulator.startRun(8290, {
      createdAt: stage.clock.wall() - MINUTE,
      timeline: completesAfter(30_000),
    })
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'unknown', runId: null }])
    expect(results[0]?.runId).not.toBe(String(older))
  })

  test('other-during: a scheduled run that appears after a lost trigger brings the fresh data, and is not ours to cancel', async () => {
    const stage = new Rehearsal({ cancelOn: new Set(['cancel', 'timeout']), timeoutMs: 5 * MINUTE })
    const scheduled = stage.simulator.startRun(8290, {
      createdAt: stage.clock.wall() + 10_000,
      reason: 'schedule',
      timeline: worksForever(),
    })
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'timed_out', adopted: true, runId: String(scheduled) }])
    expect(stage.timesOf('cancel-run')).toEqual([])
  })

  test('list-lag: a run that the list shows only after a minute and a half is unknown, and there is no second one', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [
      { at: 0, status: 'queued', listed: false },
      { at: 90_000, listed: true },
      { at: 5 * MINUTE, status: 'completed', counts: counted() },
    ])
    stage.simulator.failNext('trigger', LOST)
    expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown', attempts: 1 }])
    await stage.clock.run(stage.clock.sleep(HOUR))
    expect(stage.simulator.runsCreated(8290)).toBe(1)
  })

  test('http-5xx-list: a list that cannot be read does not lead to a second trigger', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', LOST)
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'list-runs' && nth > 1 ? { kind: 'respond', status: 500 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown' }])
    expect(stage.simulator.runsCreated(8290)).toBe(1)
    expect(stage.timesOf('trigger')).toHaveLength(1)
  })

  test('list-endless: a list of syncs without an end is not read without an end', async () => {
    const stage = new Rehearsal({ discover: 'lineage', syncIds: [] }, { syncs: syncs(100, {}) })
    const { simulator } = stage
    const page = simulator.handle({
      method: 'GET',
      url: '/api/v1/syncs?order=desc&page=1&per_page=100',
      headers: { authorization: `Bearer ${simulator.token()}` },
    })
    if (page.kind !== 'response') throw new Error('the list is no answer')
    const pages = () => simulator.requests.filter(({ operation }) => operation === 'list-syncs').length
    const before = pages()
    simulator.failNext('list-syncs', { kind: 'respond', status: 200, body: page.body }, Number.POSITIVE_INFINITY)
    const rulings = new Rulings({ projects: [], builtAt: stage.clock.wall() }, CENSUS)
    stage.dbt = { rulings, builtAt: stage.clock.wall(), problems: [], badNames: [] }
    expect((await stage.run()).results).toEqual([])
    expect(pages() - before).toBe(100)
  })

  test('many-three-fail: of five hundred syncs three fail, and all others deliver', async () => {
    const stage = new Rehearsal({}, { syncs: syncs(500, { timeline: completesAfter(2 * MINUTE) }) })
    const bad = [8002, 8250, 8500]
    for (const id of bad) stage.simulator.script(id, failsAfter(MINUTE))
    const { results, conclusion } = await stage.run()
    expect(conclusion).toBe('failure')
    expect(results.filter(({ outcome }) => outcome === 'failed').map(({ sync }) => Number(sync.id))).toEqual(bad)
    expect(results.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(497)
    for (const { id } of stage.simulator.syncs()) expect(stage.simulator.runsCreated(id)).toBe(1)
  })
})

describe('a workflow that is cancelled', () => {
  test('signal-outage: while looks fail every run is told to stop all the same', async () => {
    const stage = new Rehearsal({}, { syncs: syncs(20, { timeline: worksForever() }) })
    const broken: Fault = { kind: 'delay', ms: 50, fault: { kind: 'reset', when: 'before' } }
    stage.simulator.faults.push((_request, { operation }) =>
      operation === 'read-run' && stage.clock.now() >= 5 * MINUTE ? broken : undefined,
    )
    stage.clock.at(8 * MINUTE, () => stage.cancel.abort())
    await stage.run()
    expect(stage.timesOf('cancel-run')).toHaveLength(20)
  })
})

describe('clocks', () => {
  /** The provider's time goes on evenly; the wall clock of this machine is set by as much after five seconds. */
  async function setBy(jump: number, timeline: Timeline) {
    const stage = new Rehearsal({ timeoutMs: 30 * MINUTE }, { syncs: [{ id: 8290, timeline }] })
    const { clock, simulator } = stage
    let isProvider = false
    const wall = clock.wall.bind(clock)
    const handle = simulator.handle.bind(simulator)
    const set = vi.spyOn(clock, 'wall').mockImplementation(() => wall() + (isProvider || clock.now() < 5000 ? 0 : jump))
    vi.spyOn(simulator, 'handle').mockImplementation((request) => {
      isProvider = true
      const delivery = handle(request)
      isProvider = false
      return delivery
    })
    const { results } = await stage.run()
    set.mockRestore()
    return { results, tookMs: clock.now(), created: simulator.runsCreated(8290) }
  }

  test.each([HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 30_000, -30_000])(
    'clock-set: a wall clock that is set by %d ms in the middle of a step changes nothing',
    async (jump) => {
      const good = await setBy(jump, completesAfter(10 * MINUTE))
      expect(good.results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
      expect(good.tookMs).toBeLessThan(11 * MINUTE)
      expect(good.created).toBe(1)
      const endless = await setBy(jump, worksForever())
      expect(endless.results).toMatchObject([{ outcome: 'timed_out' }])
      expect(Math.abs(endless.tookMs - 30 * MINUTE)).toBeLessThanOrEqual(1000)
    },
  )

  test.each([10 * MINUTE, -10 * MINUTE, HOUR, -HOUR])(
    'clock-apart: with clocks %d ms apart a lost trigger finds its own run, and an older one is not taken for fresh',
    async (clockSkewMs) => {
      const stage = new Rehearsal({}, { clockSkewMs })
      const older = stage.simulator.startRun(8290, {
        createdAt: stage.clock.wall() - 20_000,
        timeline: completesAfter(1000),
      })
      stage.simulator.failNext('trigger', LOST)
      const { results } = await stage.run()
      expect(results).toMatchObject([{ outcome: 'succeeded', adopted: true }])
      expect(results[0]?.runId).not.toBe(String(older))
      expect(stage.simulator.runsCreated(8290)).toBe(1)
    },
  )

  test('clock-long: the longest time-out that may be given is no timer that fires at once', async () => {
    const stage = new Rehearsal({ timeoutMs: 7200 * MINUTE, pollIntervalMs: HOUR })
    stage.simulator.script(8290, completesAfter(26 * HOUR))
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    expect(stage.timesOf('read-run').length).toBeLessThan(40)
  })
})

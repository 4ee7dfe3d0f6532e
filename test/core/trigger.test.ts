import { describe, expect, test } from 'vitest'
import { chooseNew } from '../../src/core/trigger.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { completesAfter, type Fault, failsAfter } from '../simulator/index.ts'
import { run, START } from '../support/builders.ts'
import { Rehearsal } from '../support/in-memory.ts'

const MINUTE = 60_000

/** The trigger took effect, and its answer never arrived as one. */
const LOST: [string, Fault][] = [
  ['connection reset after the run was created', { kind: 'reset', when: 'after' }],
  ['no answer within a minute', { kind: 'hang', when: 'after' }],
  ['half an answer', { kind: 'truncate' }],
  ['HTTP 500', { kind: 'respond-after', status: 500 }],
  ['HTTP 502 with a page', { kind: 'respond-after', status: 502, body: '<html>Bad gateway</html>' }],
  ['HTTP 503', { kind: 'respond-after', status: 503 }],
  ['HTTP 503 with Retry-After', { kind: 'respond-after', status: 503, headers: { 'retry-after': '5' } }],
  ['HTTP 504', { kind: 'respond-after', status: 504 }],
  ['HTTP 408', { kind: 'respond-after', status: 408 }],
  ['HTTP 200 with a login page', { kind: 'respond-after', status: 200, body: '<html>Sign in</html>' }],
  ['HTTP 200 without a run id', { kind: 'respond-after', status: 200, body: '{"status":"success","data":{}}' }],
  [
    'HTTP 200 with a run id that is none',
    { kind: 'respond-after', status: 200, body: '{"status":"success","data":{"sync_run_id":"../1"}}' },
  ],
  ['HTTP 200 and nothing else', { kind: 'respond-after', status: 200, body: '' }],
]

describe('a lost answer to a trigger', () => {
  test.each(LOST)('%s: the run is found and watched, and there is only one', async (_name, fault) => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', fault)
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded', adopted: true, attempts: 1 }])
    expect(stage.simulator.runsCreated(8290)).toBe(1)
    expect(stage.timesOf('trigger')).toHaveLength(1)
  })

  test('a run that shows up in the list only after 50 s is still found', async () => {
    const stage = new Rehearsal()
    stage.simulator.script(8290, [
      { at: 0, status: 'queued', listed: false },
      { at: 45_000, listed: true },
      ...completesAfter(MINUTE)
        .slice(1)
        .map((step) => ({ ...step, at: step.at + MINUTE })),
    ])
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'after' })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true }])
  })

  test('no run within a minute: unknown, and no second request', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'unknown', attempts: 1 }])
    expect(stage.timesOf('trigger')).toHaveLength(1)
    expect(stage.clock.now()).toBeGreaterThanOrEqual(MINUTE - 500)
    expect(stage.clock.now()).toBeLessThanOrEqual(MINUTE)
  })

  test('the deadline comes first: unknown too', async () => {
    const stage = new Rehearsal({ timeoutMs: 20_000 })
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown' }])
    expect(stage.clock.now()).toBeLessThanOrEqual(20_000)
  })

  test('503 with Retry-After and no run: the one case for a second request', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'respond', status: 503, headers: { 'retry-after': '5' } })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: false }])
    expect(stage.timesOf('trigger')).toHaveLength(2)
    expect(stage.simulator.runsCreated(8290)).toBe(1)
    const twice = new Rehearsal()
    twice.simulator.failNext('trigger', { kind: 'respond', status: 503, headers: { 'retry-after': '5' } }, 5)
    expect((await twice.run()).results).toMatchObject([{ outcome: 'unknown' }])
    expect(twice.timesOf('trigger')).toHaveLength(2)
  })

  describe('with a run that is listed late', () => {
    /** The run exists from the trigger on, and shows in the list after so many seconds. */
    const listedAfter = (stage: Rehearsal, seconds: number) =>
      stage.simulator.script(8290, [
        { at: 0, status: 'working', listed: false },
        { at: seconds * 1000, listed: true },
        { at: 3 * MINUTE, status: 'completed' },
      ])
    const askedToRepeat: Fault = { kind: 'respond-after', status: 503, headers: { 'retry-after': '1' } }
    const oneRun = (stage: Rehearsal) => {
      expect(stage.simulator.runsCreated(8290)).toBe(1)
      expect(stage.timesOf('trigger').length).toBeLessThanOrEqual(2)
    }

    test('one good look long ago does not allow a second request', async () => {
      const stage = new Rehearsal()
      listedAfter(stage, 3)
      stage.simulator.failNext('trigger', askedToRepeat)
      stage.simulator.faults.push((_request, { operation }) =>
        operation === 'list-runs' && stage.clock.now() > 2500 && stage.clock.now() < 2 * MINUTE
          ? { kind: 'respond', status: 500 }
          : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true, attempts: 1 }])
      expect(stage.timesOf('trigger')).toHaveLength(1)
      oneRun(stage)
    })

    test('one good look long ago does not end the search either, where nobody asked for a second request', async () => {
      const stage = new Rehearsal()
      listedAfter(stage, 3)
      stage.simulator.failNext('trigger', { kind: 'respond-after', status: 502 })
      stage.simulator.faults.push((_request, { operation }) =>
        operation === 'list-runs' && stage.clock.now() > 2500 && stage.clock.now() < 2 * MINUTE
          ? { kind: 'respond', status: 500 }
          : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true }])
      oneRun(stage)
    })

    test('a good look at the end allows one, however long the list could not be read before', async () => {
      const stage = new Rehearsal()
      stage.simulator.failNext('trigger', { ...askedToRepeat, kind: 'respond' })
      stage.simulator.faults.push((_request, { operation }) =>
        operation === 'list-runs' && stage.clock.now() > 500 && stage.clock.now() < 90_000
          ? { kind: 'respond', status: 500 }
          : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 2, adopted: false }])
      oneRun(stage)
    })

    test('a second request that has to wait looks again before it leaves', async () => {
      const stage = new Rehearsal()
      listedAfter(stage, 66)
      stage.simulator.failNext('trigger', askedToRepeat)
      stage.simulator.faults.push((_request, { operation, nth }) =>
        operation === 'trigger' && nth === 2
          ? { kind: 'respond', status: 429, headers: { 'retry-after': '20' } }
          : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true }])
      oneRun(stage)
    })

    test('a second request that is refused, on account of the run of the first, does not call the sync failed', async () => {
      const stage = new Rehearsal()
      listedAfter(stage, 70)
      stage.simulator.failNext('trigger', askedToRepeat)
      stage.simulator.faults.push((_request, { operation, nth }) =>
        operation === 'trigger' && nth === 2 ? { kind: 'respond', status: 409 } : undefined,
      )
      expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true, attempts: 2 }])
      oneRun(stage)
    })

    test('nor where its run never shows', async () => {
      const stage = new Rehearsal()
      stage.simulator.failNext('trigger', { ...askedToRepeat, kind: 'respond' })
      stage.simulator.faults.push((_request, { operation, nth }) =>
        operation === 'trigger' && nth === 2 ? { kind: 'respond', status: 422 } : undefined,
      )
      const { results } = await stage.run()
      expect(results).toMatchObject([{ outcome: 'unknown', hint: 'lost-trigger' }])
      expect(results[0]?.reason).toMatch(
        /^the answer to the trigger was lost, and it could not be sent again: the provider refused/,
      )
    })
  })

  test('a scheduled run from right before the data was ready is not taken for the new one', async () => {
    const stage = new Rehearsal()
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() + 20, timeline: completesAfter(MINUTE) })
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'unknown' }])
  })

  test('a run of before the trigger that is listed late is watched, and left to whoever started it', async () => {
    const stage = new Rehearsal({ cancelOn: new Set(['timeout']), timeoutMs: 5 * MINUTE })
    // Built a while ago, so that the run counts.
    const evidenced = { rulings: new Rulings({ projects: [], builtAt: START }, CENSUS), problems: [], badNames: [] }
    stage.dbt = { ...evidenced, builtAt: START - 20 * MINUTE }
    const timeline = [
      { at: 0, status: 'working', listed: false },
      { at: 3 * MINUTE, listed: true },
    ]
    stage.simulator.startRun(8290, { reason: 'api', createdAt: stage.clock.wall() - 2.5 * MINUTE, timeline })
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out', adopted: true }])
    expect(stage.timesOf('cancel-run')).toEqual([])
  })

  test('a run of which nobody tells the cause may be the one, also in the first second', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'respond-after', status: 503, headers: { 'retry-after': '5' } })
    stage.simulator.faults.push((_request, { operation }) => {
      const [run] = stage.simulator.runs(8290)
      if (operation !== 'list-runs' || run === undefined) return undefined
      const data = [{ id: run.id, sync_id: 8290, status: 'working', created_at: new Date(run.createdAt).toISOString() }]
      return { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data }) }
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true, attempts: 1 }])
    expect(stage.simulator.runsCreated(8290)).toBe(1)
  })

  test('an older run that only a longer page shows is not taken for the new one', async () => {
    const stage = new Rehearsal()
    const at = (seconds: number) => stage.clock.wall() + seconds * 1000
    stage.simulator.startRun(8290, { createdAt: at(1), timeline: failsAfter(0) })
    // With the one before it there are as many as a page has, none of which says how the sync fares once another one comes.
    for (let nth = 0; nth < 9; nth += 1)
      stage.simulator.startRun(8290, { reason: 'dry-run', createdAt: at(2), timeline: completesAfter(0) })
    await stage.clock.run(stage.clock.sleep(10_000))
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'before' })
    stage.simulator.startRun(8290, { reason: 'dry-run', createdAt: at(1), timeline: completesAfter(0) })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'unknown' }])
  })

  test('a run that was there before is no answer to a trigger: the new one is looked for', async () => {
    const stage = new Rehearsal()
    const old = stage.simulator.startRun(8290, {
      createdAt: stage.clock.wall() - MINUTE,
      timeline: completesAfter(1000),
    })
    stage.simulator.failNext('trigger', {
      kind: 'respond-after',
      status: 200,
      body: JSON.stringify({ status: 'success', data: { sync_run_id: old } }),
    })
    const { results } = await stage.run()
    expect(results).toMatchObject([{ outcome: 'succeeded', adopted: true }])
    expect(results[0]?.runId).not.toBe(String(old))
    expect(stage.simulator.runsCreated(8290)).toBe(1)
  })

  test('outages of the list itself are outlasted', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'reset', when: 'after' })
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'list-runs' && nth > 1 && nth < 4 ? { kind: 'respond', status: 500 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', adopted: true }])
  })
})

describe('a trigger that has to wait for more than a minute', () => {
  test('is not sent where a run has delivered meanwhile', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '63' } })
    let isFirst = true
    const done = stage.run((event) => {
      if (event.kind !== 'intent' || !isFirst) return
      isFirst = false
      stage.simulator.startRun(8290, { createdAt: stage.clock.wall() + 20_000, timeline: completesAfter(1000) })
    })
    expect((await done).results).toMatchObject([{ outcome: 'fresh', attempts: 0 }])
    expect(stage.timesOf('trigger')).toHaveLength(1)
  })

  test('goes on looking whether somebody else has delivered, ever less often', async () => {
    const stage = new Rehearsal()
    stage.simulator.faults.push((_request, { operation }) =>
      operation === 'trigger' && stage.clock.now() < 30 * MINUTE ? { kind: 'respond', status: 429 } : undefined,
    )
    stage.simulator.startRun(8290, { createdAt: stage.clock.wall() + 2 * MINUTE, timeline: completesAfter(1000) })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'fresh', attempts: 0 }])
    expect(stage.clock.now()).toBeLessThan(8 * MINUTE)
  })

  test('ends at once where the wait that is asked for does not fit in, however late that comes', async () => {
    const stage = new Rehearsal({ timeoutMs: 10 * MINUTE })
    stage.simulator.faults.push((_request, { operation, nth }) => {
      if (operation !== 'trigger') return undefined
      return { kind: 'respond', status: 429, headers: { 'retry-after': nth === 1 ? '58' : '7200' } }
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'not_started', hint: 'throttled' }])
    expect(stage.clock.now()).toBeLessThan(2 * MINUTE)
  })

  test('is sent once nothing has come in its way', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '200' } })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
    expect(stage.simulator.runsCreated(8290)).toBe(1)
  })
})

describe('a refused trigger', () => {
  test.each([400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 301, 307])(
    'HTTP %i: failed, one request',
    async (status) => {
      const stage = new Rehearsal({ retries: 3 })
      stage.simulator.failNext(
        'trigger',
        {
          kind: 'respond',
          status,
          headers: { location: 'https://evil.example/' },
          body: '{"status":"error","message":"No \\"jane\\""}',
        },
        9,
      )
      const { results } = await stage.run()
      expect(results).toMatchObject([{ outcome: 'failed', attempts: 0, message: 'No "jane"' }])
      expect(stage.timesOf('trigger')).toHaveLength(1)
    },
  )

  test('429 is waited out, however long the tolerance for outages is', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 0 })
    stage.simulator.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '120' } })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    const [first = 0, second = 0] = stage.timesOf('trigger')
    expect(second - first).toBeGreaterThanOrEqual(120_000)
  })

  test('429 beyond the deadline ends the sync at once', async () => {
    const stage = new Rehearsal()
    stage.simulator.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '7200' } })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'not_started' }])
    expect(stage.clock.now()).toBeLessThan(MINUTE)
  })
})

describe('choosing the run that a lost trigger may have started', () => {
  const baseline = [run({ id: '10' }), run({ id: '9' })]
  const KNOWN = new Set(baseline.map(({ id }) => id))
  const choose = (history: ReturnType<typeof run>[], full = false, since = START) =>
    chooseNew(history, KNOWN, since, full)?.id
  const chosen = (...above: ReturnType<typeof run>[]) => choose([...above, ...baseline])

  test('nothing new, nothing chosen', () => {
    expect(chosen()).toBeUndefined()
    expect(chosen(run({ id: '11' }))).toBe('11')
  })

  test('one started through the API comes before newer ones that were not', () => {
    expect(chosen(run({ id: '12', byApi: false }), run({ id: '11' }))).toBe('11')
    expect(chosen(run({ id: '12', byApi: false }), run({ id: '11', byApi: false }))).toBe('12')
  })

  test('one that goes on or went to its end comes before one that the provider skipped', () => {
    expect(chosen(run({ id: '12', state: 'skipped' }), run({ id: '11', byApi: false }))).toBe('11')
    expect(chosen(run({ id: '12', state: 'skipped' }))).toBe('12')
  })

  test('no dry run, and no incremental one where a full one was asked for', () => {
    expect(chosen(run({ id: '11', movesData: false }))).toBeUndefined()
    expect(choose([run({ id: '11' }), ...baseline], true)).toBeUndefined()
  })

  test('none that was created before the data was ready, though it is listed only now', () => {
    expect(choose([run({ id: '11', createdAt: START - 1 }), ...baseline])).toBeUndefined()
    expect(choose([run({ id: '11', createdAt: null }), ...baseline])).toBeUndefined()
    expect(choose([run({ id: '11', createdAt: START }), ...baseline])).toBe('11')
  })
})

// What an answer's status can be, at every phase: over real sockets against the committed bundle where that takes seconds, in
// virtual time where it takes minutes.
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { annotations, play, triggersOf } from '../bundle/stage.ts'
import { completesAfter, type Fault, Simulator, worksForever } from '../simulator/index.ts'
import { Rehearsal } from '../support/in-memory.ts'
import { eachItsOwn, eachRunItsOwn, opened, syncs } from './support.ts'

const MINUTE = 60_000
const PAGE = '<!doctype html><html><body>Sign in to the company network</body></html>'

/** Statuses after which nobody can say whether the trigger took effect. */
const UNCLEAR = [408, 425, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 204, 205]

describe.concurrent('a trigger', () => {
  test('http-5xx-trigger-created: whatever failure stands on the answer, the run that it started is found and watched', async () => {
    const simulator = new Simulator({ syncs: syncs(UNCLEAR.length, { timeline: completesAfter(200) }) })
    eachItsOwn(
      simulator,
      'trigger',
      UNCLEAR.map((status): Fault => ({ kind: 'respond-after', status, body: status < 300 ? '' : PAGE })),
    )
    const { step, results } = await play({ simulator })
    expect(step.exitCode).toBe(0)
    for (const result of results) expect(result).toMatchObject({ outcome: 'succeeded', adopted: true, attempts: 1 })
    expect(simulator.syncs().map(({ id }) => simulator.runsCreated(id))).toEqual(UNCLEAR.map(() => 1))
    expect(triggersOf(simulator)).toBe(UNCLEAR.length)
  })

  test('http-5xx-trigger-lost: where no run can be found the outcome is unknown, and there is no second request', async () => {
    const stage = new Rehearsal({}, { syncs: syncs(UNCLEAR.length, {}) })
    eachItsOwn(
      stage.simulator,
      'trigger',
      UNCLEAR.map((status): Fault => ({ kind: 'respond', status, body: '' })),
    )
    const { results } = await stage.run()
    for (const result of results) expect(result).toMatchObject({ outcome: 'unknown', runId: null, attempts: 1 })
    expect(stage.simulator.syncs().map(({ id }) => stage.simulator.runsCreated(id))).toEqual(UNCLEAR.map(() => 0))
    expect(stage.timesOf('trigger')).toHaveLength(UNCLEAR.length)
  })

  test('http-503-trigger-retry-after: a server that asks for it gets one more request, and only one', async () => {
    const again = new Rehearsal()
    again.simulator.failNext('trigger', { kind: 'respond', status: 503, headers: { 'retry-after': '20' } })
    expect((await again.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 2 }])
    const [first = 0, second = 0] = again.timesOf('trigger')
    expect(second - first).toBeGreaterThanOrEqual(20_000)
    expect(again.simulator.runsCreated(8290)).toBe(1)

    const forever = new Rehearsal()
    forever.simulator.failNext('trigger', { kind: 'respond', status: 503, headers: { 'retry-after': '20' } }, 99)
    expect((await forever.run()).results).toMatchObject([{ outcome: 'unknown' }])
    expect(forever.timesOf('trigger')).toHaveLength(2)
  })

  test('http-3xx: a redirect at any phase is not followed, and the other host hears nothing', async () => {
    let heard = 0
    await using elsewhere = await opened(
      createServer((_request, response) => {
        heard += 1
        response.end('{}')
      }),
    )
    const statuses = [300, 301, 302, 303, 307, 308]
    const away = (status: number): Fault => {
      return { kind: 'respond', status, headers: { location: `http://127.0.0.1:${elsewhere.port}/api/v1/x` } }
    }
    const simulator = new Simulator({ syncs: syncs(2 * statuses.length, { timeline: completesAfter(200) }) })
    eachItsOwn(simulator, 'trigger', statuses.map(away))
    eachRunItsOwn(simulator, [...statuses, ...statuses].map(away))
    const { step, results } = await play({ simulator })
    const refused = results.slice(0, statuses.length)
    for (const { outcome, reason } of refused) {
      expect(outcome).toBe('failed')
      expect(reason).toContain('a redirect, which is not followed because it would take the token along')
      expect(reason).not.toContain(String(elsewhere.port))
    }
    // A redirect in place of a look at the run says nothing about the run.
    expect(results.slice(statuses.length).map(({ outcome }) => outcome)).toEqual(statuses.map(() => 'succeeded'))
    expect(step.log).not.toContain(String(elsewhere.port))
    expect(heard).toBe(0)
  })

  test('http-403-page: the page of a company proxy is called that, and its text is not shown', async () => {
    const { results, step } = await play({
      simulator: { syncs: [{ id: 8290 }] },
      prepare: (sim) => sim.failNext('trigger', { kind: 'respond', status: 403, body: PAGE }),
    })
    expect(results).toMatchObject([{ outcome: 'failed' }])
    expect(results[0]?.reason).toContain('a proxy or firewall may be in between')
    expect(step.log).not.toContain('Sign in')
  })
})

describe.concurrent('a look at a run', () => {
  /** Answers that say nothing about the run: each is met once, and forgotten with the next look. */
  const BLIPS: [string, Fault][] = [
    ...[201, 202, 204, 205, 206, 304, 400, 401, 402, 403, 404, 408, 409, 410, 418, 422, 425].map(
      (status): [string, Fault] => [`HTTP ${status}`, { kind: 'respond', status }],
    ),
    ...[500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 599].map((status): [string, Fault] => [
      `HTTP ${status} with a page`,
      { kind: 'respond', status, body: PAGE },
    ]),
  ]

  test('http-blip-poll: one answer of any other status changes nothing about a run that goes well', async () => {
    const simulator = new Simulator({ syncs: syncs(BLIPS.length, { timeline: completesAfter(200) }) })
    eachRunItsOwn(
      simulator,
      BLIPS.map(([, fault]) => fault),
    )
    const { step, results } = await play({ simulator })
    const ends = results.map(({ outcome }, index) => `${BLIPS[index]?.[0]}: ${outcome}`)
    expect(ends).toEqual(BLIPS.map(([name]) => `${name}: succeeded`))
    expect(step.exitCode).toBe(0)
    expect(annotations(step, 'error')).toEqual([])
  })

  test('http-404-new-run: a run that cannot be seen right after its trigger is waited for', async () => {
    const { results, step } = await play({
      simulator: { syncs: [{ id: 8290, timeline: completesAfter(100) }] },
      prepare: (sim) => sim.failNext('read-run', { kind: 'respond', status: 404 }, 2),
    })
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1, polls: 3 }])
    expect(step.log).not.toContain('cannot be read')
  })

  test('http-5xx-poll-hours: three failures in ten looks for hours change neither the outcome nor when it is known', async () => {
    const fourHours = 240 * MINUTE
    const stage = new Rehearsal({ timeoutMs: 300 * MINUTE })
    stage.simulator.script(8290, completesAfter(fourHours))
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'read-run' && [1, 4, 7].includes(nth % 10) ? { kind: 'respond', status: 502 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    expect(stage.clock.now() - fourHours).toBeLessThan(MINUTE)
  })

  test('http-outage-10m: ten minutes without the host cost at most forty requests, however many syncs there are', async () => {
    const stage = new Rehearsal({}, { syncs: syncs(50, { timeline: completesAfter(25 * MINUTE) }) })
    const isOut = () => stage.clock.now() >= 5 * MINUTE && stage.clock.now() < 15 * MINUTE
    stage.simulator.faults.push(() => (isOut() ? { kind: 'respond', status: 503 } : undefined))
    const { conclusion } = await stage.run()
    const start = stage.clock.wall() - stage.clock.now()
    const during = stage.simulator.requests.filter(
      ({ at }) => at - start >= 5 * MINUTE && at - start < 15 * MINUTE,
    ).length
    expect(conclusion).toBe('success')
    expect(during).toBeLessThanOrEqual(40)
  })

  test('http-outage-16m: an outage that outlasts the tolerance ends in unknown, and no run is cancelled', async () => {
    const stage = new Rehearsal(
      { cancelOn: new Set(['cancel', 'timeout']) },
      { syncs: syncs(20, { timeline: worksForever() }) },
    )
    stage.simulator.faults.push(() =>
      stage.clock.now() >= 5 * MINUTE && stage.clock.now() < 22 * MINUTE
        ? { kind: 'reset', when: 'before' }
        : undefined,
    )
    const { results, conclusion } = await stage.run()
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['unknown']))
    expect(conclusion).toBe('failure')
    expect(stage.timesOf('cancel-run')).toEqual([])
    expect(stage.clock.now()).toBeLessThan(22 * MINUTE)
  })
})

describe.concurrent('a server that throttles', () => {
  test('http-429-seconds: nothing is sent before the time is over, at a trigger nor at a look', async () => {
    const { simulator, results } = await play({
      simulator: { syncs: [{ id: 8290, timeline: completesAfter(100) }] },
      prepare: (sim) => {
        for (const operation of ['trigger', 'read-run'] as const)
          sim.failNext(operation, { kind: 'respond', status: 429, headers: { 'retry-after': '2' } })
      },
    })
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
    expect(simulator.runsCreated(8290)).toBe(1)
    const refusals = simulator.requests.flatMap(({ status }, index) => (status === 429 ? [index] : []))
    expect(refusals).toHaveLength(2)
    for (const index of refusals) {
      const [refused, next] = simulator.requests.slice(index)
      // Two clocks: that of the wall counts whole milliseconds.
      expect((next?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1990)
    }
  })

  test('http-429-everybody: one refusal holds back the requests of all syncs', async () => {
    const stage = new Rehearsal({}, { syncs: syncs(10, { timeline: completesAfter(2 * MINUTE) }) })
    let refusedAt = 0
    stage.simulator.faults.push((_request, { operation }) => {
      if (operation !== 'read-run' || refusedAt > 0 || stage.clock.now() < MINUTE) return undefined
      refusedAt = stage.clock.wall()
      return { kind: 'respond', status: 429, headers: { 'retry-after': '30' } }
    })
    expect((await stage.run()).conclusion).toBe('success')
    const early = stage.simulator.requests.filter(({ at }) => at > refusedAt && at < refusedAt + 30_000)
    expect(early).toEqual([])
  })

  test.each([
    ['http-429-none', undefined],
    ['http-429-malformed', 'soon'],
    ['http-429-malformed', '-5'],
    ['http-429-malformed', '1e9'],
    ['http-429-malformed', ''],
  ])('%s: without a wait that makes sense (%j) the pause grows by itself, and no sync fails', async (_row, value) => {
    const stage = new Rehearsal({}, { syncs: syncs(5, { timeline: completesAfter(MINUTE) }) })
    const headers = value === undefined ? {} : { 'retry-after': value }
    stage.simulator.failNext('trigger', { kind: 'respond', status: 429, headers }, 3)
    stage.simulator.failNext('read-run', { kind: 'respond', status: 429, headers }, 5)
    const { results } = await stage.run()
    for (const result of results) expect(result).toMatchObject({ outcome: 'succeeded', attempts: 1 })
    expect(stage.simulator.requests.length).toBeLessThan(150)
  })

  test.each(['99999999999', '9'.repeat(400)])(
    'http-429-absurd: a wait of %s seconds ends with the deadline, without a flood of requests',
    async (seconds) => {
      const stage = new Rehearsal({ timeoutMs: 20 * MINUTE })
      stage.simulator.script(8290, worksForever())
      stage.simulator.failNext('read-run', { kind: 'respond', status: 429, headers: { 'retry-after': seconds } })
      expect((await stage.run()).results).toMatchObject([{ outcome: 'timed_out' }])
      expect(stage.clock.now()).toBe(20 * MINUTE)
      expect(stage.timesOf('read-run')).toHaveLength(1)
    },
  )

  test.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ])(
    'http-429-date: a time of day in each of its three forms is held against the server’s clock, %s',
    async (_name, skew) => {
      const simulator = new Simulator({
        syncs: [{ id: 8290, timeline: completesAfter(100) }],
        clockSkewMs: skew,
      })
      simulator.faults.push((_request, { operation, nth }) => {
        if (operation !== 'read-run' || nth > 3) return undefined
        const at = new Date(Date.now() + skew + 2000)
        const [day = '', date = '', month = '', year = '', time = ''] = at.toUTCString().split(/,? /)
        const long = { Mon: 'Mon', Tue: 'Tues', Wed: 'Wednes', Thu: 'Thurs', Fri: 'Fri', Sat: 'Satur', Sun: 'Sun' }
        const forms = [
          at.toUTCString(),
          `${Object.entries(long).find(([short]) => short === day)?.[1]}day, ${date}-${month}-${year.slice(2)} ${time} GMT`,
          `${day} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`,
        ]
        return { kind: 'respond', status: 429, headers: { 'retry-after': forms[nth - 1] } }
      })
      const { results } = await play({ simulator, with: { 'timeout-minutes': '2' } })
      expect(results).toMatchObject([{ outcome: 'succeeded' }])
      const looks = simulator.requests.filter(({ operation }) => operation === 'read-run')
      const waits = looks.slice(1, 4).map(({ at }, index) => at - (looks[index]?.at ?? 0))
      // A date knows whole seconds, so two seconds may be only a little more than one.
      for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(990)
    },
  )

  test('http-429-hour-trigger: a wait beyond the deadline ends the sync at once, one before it is waited out', async () => {
    const refused = { kind: 'respond', status: 429, headers: { 'retry-after': '3600' } } as const
    const short = new Rehearsal({ timeoutMs: 30 * MINUTE })
    short.simulator.failNext('trigger', refused)
    expect((await short.run()).results).toMatchObject([{ outcome: 'not_started', attempts: 0 }])
    expect(short.clock.now()).toBeLessThan(MINUTE)
    const long = new Rehearsal({ timeoutMs: 90 * MINUTE })
    long.simulator.failNext('trigger', refused)
    expect((await long.run()).results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
    expect(long.timesOf('trigger')[1]).toBeGreaterThanOrEqual(60 * MINUTE)
  })

  test('http-429-hour-poll: an hour that is asked for is no outage', async () => {
    const stage = new Rehearsal({ timeoutMs: 120 * MINUTE })
    stage.simulator.script(8290, completesAfter(10 * MINUTE))
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'read-run' && nth === 3
        ? { kind: 'respond', status: 429, headers: { 'retry-after': '3600' } }
        : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    expect(stage.pauses).toEqual([60 * MINUTE])
  })

  test('http-429-in-outage: the wait that a 429 asks for is no part of a row of failures', async () => {
    const stage = new Rehearsal({ outageToleranceMs: 60_000 })
    stage.simulator.script(8290, completesAfter(30_000))
    stage.simulator.faults.push((_request, { operation, nth }): Fault | undefined => {
      if (operation !== 'read-run') return undefined
      if (nth === 3) return { kind: 'respond', status: 429, headers: { 'retry-after': '300' } }
      return nth === 2 || nth === 4 ? { kind: 'respond', status: 502 } : undefined
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
    expect(stage.clock.now()).toBeGreaterThan(300_000)
  })

  test('http-429-no-outage: one failed look after a long wait that was asked for is tolerated like any other', async () => {
    const stage = new Rehearsal({ timeoutMs: 120 * MINUTE })
    stage.simulator.script(8290, completesAfter(40 * MINUTE))
    stage.simulator.faults.push((_request, { operation, nth }) => {
      if (operation !== 'read-run') return undefined
      if (nth === 3) return { kind: 'respond', status: 429, headers: { 'retry-after': '1200' } }
      return nth === 4 ? { kind: 'respond', status: 500 } : undefined
    })
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
  })

  test('http-rare-looks: one failed look is tolerated, also where looks are rarer than the tolerance is long', async () => {
    const stage = new Rehearsal({ timeoutMs: 120 * MINUTE, pollIntervalMs: 20 * MINUTE })
    stage.simulator.script(8290, completesAfter(40 * MINUTE))
    stage.simulator.faults.push((_request, { operation, nth }) =>
      operation === 'read-run' && nth === 2 ? { kind: 'respond', status: 500 } : undefined,
    )
    expect((await stage.run()).results).toMatchObject([{ outcome: 'succeeded' }])
  })

  /** Lets through so many requests a second. Returns how many came in each. */
  const allow = (rate: number, stage: Rehearsal): Map<number, number> => {
    const asked = new Map<number, number>()
    stage.simulator.faults.push(() => {
      const second = Math.floor(stage.clock.now() / 1000)
      const count = (asked.get(second) ?? 0) + 1
      asked.set(second, count)
      return count > rate ? { kind: 'respond', status: 429, headers: { 'retry-after': '1' } } : undefined
    })
    return asked
  }

  test('http-429-storm: a thousand syncs settle at the rate that the server allows, and none fails', async () => {
    const rate = 20
    const stage = new Rehearsal({}, { syncs: syncs(1000, { timeline: completesAfter(3 * MINUTE) }) })
    const asked = allow(rate, stage)
    const { results } = await stage.run()
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded']))
    const settled = [...asked].filter(([second]) => second >= 5).map(([, count]) => count)
    expect(settled.length).toBeGreaterThan(60)
    expect(Math.max(...settled)).toBeLessThanOrEqual(1.1 * rate)
  })

  test('http-429-queue: where a trigger waits longer for its turn than what was read is new, each gets its turn', async () => {
    const stage = new Rehearsal({ mode: 'trigger' }, { syncs: syncs(600, {}) })
    allow(5, stage)
    const { results } = await stage.run()
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['triggered']))
    expect(stage.simulator.requests.length).toBeLessThan(7 * 600)
  })
})

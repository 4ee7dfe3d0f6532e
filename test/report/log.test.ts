import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../../src/core/events.ts'
import { COLORS } from '../../src/core/judge.ts'
import { ProviderError, type Run } from '../../src/core/provider.ts'
import type { Ruling } from '../../src/core/ruling.ts'
import type { Forecast } from '../../src/core/schedule.ts'
import { createLog, endingsOf, type Line, resultLine } from '../../src/report/log.ts'
import { durationOf } from '../../src/report/wording.ts'
import { parseCommand } from '../runner/commands.ts'
import { result, run, START, sync } from '../support/builders.ts'
import { lacedWith } from '../support/hostile.ts'

const MINUTE = 60_000
const ALL = [
  'succeeded',
  'warned',
  'fresh',
  'triggered',
  'planned',
  'skipped',
  'blocked',
  'failed',
  'cancelled',
  'timed_out',
  'unknown',
  'not_started',
] as const
const UNCOUNTED = { processed: null, succeeded: null, failed: null, invalid: null }

/** A log whose clock stands where the test puts it, in milliseconds since the log began. */
function record({ details = false, watches = true } = {}) {
  const began = 5_000_000
  let time = began
  const lines: Line[] = []
  const log = createLog({ details, watches, now: () => time, write: (line) => lines.push(line) })
  const at = (ms: number) => {
    time = began + ms
    return log
  }
  return { at, lines, texts: () => lines.map(({ text }) => text) }
}

/** What the log writes about these events, seven seconds after it began. */
function told(events: readonly Event[], options: { details?: boolean; watches?: boolean } = {}): string {
  const { at, lines } = record(options)
  for (const event of events) at(7000).on(event)
  return lines.map(({ level, text }) => (level === 'info' ? text : `${level}: ${text}`)).join('\n')
}

function running(overrides: Partial<Run> = {}): Run {
  return run({ state: 'running', status: 'working', finishedAt: null, counts: UNCOUNTED, ...overrides })
}

describe('the plan', () => {
  const ruling = (overrides: Partial<Ruling>): Ruling => ({
    gate: 'open',
    reason: 'dbt built shop.customers',
    models: ['model.shop.customers', 'model.shop.segments.v2'],
    source: 'as the config file says',
    notes: [],
    ...overrides,
  })
  const trigger = { do: 'trigger', reason: null } as const

  test('says which models feed a sync, how that is known, and what dbt did', () => {
    const blocked = { do: 'settle', verdict: { outcome: 'blocked', reason: 'test x failed' }, run: null } as const
    expect(
      told([
        { kind: 'planned', ruling: ruling({}), sync: sync(), step: trigger },
        { kind: 'planned', ruling: ruling({ gate: 'closed', reason: 'test x failed' }), sync: sync(), step: blocked },
        {
          kind: 'planned',
          ruling: ruling({ models: null, source: 'nothing says which models feed it, so all of them count' }),
          sync: sync(),
          step: { do: 'trigger', reason: 'dbt did not build it, but the sync has never run' },
        },
      ]),
    ).toMatchInlineSnapshot(`
      "8290 Customers for re-engagement → Iterable · user: trigger
          fed by customers, segments.v2, as the config file says; dbt built shop.customers
      8290 Customers for re-engagement → Iterable · user: blocked, test x failed
          fed by customers, segments.v2, as the config file says
      8290 Customers for re-engagement → Iterable · user: trigger, dbt did not build it, but the sync has never run
          nothing says which models feed it, so all of them count; dbt built shop.customers"
    `)
  })

  test('keeps names of models from being commands', () => {
    const hostile = ruling({ models: ['model.shop.\n::error::x', '##[group]y'], source: '\r::add-mask::z' })
    const text = told([{ kind: 'planned', ruling: hostile, sync: sync(), step: trigger }])
    expect(text.split(/[\r\n]/).filter((line) => /^\s*::|##\[/.test(line))).toEqual([])
  })

  test('says of each sync what is going to happen', () => {
    const older = running({ id: '500' })
    expect(
      told([
        { kind: 'planned', ruling: null, sync: sync(), step: { do: 'trigger', reason: null } },
        { kind: 'planned', ruling: null, sync: sync({ destination: null }), step: { do: 'trigger', reason: null } },
        {
          kind: 'planned',
          ruling: null,
          sync: sync(),
          step: { do: 'queue', run: older, reason: 'run 500 is still working, and it may have read the data early' },
        },
        {
          kind: 'planned',
          ruling: null,
          sync: sync(),
          step: { do: 'adopt', run: older, reason: 'run 500 was created late enough' },
        },
        {
          kind: 'planned',
          ruling: null,
          sync: sync({ paused: true }),
          step: {
            do: 'settle',
            verdict: { outcome: 'skipped', reason: 'the sync is paused (on-paused: skip)' },
            run: null,
          },
        },
        {
          kind: 'refused',
          result: result({
            sync: sync({ name: '8290', destination: null }),
            outcome: 'failed',
            reason: 'the sync could not be read: there is no such sync',
            runId: null,
            run: null,
          }),
        },
      ]),
    ).toMatchInlineSnapshot(`
      "8290 Customers for re-engagement → Iterable · user: trigger
      8290 Customers for re-engagement: trigger
      8290 Customers for re-engagement → Iterable · user: wait, then trigger: run 500 is still working, and it may have read the data early
      8290 Customers for re-engagement → Iterable · user: watch run 500: run 500 was created late enough
      8290 Customers for re-engagement → Iterable · user: skipped, the sync is paused (on-paused: skip)
      sync 8290: failed, the sync could not be read: there is no such sync"
    `)
  })
})

describe('the life of a sync', () => {
  test('is told line by line', () => {
    expect(
      told([
        { kind: 'intent', sync: sync(), baseline: '500', since: 0, full: false },
        {
          kind: 'triggered',
          sync: sync(),
          runId: '501',
          adopted: false,
          cancellable: true,
          reason: 'triggered',
          expected: null,
        },
        {
          kind: 'triggered',
          sync: sync(),
          runId: '502',
          adopted: true,
          cancellable: false,
          reason: 'the answer to the trigger was lost, and this new run was found',
          expected: null,
        },
        { kind: 'waiting', sync: sync(), run: running({ id: '500' }), reason: 'run 500 is still working' },
        { kind: 'changed', sync: sync(), run: running({ id: '500' }) },
        { kind: 'changed', sync: sync(), run: running({ state: 'queued', status: 'queued' }) },
        { kind: 'changed', sync: sync(), run: running({ step: 'Unloading' }) },
        {
          kind: 'changed',
          sync: sync(),
          run: running({ counts: { processed: 1500, succeeded: 1400, failed: 0, invalid: 3 } }),
        },
        { kind: 'changed', sync: sync(), run: run({ step: 'Loading' }) },
        { kind: 'unreadable', sync: sync(), error: new ProviderError('unavailable', 'HTTP 503') },
        { kind: 'readable', sync: sync(), afterMs: 95_000 },
        {
          kind: 'again',
          sync: sync(),
          verdict: { outcome: 'failed', reason: 'the provider says', message: 'value "jim" is wrong' },
          retry: { nth: 1, of: 2 },
        },
        { kind: 'cancelling', sync: sync(), runId: '501' },
        { kind: 'cancelled', sync: sync(), runId: '501' },
        { kind: 'settled', result: result() },
      ]),
    ).toMatchInlineSnapshot(`
      "[0:07] 8290 Customers for re-engagement: triggered run 501
      [0:07] 8290 Customers for re-engagement: watching run 502: the answer to the trigger was lost, and this new run was found
      [0:07] 8290 Customers for re-engagement: waiting: run 500 is still working
      [0:07] 8290 Customers for re-engagement: run 500, which is waited for: working
      [0:07] 8290 Customers for re-engagement: queued
      [0:07] 8290 Customers for re-engagement: working · Unloading
      [0:07] 8290 Customers for re-engagement: working · 1,400 accepted, 3 invalid
      [0:07] 8290 Customers for re-engagement: completed · 50 accepted
      [0:07] 8290 Customers for re-engagement: its run cannot be read for now: HTTP 503
      [0:07] 8290 Customers for re-engagement: its run can be read again, after 1 min 35 s
      [0:07] 8290 Customers for re-engagement: again, because the provider says: value "…" is wrong; retry 1 of 2
      [0:07] 8290 Customers for re-engagement: telling the provider to cancel run 501
      [0:07] 8290 Customers for re-engagement: ✅ succeeded (50 accepted; took 42 s) https://app.getcensus.com/syncs/8290/sync-history"
    `)
  })

  test('has a line of its own for the end, whatever the outcome', () => {
    const events: Event[] = [
      { kind: 'settled', result: result() },
      { kind: 'settled', result: result({ reason: 'completed; the provider gave no record counts', run: null }) },
      {
        kind: 'settled',
        result: result({
          outcome: 'warned',
          reason: '2 records rejected by the destination',
          run: run({ counts: { processed: 50, succeeded: 48, failed: 2, invalid: 1 } }),
        }),
      },
      { kind: 'settled', result: result({ outcome: 'fresh', reason: 'run 501 already delivered the fresh data' }) },
      { kind: 'settled', result: result({ outcome: 'triggered', reason: 'triggered', run: null }) },
      { kind: 'settled', result: result({ outcome: 'planned', reason: 'would trigger', runId: null, run: null }) },
      {
        kind: 'settled',
        result: result({ outcome: 'skipped', reason: 'the sync is paused', runId: null, run: null }),
      },
      {
        kind: 'settled',
        result: result({ outcome: 'blocked', reason: 'a model of it has failed', runId: null, run: null }),
      },
      {
        kind: 'settled',
        result: result({
          outcome: 'failed',
          reason: 'the provider says',
          message: 'the destination is gone',
          run: run({ state: 'failed', status: 'failed' }),
        }),
      },
      {
        kind: 'settled',
        result: result({ outcome: 'cancelled', reason: 'the workflow was cancelled', run: running() }),
      },
      { kind: 'settled', result: result({ outcome: 'timed_out', reason: 'not ended in time', run: running() }) },
      { kind: 'settled', result: result({ outcome: 'unknown', reason: 'the run could not be read any more' }) },
      {
        kind: 'settled',
        result: result({ outcome: 'not_started', reason: 'the deadline came first', runId: null, run: null }),
      },
    ]
    expect(told(events)).toMatchInlineSnapshot(`
      "[0:07] 8290 Customers for re-engagement: ✅ succeeded (50 accepted; took 42 s) https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ✅ succeeded: completed; the provider gave no record counts https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ⚠️ succeeded with warnings: 2 records rejected by the destination (48 accepted, 2 rejected, 1 invalid; took 42 s) https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ✅ already fresh: run 501 already delivered the fresh data (50 accepted; took 42 s) https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ✅ triggered https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: 📝 planned: would trigger
      [0:07] 8290 Customers for re-engagement: ⏭️ skipped: the sync is paused
      [0:07] 8290 Customers for re-engagement: ⛔ blocked: a model of it has failed https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ❌ failed: the provider says: the destination is gone (took 42 s) https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: 🛑 cancelled: the workflow was cancelled https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ⌛ timed out: not ended in time https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ❓ unknown: the run could not be read any more (took 42 s) https://app.getcensus.com/syncs/8290/sync-history
      [0:07] 8290 Customers for re-engagement: ⏹️ not started: the deadline came first https://app.getcensus.com/syncs/8290/sync-history"
    `)
  })

  test('ends with the page of the sync wherever there is a run or something is wrong', () => {
    for (const outcome of ALL) {
      const { url } = result()
      const bare = resultLine(result({ outcome, runId: null, run: null }), false)
      expect([outcome, bare.endsWith(url)]).toEqual([outcome, COLORS[outcome] === 'red'])
      expect(resultLine(result({ outcome, run: null }), false).endsWith(url)).toBe(true)
    }
  })

  test('shows neither the step of a run that has ended nor counts that nobody gave', () => {
    const ended = run({ step: 'Loading', state: 'failed', status: 'failed', counts: UNCOUNTED })
    expect(told([{ kind: 'changed', sync: sync(), run: ended }])).toBe(
      '[0:07] 8290 Customers for re-engagement: failed',
    )
  })
})

describe('a run of somebody else', () => {
  test('that is waited for is told as that, and not as the sync itself', () => {
    const { at, texts } = record()
    at(0).on({ kind: 'waiting', sync: sync(), run: running({ id: '500' }), reason: 'run 500 is still working' })
    at(1000).on({ kind: 'changed', sync: sync(), run: run({ id: '500', state: 'failed', status: 'failed' }) })
    at(2000).heartbeat()
    at(61_000).heartbeat()
    expect(texts().map((text) => text.replace(/^.*engagement: /, ''))).toEqual([
      'waiting: run 500 is still working',
      'run 500, which is waited for: failed · 50 accepted',
      'still waiting: run 500 is still working, 1 min 01 s so far',
    ])
  })

  test('is not said to be watched where nothing is', () => {
    const joined = [
      { kind: 'triggered', sync: sync(), runId: '500', adopted: true, cancellable: false, reason: 'x', expected: null },
    ] as const
    expect(told(joined)).toContain(': watching run 500: x')
    expect(told(joined, { watches: false })).toContain(': nothing to trigger, there is run 500: x')
  })
})

describe('the time a run took', () => {
  test.each([
    [run(), 42_000],
    [run({ finishedAt: START }), 0],
    [run({ createdAt: null }), null],
    [run({ finishedAt: null }), null],
    [running({ finishedAt: START + 52_000 }), null],
    [running({ state: 'unrecognized', finishedAt: START + 52_000 }), null],
  ])('case %#: is known only of a run with a beginning and an end', (some, ms) => {
    expect(durationOf(some)).toBe(ms)
  })
})

describe('a status word that nobody knows', () => {
  const strange = (status: string, id = '8290'): Event => ({
    kind: 'changed',
    sync: sync({ id }),
    run: running({ state: 'unrecognized', status }),
  })

  test('is warned of once in the whole step, and each such word once', () => {
    const { at, lines } = record()
    for (const id of ['1', '2', '3']) at(0).on(strange('hibernating', id))
    at(0).on(strange('dreaming'))
    at(0).on(strange('hibernating'))
    expect(lines.filter(({ level }) => level === 'warning').map(({ text }) => text)).toEqual([
      '[0:00] the status "hibernating" is not known to this version: it counts neither as an end nor as success',
      '[0:00] the status "dreaming" is not known to this version: it counts neither as an end nor as success',
    ])
    expect(lines.filter(({ level }) => level === 'info')).toHaveLength(5)
  })

  test('is cut where it is no word', () => {
    const { at, lines } = record()
    at(0).on(strange('z'.repeat(5000)))
    for (const { text } of lines) expect(text.length).toBeLessThan(250)
    expect(lines).toHaveLength(2)
  })
})

test('a wait that the provider asks for is told with its length', () => {
  const lines: string[] = []
  createLog({ details: false, watches: true, now: () => 0, write: ({ text }) => lines.push(text) }).pause(10 * MINUTE)
  expect(lines).toEqual(['[0:00] the provider asks for a wait of 10 min: until then nothing is sent to it'])
})

test('an outage is a warning, and says why', () => {
  const lines: Line[] = []
  createLog({ details: false, watches: true, now: () => 0, write: (line) => lines.push(line) }).outage(
    'the connection broke (reset)',
  )
  const text = '[0:00] the connection broke (reset): the provider is asked again, less and less often'
  expect(lines).toEqual([{ level: 'warning', text }])
})

describe('the heartbeat', () => {
  const start = (id: string, expected: Forecast | null = null): Event => ({
    kind: 'triggered',
    sync: sync({ id, name: id }),
    runId: `5${id}`,
    adopted: false,
    cancellable: true,
    reason: 'triggered',
    expected,
  })

  test('tells how long a run usually takes, how much of it is left, and that it takes unusually long', () => {
    const { at, texts } = record()
    const working = (): Event => ({ kind: 'changed', sync: sync({ id: '1', name: '1' }), run: running({ step: null }) })
    at(0).on(start('1', { usualMs: 4 * MINUTE, longMs: 6 * MINUTE, shape: 7 }))
    at(1000).on(working())
    for (const minutes of [2, 4.5, 7]) at(minutes * MINUTE).heartbeat()
    expect(texts()).toEqual([
      '[0:00] sync 1: triggered run 51, which usually takes 4 min',
      '[0:01] sync 1: working',
      '[2:00] sync 1: still working, 2 min 00 s so far, about 2 min left',
      '[4:30] sync 1: still working, 4 min 30 s so far, about to end',
      '[7:00] sync 1: still working, 7 min 00 s so far, unusually long: it usually takes 4 min',
    ])
  })

  test('does not say how much is left of a run whose beginning it has not seen', () => {
    const { at, texts } = record()
    const expected = { usualMs: 4 * MINUTE, longMs: 6 * MINUTE, shape: 7 }
    at(0).on({
      kind: 'triggered',
      sync: sync({ id: '1', name: '1' }),
      runId: '51',
      adopted: true,
      cancellable: false,
      reason: 'it goes on',
      expected,
    })
    at(MINUTE).heartbeat()
    expect(texts().join()).not.toMatch(/left|usually/)
  })

  test('tells of a sync only after a minute of its silence, and then minute by minute', () => {
    const { at, lines, texts } = record()
    at(0).on(start('1'))
    at(MINUTE - 1).heartbeat()
    expect(lines).toHaveLength(1)
    at(MINUTE).heartbeat()
    at(MINUTE + 10_000).heartbeat()
    at(2 * MINUTE - 1).heartbeat()
    at(2 * MINUTE).heartbeat()
    expect(texts().slice(1)).toEqual([
      '[1:00] sync 1: still triggered run 51, 1 min 00 s so far',
      '[2:00] sync 1: still triggered run 51, 2 min 00 s so far',
    ])
  })

  test('starts again with every change, and tells the time since the first', () => {
    const { at, lines, texts } = record()
    at(0).on(start('1'))
    at(59_000).on({ kind: 'changed', sync: sync({ id: '1', name: '1' }), run: running({ step: 'Loading' }) })
    at(118_000).heartbeat()
    expect(lines).toHaveLength(2)
    at(119_000).heartbeat()
    expect(texts().slice(2)).toEqual(['[1:59] sync 1: still working · Loading, 1 min 59 s so far'])
  })

  test('tells only of syncs that are still open', () => {
    const { at, texts } = record()
    for (const id of ['1', '2', '3']) at(0).on(start(id))
    at(1000).on({ kind: 'settled', result: result({ sync: sync({ id: '2', name: '2' }) }) })
    at(2000).on({
      kind: 'planned',
      ruling: null,
      sync: sync({ id: '4', name: '4' }),
      step: { do: 'trigger', reason: 'none is active' },
    })
    const before = texts().length
    at(10 * MINUTE).heartbeat()
    expect(
      texts()
        .slice(before)
        .map((text) => text.replace(/: still.*/, '')),
    ).toEqual(['[10:00] sync 1', '[10:00] sync 3'])
  })

  test('tells of a sync that waits', () => {
    const { at, texts } = record()
    at(0).on({ kind: 'waiting', sync: sync(), run: running(), reason: 'run 500 is still working' })
    at(90_000).heartbeat()
    expect(texts().at(-1)).toBe(
      '[1:30] 8290 Customers for re-engagement: still waiting: run 500 is still working, 1 min 30 s so far',
    )
  })

  test('tells of a retry that waits for its place, and not since when the run before it went on', () => {
    const { at, texts } = record()
    at(0).on(start('1'))
    at(MINUTE).on({
      kind: 'again',
      sync: sync({ id: '1', name: '1' }),
      verdict: { outcome: 'failed', reason: 'the run failed' },
      retry: { nth: 1, of: 2 },
    })
    at(2 * MINUTE).heartbeat()
    expect(texts().slice(1)).toEqual([
      '[1:00] sync 1: again, because the run failed; retry 1 of 2',
      '[2:00] sync 1: still waiting to be triggered again, 1 min 00 s so far',
    ])
  })

  test('says nothing where nothing has begun', () => {
    const { at, lines } = record()
    at(10 * MINUTE).heartbeat()
    expect(lines).toEqual([])
  })
})

describe('what providers say', () => {
  const message = 'value "jane" of jane.doe@example.com, phone 555 010 4477'
  const events: Event[] = [
    { kind: 'unreadable', sync: sync(), error: new ProviderError('unavailable', 'HTTP 500', { detail: message }) },
    {
      kind: 'settled',
      result: result({ outcome: 'failed', reason: 'the provider says', message, detail: 'row 7: "jane"' }),
    },
    {
      kind: 'refused',
      result: result({ outcome: 'failed', reason: 'the sync could not be read', message, detail: 'row 7: "jane"' }),
    },
  ]

  test('is redacted', () => {
    expect(told(events)).toMatchInlineSnapshot(`
      "[0:07] 8290 Customers for re-engagement: its run cannot be read for now: HTTP 500: value "…" of … phone …
      [0:07] 8290 Customers for re-engagement: ❌ failed: the provider says: value "…" of … phone … (took 42 s) https://app.getcensus.com/syncs/8290/sync-history
      8290 Customers for re-engagement: failed, the sync could not be read: value "…" of … phone …"
    `)
    expect(told(events)).not.toMatch(/jane|4477|row 7/)
  })

  test('is shown as it came where details are asked for', () => {
    for (const line of told(events, { details: true }).split('\n')) expect(line).toContain(message)
    expect(told(events, { details: true }).match(/row 7: "jane"/g)).toHaveLength(2)
  })
})

describe('names and words from outside', () => {
  const pieces = [
    '::',
    '##[',
    ']',
    ':',
    '#',
    '[',
    'error',
    '::stop-commands::x',
    '\r',
    '\n',
    '\u2028',
    '\u0085',
    '%0A',
    ' ',
  ]
  const hostile = lacedWith(pieces)

  test('are no command to the runner in any line of the log', () => {
    fc.assert(
      fc.property(hostile, hostile, fc.boolean(), (name, word, details) => {
        const { at, lines, texts } = record({ details })
        const bad = sync({ name, destination: word })
        const some = running({ state: 'unrecognized', status: word, step: name })
        const events: Event[] = [
          { kind: 'planned', ruling: null, sync: bad, step: { do: 'queue', run: some, reason: word } },
          { kind: 'planned', ruling: null, sync: bad, step: { do: 'adopt', run: some, reason: word } },
          {
            kind: 'planned',
            ruling: null,
            sync: bad,
            step: { do: 'settle', verdict: { outcome: 'failed', reason: word }, run: null },
          },
          {
            kind: 'triggered',
            sync: bad,
            runId: '501',
            adopted: true,
            cancellable: true,
            reason: word,
            expected: null,
          },
          { kind: 'waiting', sync: bad, run: some, reason: word },
          { kind: 'changed', sync: bad, run: some },
          { kind: 'unreadable', sync: bad, error: new ProviderError('unavailable', word, { detail: name }) },
          { kind: 'readable', sync: bad, afterMs: 5 },
          { kind: 'again', sync: bad, verdict: { outcome: 'failed', reason: word, message: word }, retry: null },
          { kind: 'cancelling', sync: bad, runId: '501' },
        ]
        for (const event of events) at(0).on(event)
        at(MINUTE).heartbeat()
        const end = result({ sync: bad, outcome: 'failed', reason: word, message: name, detail: word })
        at(MINUTE).on({ kind: 'settled', result: end })
        at(MINUTE).on({ kind: 'refused', result: end })
        expect(lines.length).toBeGreaterThanOrEqual(events.length + 3)
        for (const text of texts()) {
          expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
          expect(parseCommand(text)).toBeNull()
        }
      }),
    )
  })
})

describe('the lines at the end', () => {
  test('are one for each sync, in the order of the list', () => {
    const failed = result({ sync: sync({ id: '8291', name: 'Orders' }), outcome: 'failed', reason: 'the run failed' })
    expect(endingsOf([result(), failed], false).map(({ text }) => text)).toEqual([
      `8290 Customers for re-engagement: ${resultLine(result(), false)}`,
      `8291 Orders: ${resultLine(failed, false)}`,
    ])
  })

  test('are left out for one sync alone', () => {
    expect(endingsOf([result()], false)).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../../src/core/events.ts'
import type { Run } from '../../src/core/provider.ts'
import type { Result } from '../../src/core/result.ts'
import { createTimekeeper, type Span, timelineOf } from '../../src/report/timeline.ts'
import { result, run, sync } from '../support/builders.ts'
import { lacedWith } from '../support/hostile.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** What the timekeeper notes of events that happen at these times (ms). */
function noted(...events: [number, Event][]): readonly Span[] {
  let time = 5000
  const { on, spans } = createTimekeeper(() => time)
  for (const [at, event] of events) {
    time = 5000 + at
    on(event)
  }
  return spans.get('8290') ?? []
}

const changed = (overrides: Partial<Run>): Event => ({ kind: 'changed', sync: sync(), run: run(overrides) })
const intent: Event = { kind: 'intent', sync: sync(), baseline: null, since: 0, full: false }
const triggered: Event = {
  kind: 'triggered',
  sync: sync(),
  runId: '501',
  adopted: false,
  cancellable: true,
  reason: '',
  expected: null,
}
const settled: Event = { kind: 'settled', result: result() }
const queued = changed({ state: 'queued', status: 'queued' })
const running = changed({ state: 'running', status: 'working' })

describe('the timekeeper', () => {
  test('notes when a run was asked for, queued, at work and over', () => {
    expect(
      noted(
        [0, intent],
        [200, triggered],
        [1000, queued],
        [4000, running],
        [9000, running],
        [9500, changed({})],
        [9600, settled],
      ),
    ).toEqual([
      { what: 'triggering', words: 'triggering', from: 0, to: 200 },
      { what: 'queued', words: 'queued', from: 200, to: 4000 },
      { what: 'running', words: 'running', from: 4000, to: 9600 },
    ])
  })

  test('takes nothing that an older run does for the sync’s own', () => {
    const older = run({ id: '499', state: 'running', status: 'working' })
    const waiting: Event = { kind: 'waiting', sync: sync(), run: older, reason: '' }
    const spans = noted(
      [0, waiting],
      [2000, changed({ ...older, step: 'x' })],
      [7000, changed({ id: '499' })],
      [7100, intent],
    )
    expect(spans).toEqual([
      { what: 'waiting', words: 'waiting for run 499', from: 0, to: 7100 },
      { what: 'triggering', words: 'triggering', from: 7100, to: 7100 },
    ])
  })

  test('shows a status that nobody knows by its own word, and a run that goes back to the queue', () => {
    const strange = changed({ state: 'unrecognized', status: 'pondering' })
    expect(
      noted([0, triggered], [10, running], [20, strange], [30, queued], [40, settled]).map(({ words }) => words),
    ).toEqual(['queued', 'running', 'pondering', 'queued'])
  })

  test('knows nothing of a sync that was settled at once', () => {
    expect(noted([0, settled])).toEqual([])
  })
})

/** Rows in order, each with its spans as [what, from, to]; ids from 1 on. */
function drawn(...rows: { spans: [Span['what'], number, number][]; result?: Partial<Result> }[]): string {
  const results = rows.map((row, at) =>
    result({ sync: sync({ id: String(at + 1), name: `Sync ${at + 1}` }), ...row.result }),
  )
  const spans = rows.map(({ spans: own }) => own.map(([what, from, to]) => ({ what, words: what, from, to })))
  return timelineOf(results, new Map(results.map((one, at) => [one.sync.id, spans[at] ?? []])))
}

describe('the timeline', () => {
  test('has a row for each sync, and words where there is room for them', () => {
    const picture = drawn(
      {
        spans: [
          ['queued', 0, 2 * SECOND],
          ['running', 2 * SECOND, MINUTE],
        ],
      },
      {
        spans: [
          ['waiting', 0, 30 * SECOND],
          ['running', 30 * SECOND, 45 * SECOND],
        ],
        result: { outcome: 'failed' },
      },
    )
    expect(picture.split('\n').slice(7, -2)).toEqual([
      'axisFormat %M:%S',
      'section ✅ 1 Sync 1',
      '\u200b : s0b0, 1970-01-01 00:00:00.000, 1970-01-01 00:00:02.000',
      '\u200brunning · 58 s : done, s0b1, 1970-01-01 00:00:02.000, 1970-01-01 00:01:00.000',
      'section ❌ 2 Sync 2',
      '\u200bwaiting · 30 s : s1b0, 1970-01-01 00:00:00.000, 1970-01-01 00:00:30.000',
      '\u200brunning · 15 s : crit, s1b1, 1970-01-01 00:00:30.000, 1970-01-01 00:00:45.000',
    ])
  })

  test('is drawn only where there are two syncs to compare', () => {
    expect(drawn({ spans: [['running', 0, MINUTE]] })).toBe('')
    expect(drawn({ spans: [['running', 0, MINUTE]] }, { spans: [] })).toBe('')
    expect(drawn({ spans: [['running', 0, MINUTE]] }, { spans: [['running', 5, 5]] })).toBe('')
    expect(drawn({ spans: [['running', 0, MINUTE]] }, { spans: [['running', 0, 5]] })).not.toBe('')
  })

  test('tells hours once there are some', () => {
    expect(drawn({ spans: [['running', 0, 61 * MINUTE]] }, { spans: [['running', 0, 5]] })).toContain(
      'axisFormat %H:%M\n',
    )
  })

  test('shows the syncs that took longest, in the order of the table, where there are many', () => {
    const rows = Array.from({ length: 50 }, (_, at) => ({
      spans: [['running', 0, ((at * 7) % 50) * SECOND + 1]] satisfies [Span['what'], number, number][],
    }))
    const picture = drawn(...rows)
    expect(picture).toContain('### Timeline of what took longest\n')
    const shown = [...picture.matchAll(/^section ✅ (\d+) /gm)].map(([, id]) => Number(id))
    expect(shown).toEqual(rows.flatMap((_, at) => ((at * 7) % 50 >= 30 ? [at + 1] : [])))
  })

  test('has at most sixty bars, the last ones of each sync', () => {
    const again = Array.from({ length: 40 }, (_, at): [Span['what'], number, number] => [
      'running',
      at * SECOND,
      (at + 1) * SECOND,
    ])
    const picture = drawn(...Array.from({ length: 20 }, () => ({ spans: again })))
    expect(picture.match(/ s\d+b\d+,/g)).toHaveLength(60)
    expect(picture).toContain('1970-01-01 00:00:40.000')
  })

  test('stays a few kilobytes of one line for each bar, whatever the names are', () => {
    const hostile = lacedWith([
      ':',
      ';',
      '#',
      '\n',
      '```',
      '%%',
      '"',
      'section ',
      'click ',
      ', crit',
      '\u2028',
      '🚀',
      '-->',
    ])
    fc.assert(
      fc.property(hostile, hostile, (name, status) => {
        const rows = Array.from({ length: 30 }, (_, at) =>
          result({ sync: sync({ id: String(at), name }), outcome: 'failed' }),
        )
        const span: Span = { what: 'running', words: status, from: 0, to: MINUTE }
        const lines = timelineOf(rows, new Map(rows.map((row) => [row.sync.id, [span]]))).split('\n')
        expect(lines).toHaveLength(3 + 5 + 40 + 2)
        expect(lines.filter((line) => /^section [^:;"`%\n]*$/.test(line.replaceAll(/#\d+;/g, '')))).toHaveLength(20)
        expect(
          lines.filter((line) => /^\u200b[^:;"`%]* : crit, s\d+b0, /.test(line.replaceAll(/#\d+;/g, ''))),
        ).toHaveLength(20)
        expect(lines.join('\n').length).toBeLessThan(30_000)
      }),
    )
  })
})

import { describe, expect, test } from 'vitest'
import type { Result } from '../../src/core/result.ts'
import type { Note, Ruling } from '../../src/core/ruling.ts'
import { annotationsOf as ofReport } from '../../src/report/annotations.ts'
import { HINTS } from '../../src/report/hints.ts'
import { result, run, sync } from '../support/builders.ts'

const REJECTED = run({ counts: { processed: 50, succeeded: 48, failed: 2, invalid: 0 } })
const SPOILT = run({ counts: { processed: 50, succeeded: 50, failed: 0, invalid: 2 } })

const annotationsOf = (results: readonly Result[], details: boolean) =>
  ofReport({ conclusion: 'failure', results, problems: [] }, details)

const PAGE = 'https://app.getcensus.com/syncs/8290/sync-history'

describe('an annotation', () => {
  test.each([
    ['succeeded', run(), null],
    ['warned', REJECTED, 'warning: Sync delivered, but not every record'],
    ['warned', SPOILT, 'warning: Sync delivered, but not every record'],
    ['warned', null, 'warning: Sync delivered, but not every record'],
    ['fresh', run(), null],
    ['fresh', null, null],
    ['fresh', REJECTED, 'warning: Sync already fresh'],
    ['fresh', SPOILT, 'warning: Sync already fresh'],
    ['triggered', null, null],
    ['planned', null, null],
    ['skipped', null, 'notice: Sync skipped'],
    ['blocked', null, 'error: Sync blocked'],
    ['failed', REJECTED, 'error: Sync failed'],
    ['cancelled', run(), 'error: Sync cancelled'],
    ['timed_out', run(), 'error: Sync timed out'],
    ['unknown', null, 'error: Sync state unknown'],
    ['not_started', null, 'error: Sync not started'],
  ] as const)('case %#: a sync that is %s gets the level and the title of its outcome', (outcome, seen, expected) => {
    const told = annotationsOf([result({ outcome, run: seen })], false)
    expect(told.map(({ level, title }) => `${level}: ${title}`)).toEqual(expected === null ? [] : [expected])
  })

  test('names the sync and says why; where something is wrong, also what to do, and where its page is', () => {
    const told = annotationsOf(
      [
        result({ outcome: 'failed', reason: 'the provider says', message: 'no such field', hint: 'run-failed' }),
        result({
          outcome: 'failed',
          reason: 'the token was refused',
          hint: 'token-refused',
          advice: 'Make a new one.',
        }),
        result({ outcome: 'warned', reason: '2 records rejected by the destination' }),
        result({ outcome: 'skipped', reason: 'the sync is paused (on-paused: skip)' }),
      ],
      false,
    )
    expect(told.map(({ text }) => text)).toEqual([
      `8290 Customers for re-engagement → Iterable · user: the provider says: no such field\n${HINTS['run-failed']}\n${PAGE}`,
      `8290 Customers for re-engagement → Iterable · user: the token was refused\nMake a new one.\n${PAGE}`,
      '8290 Customers for re-engagement → Iterable · user: 2 records rejected by the destination',
      '8290 Customers for re-engagement → Iterable · user: the sync is paused (on-paused: skip)',
    ])
  })

  test('quotes no records, unless details are asked for', () => {
    const some = result({
      outcome: 'failed',
      reason: 'the provider says',
      message: 'wrong value "jane" for jane@example.com',
      detail: 'row 7: "jane"',
    })
    expect(annotationsOf([some], false).map(({ text }) => text)).toEqual([
      `8290 Customers for re-engagement → Iterable · user: the provider says: wrong value "…" for …\n${some.url}`,
    ])
    expect(annotationsOf([some], true).map(({ text }) => text)).toEqual([
      `8290 Customers for re-engagement → Iterable · user: the provider says: wrong value "jane" for jane@example.com: row 7: "jane"\n${some.url}`,
    ])
  })

  test('has a title of ours and no line that is not meant, whatever names and messages hold', () => {
    const name = '::error title=mine::\r\n##[error]\u2028x'
    const some = result({ sync: sync({ name }), outcome: 'failed', reason: 'the provider says', message: name })
    const [told, ...rest] = annotationsOf([some], true)
    expect(rest).toEqual([])
    expect(told?.title).toBe('Sync failed')
    const [why = '', page, ...more] = told?.text.split('\n') ?? []
    expect([page, more]).toEqual([some.url, []])
    expect(why).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]|::|##\[/u)
  })

  test('is short enough for GitHub, however long the message', () => {
    const endless = 'all work and no play '.repeat(5000)
    const some = result({ sync: sync({ name: endless }), outcome: 'failed', message: endless, detail: endless })
    for (const details of [false, true]) {
      const [told] = annotationsOf([some], details)
      expect(told?.text.length).toBeLessThanOrEqual(4096)
    }
  })
})

describe('annotations of many syncs', () => {
  const many = (count: number, outcome: 'failed' | 'warned' | 'skipped' | 'succeeded') =>
    Array.from({ length: count }, (_, index) => result({ sync: sync({ id: String(index) }), outcome }))

  test.each([
    ['failed', 'error'],
    ['warned', 'warning'],
    ['skipped', 'notice'],
  ] as const)('of syncs that are %s are at most nine, and one that says how many more there are', (outcome, level) => {
    expect(annotationsOf(many(9, outcome), false)).toHaveLength(9)
    for (const [count, more] of [
      [10, 'and 1 more: see the job summary'],
      [1200, 'and 1,191 more: see the job summary'],
    ] as const) {
      const told = annotationsOf(many(count, outcome), false)
      expect(told).toHaveLength(10)
      expect(told.every((annotation) => annotation.level === level)).toBe(true)
      expect(told.at(-1)).toEqual({ level, title: 'More', text: more })
    }
  })

  test('count every level on its own, and tell errors first', () => {
    const told = annotationsOf([...many(12, 'skipped'), ...many(12, 'warned'), ...many(12, 'failed')], false)
    const levels = told.map(({ level }) => level)
    expect(levels).toEqual([
      ...Array.from({ length: 10 }, () => 'error'),
      ...Array.from({ length: 10 }, () => 'warning'),
      ...Array.from({ length: 10 }, () => 'notice'),
    ])
    expect(told.filter(({ title }) => title === 'More').map(({ text }) => text)).toEqual(
      Array.from({ length: 3 }, () => 'and 3 more: see the job summary'),
    )
  })

  test('keep the order of the syncs', () => {
    const told = annotationsOf(many(9, 'failed'), false)
    expect(told.map(({ text }) => text.split(' ')[0])).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8'])
  })

  test('are none where every sync is good, or where there is none', () => {
    expect(annotationsOf(many(50, 'succeeded'), false)).toEqual([])
    expect(annotationsOf([], false)).toEqual([])
  })
})

describe('a step that never came to its syncs', () => {
  const unstarted = result({ outcome: 'not_started', reason: 'no evidence' })

  test('says why once, and not again for every sync', () => {
    const report = { conclusion: 'failure', results: [unstarted, unstarted], problems: ['One.', 'Two.'] } as const
    expect(ofReport(report, false)).toEqual([
      { level: 'error', title: 'Step failed', text: 'One.' },
      { level: 'error', title: 'Step failed', text: 'Two.' },
    ])
  })

  test('because there was nothing to do is a warning', () => {
    const report = { conclusion: 'skipped', results: [], problems: ['Nothing was found.'] } as const
    expect(ofReport(report, false)).toEqual([
      { level: 'warning', title: 'Nothing was synced', text: 'Nothing was found.' },
    ])
  })
})

describe('what dbt and the settings say', () => {
  const ruling = (notes: Note[]): Ruling => ({ gate: 'open', reason: '', models: null, source: '', notes })

  test('notes of the gate are told beside the sync', () => {
    const noted = result({
      ruling: ruling([
        { level: 'warning', text: 'test x warned\n::error::' },
        { level: 'notice', text: '1 test did not run' },
      ]),
    })
    expect(annotationsOf([noted], false)).toEqual([
      {
        level: 'warning',
        title: 'dbt',
        text: expect.stringContaining('8290 Customers for re-engagement: test x warned'),
      },
      { level: 'notice', title: 'dbt', text: '8290 Customers for re-engagement: 1 test did not run' },
    ])
  })

  test.each([
    ['failed', 'allow-failure', 'warning'],
    ['blocked', 'allow-failure', 'warning'],
    ['blocked', 'on-blocked: skip', 'notice'],
  ] as const)('a sync that is %s under %s is a %s that says so', (outcome, tolerated, level) => {
    expect(annotationsOf([result({ outcome, tolerated })], false)).toMatchObject([
      { level, text: expect.stringContaining(`(${tolerated})`) },
    ])
  })

  test('a green step that synced nothing says so', () => {
    const skipped = result({ outcome: 'skipped', reason: 'dbt did not build it (on-not-built: skip)' })
    expect(ofReport({ conclusion: 'skipped', results: [skipped, skipped], problems: [] }, false)[0]).toEqual({
      level: 'warning',
      title: 'Nothing was synced',
      text: 'None of 2 syncs ran. 8290 Customers for re-engagement: dbt did not build it (on-not-built: skip)',
    })
    // The one that somebody should look at is the one that is named.
    const blocked = result({ outcome: 'blocked', tolerated: 'on-blocked: skip', reason: 'test x failed' })
    const [first] = ofReport({ conclusion: 'skipped', results: [skipped, blocked], problems: [] }, false)
    expect(first?.text).toContain('test x failed')
  })
})

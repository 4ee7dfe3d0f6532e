import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Result } from '../../src/core/result.ts'
import type { Ruling } from '../../src/core/ruling.ts'
import { CHANGE, changeComment, FAILURES, fitting, issueBody } from '../../src/report/failure-issue.ts'
import {
  type Change,
  changeOf,
  type Entry,
  fold,
  merge,
  type Seen,
  seenOf,
  seenOfKilled,
} from '../../src/report/failures.ts'
import { markerOf, readMarker } from '../../src/report/marker.ts'
import { result, sync } from '../support/builders.ts'
import { lacedWith } from '../support/hostile.ts'

const PLACE = {
  step: 'nightly.yml/sync',
  run: '7001',
  runUrl: 'https://github.example/run/7001',
  now: Date.UTC(2026, 10, 24, 23, 59),
}
const of = (id: string, overrides: Partial<Result> = {}) =>
  result({ sync: sync({ id, name: `Sync ${id}` }), ...overrides })
const entry = (id: string, more: Partial<Entry> = {}): Entry => ({ id, since: '2026-11-20', ...more })
const seen = (bad: string[], good: string[] = [], run = '7001'): Seen => ({
  ...PLACE,
  run,
  bad: bad.map((id) => entry(id, { since: '2026-11-24' })),
  good,
})
const NOTHING = seen([])
const ids = (entries: readonly Entry[]) => entries.map(({ id }) => id)

describe('what a run has seen', () => {
  const ruling: Ruling = { gate: 'not-built', reason: '', models: [], source: '', notes: [] }
  test.each<[string, Partial<Result>, 'bad' | 'good' | 'neither']>([
    ['succeeded', { outcome: 'succeeded' }, 'good'],
    ['delivered with warnings', { outcome: 'warned' }, 'good'],
    ['already fresh', { outcome: 'fresh' }, 'good'],
    ['failed', { outcome: 'failed' }, 'bad'],
    ['blocked', { outcome: 'blocked' }, 'bad'],
    ['timed out', { outcome: 'timed_out' }, 'bad'],
    ['cancelled', { outcome: 'cancelled' }, 'bad'],
    ['unknown', { outcome: 'unknown' }, 'bad'],
    ['not started', { outcome: 'not_started' }, 'bad'],
    ['failed, which it may', { outcome: 'failed', tolerated: 'allow-failure' }, 'neither'],
    ['blocked, which it may be', { outcome: 'blocked', tolerated: 'on-blocked: skip' }, 'neither'],
    ['triggered and not watched', { outcome: 'triggered' }, 'neither'],
    ['planned', { outcome: 'planned' }, 'neither'],
    ['left out because nothing of it is new', { outcome: 'skipped', ruling }, 'neither'],
    ['left out because it is paused', { outcome: 'skipped', hint: 'paused' }, 'neither'],
    ['left out because a run was in the way', { outcome: 'skipped', hint: 'older-run', ruling }, 'neither'],
  ])('of a sync that is %s', (_what, overrides, kind) => {
    const { bad, good } = seenOf({ conclusion: 'failure', results: [result(overrides)], problems: [] }, 'run', PLACE)
    expect([ids(bad), good]).toEqual([kind === 'bad' ? ['census/8290'] : [], kind === 'good' ? ['census/8290'] : []])
  })

  test('of several runs of one sync is bad where one of them is', () => {
    const good = of('8290', { runId: '1' })
    const bad = of('8290', { runId: '2', outcome: 'failed', reason: 'first' })
    const worse = of('8290', { runId: '3', outcome: 'failed', reason: 'second' })
    const seen = seenOf({ conclusion: 'failure', results: [good, bad, worse], problems: [] }, 'wait', PLACE)
    expect(seen).toMatchObject({ bad: [{ id: 'census/8290', why: 'first' }], good: [] })
  })

  test.each(['failure', 'cancelled', 'timed_out'] as const)(
    'of a step without a sync that ends in %s is the step itself',
    (conclusion) => {
      expect(seenOf({ conclusion, results: [], problems: ['x'] }, 'run', PLACE).bad).toMatchObject([
        { id: `${PLACE.step}@` },
      ])
    },
  )

  test('is dated, and says why without anything from records', () => {
    const failed = of('8291', {
      outcome: 'failed',
      reason: 'the provider says',
      message: 'wrong value "jane"',
      detail: 'jane',
    })
    expect(seenOf({ conclusion: 'failure', results: [failed], problems: [] }, 'run', PLACE).bad).toEqual([
      {
        id: 'census/8291',
        since: '2026-11-24',
        name: '8291 Sync 8291',
        outcome: 'failed',
        why: 'the provider says: wrong value "…"',
        url: failed.url,
      },
    ])
  })

  test('is the step itself where it never came to its syncs; nothing where there was nothing to sync', () => {
    const problems = ['Nothing was triggered: an input is not right.']
    expect(seenOf({ conclusion: 'failure', results: [], problems }, 'run', PLACE).bad).toMatchObject([
      { id: 'nightly.yml/sync@', run: '7001', name: 'the step in job sync of nightly.yml', why: problems[0] },
    ])
    expect(seenOf({ conclusion: 'skipped', results: [], problems }, 'run', PLACE).bad).toEqual([])
    expect(seenOfKilled([], PLACE).bad).toMatchObject([{ id: 'nightly.yml/sync@', outcome: 'unknown' }])
    const left = [
      { id: 'census/1', outcome: 'unknown' },
      { id: 'census/2', outcome: 'failed' },
    ] as const
    expect(seenOfKilled(left, PLACE).bad).toMatchObject(left)
  })
})

describe('a run that watches what others have triggered, or triggers what others watch', () => {
  test('puts a step that watches runs of unknown syncs on the list itself', () => {
    const results = [result({ outcome: 'unknown', sync: sync({ id: '', name: 'run 501' }) })]
    expect(seenOf({ conclusion: 'failure', results, problems: [] }, 'wait', PLACE).bad).toMatchObject([
      { id: 'nightly.yml/sync@', why: expect.stringContaining('1 sync: 1 unknown.') },
    ])
  })

  test('keeps triggers apart from deliveries: a good trigger takes off a bad one, and no failed sync', () => {
    const report = (outcome: Result['outcome']) =>
      ({ conclusion: 'failure', results: [result({ outcome })], problems: [] }) as const
    const refused = seenOf(report('failed'), 'trigger', PLACE)
    const failed = seenOf(report('failed'), 'wait', PLACE)
    const list = merge(merge([], refused), failed)
    expect(ids(list)).toEqual(['census/8290', 'census/8290/trigger'])
    expect(ids(merge(list, seenOf(report('triggered'), 'trigger', PLACE)))).toEqual(['census/8290'])
    expect(ids(merge(list, seenOf(report('succeeded'), 'wait', PLACE)))).toEqual(['census/8290/trigger'])
  })
})

describe('the list', () => {
  test('adds what is bad, takes off what is good, and keeps what was not seen', () => {
    const before = [entry('a'), entry('b'), entry('c')]
    const after = merge(before, seen(['a', 'd'], ['b', 'x']))
    expect(ids(after)).toEqual(['a', 'c', 'd'])
    const { bad, good } = changeOf(before, after)
    expect([ids(bad), good]).toEqual([['d'], ['b']])
  })

  test('remembers since when something is bad', () => {
    const after = merge([entry('a', { outcome: 'failed' })], seen(['a']))
    expect(after).toMatchObject([{ id: 'a', since: '2026-11-20' }])
    expect(changeOf([entry('a')], after)).toEqual({ bad: [], good: [] })
  })

  test('forgets what a step said of itself with its next run, and not with another step', () => {
    const before = [entry('nightly.yml/sync@', { run: '7001.1' }), entry('nightly.yml/other@', { run: '7001.1' })]
    expect(ids(merge(before, seen([], [], '7001.1')))).toHaveLength(2)
    expect(ids(merge(before, seen([], [], '7001.2')))).toEqual(['nightly.yml/other@'])
    expect(ids(merge(before, seen([], [], '7002.1')))).toEqual(['nightly.yml/other@'])
    // The same again is no news.
    const again = { ...seen([], [], '7002.1'), bad: [entry('nightly.yml/sync@', { run: '7002.1' })] }
    expect(changeOf(before, merge(before, again))).toEqual({ bad: [], good: [] })
  })

  test('is what the changes of all runs make of it, however far any of them had read', () => {
    const some = fc.subarray(['a', 'b', 'c', 'd'])
    const run = fc.record({ bad: some, good: some, reads: fc.nat() })
    fc.assert(
      fc.property(some, fc.array(run, { maxLength: 5 }), (first, runs) => {
        const start = first.map((id) => entry(id))
        const changes: Change[] = []
        const last = new Map(first.map((id) => [id, true]))
        for (const { bad, good, reads } of runs) {
          // A run knows the list as it was some changes ago; what it says of a sync holds all the same, if it is news to it.
          const known = fold(start, changes.slice(0, changes.length - (reads % (changes.length + 1))))
          const change = changeOf(known, merge(known, seen(bad, good)))
          changes.push(change)
          for (const { id } of change.bad) last.set(id, true)
          for (const id of change.good) last.set(id, false)
        }
        const expected = [...last].filter(([, isBad]) => isBad).map(([id]) => id)
        expect(ids(fold(start, changes)).toSorted()).toEqual(expected.toSorted())
      }),
    )
  })
})

describe('the text of the issue', () => {
  test('holds the whole list of two thousand syncs with long names, below GitHub’s limit', () => {
    const many = Array.from({ length: 2000 }, (_, at) =>
      entry(`census/${10n ** 16n + BigInt(at)}`, {
        name: '名'.repeat(120),
        why: 'x'.repeat(200),
        url: `https://app.getcensus.com/syncs/${at}`,
      }),
    )
    const body = issueBody('A title', many, 7, NOTHING)
    expect(body.length).toBeLessThan(65_000)
    expect(readMarker(FAILURES, body)).toMatchObject({ title: 'A title', upTo: 7, bad: many.map(({ id }) => id) })
    expect(body).toMatch(/… and [\d,]+ more syncs\./)
    expect(changeComment([], many, NOTHING).length).toBeLessThan(65_000)
    expect(changeComment(many, [], NOTHING).length).toBeLessThan(65_000)
    expect(readMarker(CHANGE, changeComment([], many, NOTHING))).toMatchObject({
      bad: many.map(({ id }) => id),
      good: [],
    })
    expect(readMarker(CHANGE, changeComment(many, [], NOTHING))).toMatchObject({ good: many.map(({ id }) => id) })
  })

  test('leaves out reasons first, then names, and ids at last', () => {
    const some = Array.from({ length: 100 }, (_, at) => entry(`census/${at}`, { name: 'a name', why: 'a long reason' }))
    const write = (list: readonly unknown[]) => JSON.stringify(list)
    const whole = write(some).length
    expect(fitting(some, write, whole)).toContain('a long reason')
    expect(fitting(some, write, whole - 1)).toContain('a name')
    expect(fitting(some, write, whole - 1)).not.toContain('a long reason')
    expect(JSON.parse(fitting(some, write, 2000))).toEqual(some.map(({ id }) => id))
    expect(JSON.parse(fitting(some, write, 100)).length).toBeGreaterThan(3)
  })

  test('can mention nobody and hide nothing, whatever names hold', () => {
    const hostile = lacedWith([
      '-->',
      '<!--',
      '--!>',
      '@team',
      '#1',
      '|',
      '\n',
      '](https://evil.example)',
      '"',
      '\\',
      '</details>',
      '\u2028',
    ])
    fc.assert(
      fc.property(hostile, hostile, (name, why) => {
        const entries = [entry('census/1', { name, why, outcome: 'failed' })]
        const body = issueBody('A title', entries, 7, NOTHING)
        expect(readMarker(FAILURES, body)).toEqual({ title: 'A title', upTo: 7, bad: entries })
        expect(body.split('-->')).toHaveLength(2)
        expect(body.split('<!--')).toHaveLength(2)
        expect(body).not.toMatch(/@team|#1/)
        expect(body.replace(/<!--.*?-->/s, '')).not.toContain('(https://evil')
        for (const comment of [changeComment([], entries, NOTHING), changeComment(entries, [], NOTHING)]) {
          expect(comment).not.toMatch(/@team|#1/)
          expect(comment.split('-->')).toHaveLength(2)
          expect(comment.replace(/<!--.*?-->/s, '')).not.toMatch(/\(https:\/\/evil|<!--/)
        }
      }),
    )
  })
})

describe('a marker', () => {
  test('comes back as it was, also from a text that a person has edited on a page', () => {
    const data = { step: 'a/b', list: ['-->', '<b>', '\\u0041'] }
    expect(readMarker('plan', `before\r\n${markerOf('plan', data)}\r\nafter`)).toEqual(data)
  })

  test.each(['', 'no marker', '<!-- post-transform-sync plan {"broken" -->', '<!-- post-transform-sync other {} -->'])(
    'is none: %j',
    (text) => {
      expect(readMarker('plan', text)).toBeNull()
    },
  )
})

describe('the names in the list', () => {
  test('stay known when a later run could not even read the sync', () => {
    const known = entry('census/8290', { name: '8290 Customers' })
    const nameless = { ...seen([]), bad: [entry('census/8290', { name: 'sync 8290', why: 'the token was refused' })] }
    const body = issueBody('A title', [known], 0, nameless)
    expect(body).toContain('| 8290 Customers |')
    expect(body).toContain('the token was refused')
    expect(issueBody('A title', [entry('census/8290')], 0, nameless)).toContain('| sync 8290 |')
  })

  test.each([
    [['census/1'], '1 sync does not deliver.'],
    [['census/1', 'census/2'], '2 syncs do not deliver.'],
    [['nightly.yml/sync@'], '1 step does not do what it should.'],
    [['census/1', 'nightly.yml/sync@'], '1 sync does not deliver, and 1 step does not do what it should.'],
    [['census/1', 'census/1/trigger'], '1 sync does not deliver.'],
    [[], 'All is well again.'],
  ])('are counted by their kinds: %j', (some, text) => {
    expect(
      issueBody(
        'A title',
        some.map((id) => entry(id)),
        0,
        NOTHING,
      ).split('\n')[0],
    ).toBe(text)
  })

  test('are not said to fail where nobody knows', () => {
    const lost = (id: string) => entry(id, { outcome: 'unknown' })
    const said = (...some: Entry[]) => issueBody('A title', some, 0, NOTHING).split('\n')[0]
    expect(said(lost('census/1'))).toBe('It is not known whether 1 sync delivers.')
    expect(said(lost('census/1'), lost('census/2'))).toBe('It is not known whether 2 syncs deliver.')
    expect(said(entry('census/1'), lost('census/2'))).toBe(
      '1 sync does not deliver, and it is not known whether 1 other delivers.',
    )
  })

  test('are told from the triggers of the same syncs', () => {
    const both = [entry('census/1', { name: '1 Customers' }), entry('census/1/trigger', { name: '1 Customers' })]
    const rows = issueBody('A title', both, 0, NOTHING)
      .split('\n')
      .filter((line) => line.startsWith('| 1'))
    expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(['1 Customers', '1 Customers (its trigger)'])
  })
})

import { describe, expect, test } from 'vitest'
import { COLORS } from '../../src/core/judge.ts'
import { messageOf, outputsOf, type Report } from '../../src/report/outputs.ts'
import { ACTION } from '../runner/runner.ts'
import { result, run, sync } from '../support/builders.ts'

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

function report(overrides: Partial<Report> = {}): Report {
  return { conclusion: 'success', results: [result()], problems: [], ...overrides }
}

/** A sync of its own, with a page and a run of its own. */
function numbered(id: string, overrides: Parameters<typeof result>[0] = {}) {
  return result({ sync: sync({ id }), runId: `5${id}`, url: `https://app.getcensus.com/syncs/${id}`, ...overrides })
}

describe('the outputs', () => {
  test('of a good sync', () => {
    expect(outputsOf(report())).toMatchInlineSnapshot(`
      {
        "blocked-count": "0",
        "blocked-sync-ids": "[]",
        "conclusion": "success",
        "failed-count": "0",
        "failed-sync-ids": "[]",
        "message": "1 sync: 1 succeeded.",
        "records-failed": "0",
        "records-invalid": "0",
        "records-succeeded": "50",
        "results": "[{"provider":"census","sync_id":"8290","name":"Customers for re-engagement","outcome":"succeeded","reason":"completed","run_id":"501","adopted":false,"url":"https://app.getcensus.com/syncs/8290/sync-history","models":null,"created_at":"2026-11-24T03:00:10.000Z","finished_at":"2026-11-24T03:00:52.000Z","duration_seconds":42,"records":{"processed":50,"succeeded":50,"failed":0,"invalid":0},"attempts":1,"polls":4}]",
        "runs": "[{"provider":"census","sync_id":"8290","run_id":"501"}]",
        "skipped-count": "0",
        "succeeded-count": "1",
        "url": "https://app.getcensus.com/syncs/8290/sync-history",
      }
    `)
  })

  test.each([
    ['a good sync', report()],
    ['no sync', report({ conclusion: 'failure', results: [], problems: ['Nothing was triggered: mode is wrong.'] })],
    ['no sync and no problem', report({ conclusion: 'skipped', results: [] })],
    ['every outcome', report({ conclusion: 'failure', results: ALL.map((outcome) => result({ outcome })) })],
  ])('of %s are all those that action.yml names, and no other', (_name, some) => {
    expect(Object.keys(ACTION.outputs)).toContain('conclusion')
    expect(Object.keys(outputsOf(some)).sort()).toEqual(Object.keys(ACTION.outputs).sort())
  })

  test('of no sync at all say so, and are no gaps', () => {
    expect(outputsOf(report({ conclusion: 'failure', results: [], problems: ['The input mode is wrong.'] }))).toEqual({
      conclusion: 'failure',
      results: '[]',
      runs: '[]',
      'succeeded-count': '0',
      'failed-count': '0',
      'skipped-count': '0',
      'blocked-count': '0',
      'failed-sync-ids': '[]',
      'blocked-sync-ids': '[]',
      'records-succeeded': '0',
      'records-failed': '0',
      'records-invalid': '0',
      url: '',
      message: 'The input mode is wrong.',
    })
  })

  test.each([
    ['succeeded', { 'succeeded-count': '1' }],
    ['warned', { 'succeeded-count': '1' }],
    ['fresh', { 'succeeded-count': '1' }],
    ['triggered', {}],
    ['planned', {}],
    ['skipped', { 'skipped-count': '1' }],
    ['blocked', { 'blocked-count': '1', 'blocked-sync-ids': '["8290"]' }],
    ['failed', { 'failed-count': '1', 'failed-sync-ids': '["8290"]' }],
    ['cancelled', { 'failed-count': '1', 'failed-sync-ids': '["8290"]' }],
    ['timed_out', { 'failed-count': '1', 'failed-sync-ids': '["8290"]' }],
    ['unknown', { 'failed-count': '1', 'failed-sync-ids': '["8290"]' }],
    ['not_started', { 'failed-count': '1', 'failed-sync-ids': '["8290"]' }],
  ] as const)('count a sync that is %s', (outcome, counted) => {
    expect(outputsOf(report({ results: [result({ outcome })] }))).toMatchObject({
      'succeeded-count': '0',
      'failed-count': '0',
      'skipped-count': '0',
      'blocked-count': '0',
      'failed-sync-ids': '[]',
      'blocked-sync-ids': '[]',
      ...counted,
    })
  })

  test('count every red sync once, in failed or in blocked, in the order of the syncs', () => {
    const results = ALL.map((outcome, index) => numbered(String(index), { outcome }))
    const outputs = outputsOf(report({ results }))
    expect(JSON.parse(outputs['failed-sync-ids'] ?? '')).toEqual(['7', '8', '9', '10', '11'])
    expect(JSON.parse(outputs['blocked-sync-ids'] ?? '')).toEqual(['6'])
    const red = ALL.filter((outcome) => COLORS[outcome] === 'red')
    expect(Number(outputs['failed-count']) + Number(outputs['blocked-count'])).toBe(red.length)
  })

  test('add up the records of all syncs, those of failed ones and those nobody counted included', () => {
    const results = [
      numbered('1'),
      numbered('2', { run: run({ counts: { processed: 10, succeeded: 7, failed: 3, invalid: 2 } }) }),
      numbered('3', { outcome: 'failed', run: run({ counts: { ...UNCOUNTED, failed: 1 } }) }),
      numbered('4', { run: run({ counts: UNCOUNTED }) }),
      numbered('5', { outcome: 'skipped', run: null, runId: null }),
    ]
    expect(outputsOf(report({ results }))).toMatchObject({
      'records-succeeded': '57',
      'records-failed': '4',
      'records-invalid': '2',
    })
  })

  test('never hold text that the runner could not set as one value', () => {
    const hostile = result({
      sync: sync({ name: 'a\r\nb\u2028::set-output name=conclusion::success' }),
      outcome: 'failed',
      reason: 'the provider says',
      message: 'ghadelimiter\n##[error]x\u0000',
    })
    const outputs = outputsOf(report({ conclusion: 'failure', results: [hostile] }))
    for (const value of Object.values(outputs)) expect(value).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]|::|##\[/u)
  })

  test('hold nothing from records, with or without details', () => {
    const outputs = outputsOf(
      report({
        conclusion: 'failure',
        results: [
          result({
            outcome: 'failed',
            reason: 'the provider says',
            message: 'no user "jane", jane@example.com, 0123456789',
            detail: 'row 7: secret',
            run: run({ message: 'no user "jane"', detail: 'row 7: secret', state: 'failed' }),
          }),
        ],
      }),
    )
    expect(Object.values(outputs).join('\n')).not.toMatch(/jane|0123456789|row 7/)
    expect(outputs.message).toContain('the provider says: no user "…"')
  })

  test('of the most syncs that a step may have stay below the megabyte that GitHub allows', () => {
    const results = Array.from({ length: 2000 }, (_, index) => numbered(String(8_000_000 + index)))
    const outputs = outputsOf(report({ results }))
    const size = Object.entries(outputs).reduce((total, [name, value]) => total + name.length + value.length, 0)
    expect(JSON.parse(outputs.results ?? '')).toHaveLength(2000)
    expect(size).toBeLessThan(1_000_000)
  })
})

describe('the page to open', () => {
  const good = (id: string) => numbered(id)
  const noRun = { runId: null, run: null }
  test.each([
    [
      'the first bad run',
      [good('1'), numbered('2', { outcome: 'failed' }), numbered('3', { outcome: 'unknown' })],
      '2',
    ],
    [
      'the first bad run, even after a red sync without one',
      [numbered('1', { outcome: 'blocked', ...noRun }), good('2'), numbered('3', { outcome: 'timed_out' })],
      '3',
    ],
    ['the first run where none is bad', [numbered('1', { outcome: 'skipped', ...noRun }), good('2'), good('3')], '2'],
    [
      'the first red sync where nothing ran',
      [
        numbered('1', { outcome: 'skipped', ...noRun }),
        numbered('2', { outcome: 'not_started', ...noRun }),
        numbered('3', { outcome: 'failed', ...noRun }),
      ],
      '2',
    ],
    [
      'the first sync where nothing ran and nothing is red',
      [numbered('1', { outcome: 'planned', ...noRun }), numbered('2', { outcome: 'skipped', ...noRun })],
      '1',
    ],
  ])('is that of %s', (_name, results, id) => {
    expect(outputsOf(report({ results })).url).toBe(`https://app.getcensus.com/syncs/${id}`)
  })
})

test('several runs of one sync are one id, and one to run again', () => {
  const failed = numbered('1', { outcome: 'failed' })
  const outputs = outputsOf(report({ results: [failed, { ...failed, runId: '502' }] }))
  expect(outputs).toMatchObject({ 'failed-count': '2', 'failed-sync-ids': '["1"]' })
})

test('the message of a plan says what would not ship', () => {
  const results = [numbered('1', { outcome: 'planned' }), numbered('2', { outcome: 'planned', foreseen: 'blocked' })]
  expect(messageOf(report({ results }))).toBe('2 syncs: 1 planned, 1 would not ship.')
})

describe('the results as JSON', () => {
  test('hold what is known of each sync, in the order of the syncs', () => {
    const results = [numbered('2'), numbered('1', { adopted: true, polls: 9, attempts: 0 })]
    const list = JSON.parse(outputsOf(report({ results })).results ?? '')
    expect(list).toMatchObject([{ sync_id: '2' }, { sync_id: '1', adopted: true, polls: 9, attempts: 0 }])
    expect(list[0]).toEqual({
      provider: 'census',
      sync_id: '2',
      name: 'Customers for re-engagement',
      outcome: 'succeeded',
      reason: 'completed',
      run_id: '52',
      adopted: false,
      url: 'https://app.getcensus.com/syncs/2',
      models: null,
      created_at: '2026-11-24T03:00:10.000Z',
      finished_at: '2026-11-24T03:00:52.000Z',
      duration_seconds: 42,
      records: { processed: 50, succeeded: 50, failed: 0, invalid: 0 },
      attempts: 1,
      polls: 4,
    })
  })

  test('name exactly the fields that action.yml promises', () => {
    const promised = ACTION.outputs.results?.description?.matchAll(/`(\w+)`/g) ?? []
    const [first] = JSON.parse(outputsOf(report()).results ?? '')
    const fields = [...Object.keys(first), ...Object.keys(first.records)]
    expect([...promised].map(([, name]) => name).filter((name) => name !== 'null')).toEqual(
      expect.arrayContaining(fields),
    )
  })

  test('say null of what is not known', () => {
    const unseen = result({ sync: sync({ id: '', name: 'run 501' }), outcome: 'unknown', runId: null, run: null })
    const unfinished = result({ run: run({ state: 'running', finishedAt: null, createdAt: null, counts: UNCOUNTED }) })
    const nothing = { created_at: null, finished_at: null, duration_seconds: null, records: UNCOUNTED, models: null }
    expect(JSON.parse(outputsOf(report({ results: [unseen, unfinished] })).results ?? '')).toMatchObject([
      { sync_id: null, run_id: null, ...nothing },
      { sync_id: '8290', run_id: '501', ...nothing },
    ])
  })

  test('tell nothing of how long a run took that goes on', () => {
    const results = [result({ outcome: 'timed_out', run: run({ state: 'running' }) })]
    expect(JSON.parse(outputsOf(report({ results })).results ?? '')).toMatchObject([{ duration_seconds: null }])
  })
})

describe('the runs as JSON', () => {
  test('name every run that is known, and leave out syncs without one', () => {
    const results = [
      numbered('1'),
      numbered('2', { outcome: 'blocked', runId: null, run: null }),
      numbered('3', { outcome: 'triggered', run: null }),
      numbered('', { outcome: 'unknown' }),
    ]
    expect(JSON.parse(outputsOf(report({ results })).runs ?? '')).toEqual([
      { provider: 'census', sync_id: '1', run_id: '51' },
      { provider: 'census', sync_id: '3', run_id: '53' },
      { provider: 'census', sync_id: null, run_id: '5' },
    ])
  })
})

describe('the message', () => {
  const broken = result({ outcome: 'failed', reason: 'the provider says', message: 'no such field' })
  test.each([
    ['one good sync', report(), '1 sync: 1 succeeded.'],
    ['no sync', report({ results: [] }), 'There was nothing to sync.'],
    ['a problem alone', report({ results: [], problems: ['The input mode is wrong.'] }), 'The input mode is wrong.'],
    [
      'several outcomes',
      report({ results: [result(), result({ outcome: 'warned' }), result({ outcome: 'skipped' }), result()] }),
      '4 syncs: 2 succeeded, 1 succeeded with warnings, 1 skipped.',
    ],
    [
      'a failure',
      report({ conclusion: 'failure', results: [result(), broken, broken] }),
      '3 syncs: 1 succeeded, 2 failed. 8290 Customers for re-engagement: the provider says: no such field',
    ],
    [
      'a problem with the step as a whole',
      report({
        conclusion: 'failure',
        results: [result({ outcome: 'not_started', reason: 'an earlier step failed' })],
        problems: ['Nothing was triggered: an earlier step failed.'],
      }),
      '1 sync: 1 not started. Nothing was triggered: an earlier step failed.',
    ],
    [
      'a cancelled workflow',
      report({
        conclusion: 'cancelled',
        results: [result({ outcome: 'cancelled', reason: 'the workflow was cancelled; its run was told to stop' })],
      }),
      'The workflow was cancelled. 1 sync: 1 cancelled.',
    ],
  ])('about %s is a sentence or two', (_name, some, message) => {
    expect(messageOf(some)).toBe(message)
    expect(outputsOf(some).message).toBe(message)
  })

  test('has no line break and an end, whatever the provider says', () => {
    const endless = result({ ...broken, sync: sync({ name: 'x\n'.repeat(9000) }), message: 'y\r\n'.repeat(9000) })
    const message = messageOf(report({ conclusion: 'failure', results: [endless], problems: [] }))
    expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
    expect(message.length).toBeLessThanOrEqual(1000)
    const problem = messageOf(report({ conclusion: 'failure', results: [], problems: ['z\n'.repeat(9000)] }))
    expect(problem).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
    expect(problem.length).toBeLessThanOrEqual(1000)
  })
})

describe('the outputs of very many syncs', () => {
  const endless = '“no such field” '.repeat(700)
  const many = (count: number, message: string) =>
    Array.from({ length: count }, (_, index) =>
      result({
        sync: sync({ id: String(index + 1), name: message || 'Customers' }),
        outcome: 'failed',
        reason: 'the provider says',
        message,
        runId: String(431_000_000 + index),
      }),
    )

  test.each([
    ['500 with 10 kB of words each', 500, endless],
    ['2,000 with 10 kB of words each', 2000, endless],
    ['2,000 with little to say', 2000, ''],
  ])('are each below 1 MB of UTF-16, and name every sync: %s', (_name, count, message) => {
    const outputs = outputsOf(report({ conclusion: 'failure', results: many(count, message) }))
    for (const output of Object.values(outputs)) expect(output.length * 2).toBeLessThan(1_048_576)
    const results: { sync_id: string; outcome: string; run_id: string }[] = JSON.parse(outputs.results ?? '')
    expect(results.map(({ sync_id }) => sync_id)).toEqual(
      Array.from({ length: count }, (_, index) => String(index + 1)),
    )
    expect(results.every(({ outcome, run_id }) => outcome === 'failed' && run_id.startsWith('431'))).toBe(true)
  })

  test('say as much as there is room for', () => {
    const [few] = JSON.parse(outputsOf(report({ results: many(10, endless) })).results ?? '[]')
    const [more] = JSON.parse(outputsOf(report({ results: many(600, endless) })).results ?? '[]')
    expect(few.reason.length).toBeGreaterThan(900)
    expect(more.reason.length).toBeGreaterThan(90)
    expect(more.reason.length).toBeLessThan(few.reason.length)
    expect(more.url).toBe(few.url)
  })
})

import fc from 'fast-check'
import { Lexer, marked } from 'marked'
import { describe, expect, test } from 'vitest'
import type { Result } from '../../src/core/result.ts'
import type { Report } from '../../src/report/outputs.ts'
import { summaryOf } from '../../src/report/summary.ts'
import { result, run, sync } from '../support/builders.ts'
import { lacedWith } from '../support/hostile.ts'

function told(
  report: Partial<Report> = {},
  options: { mode?: string; details?: boolean; tookMs?: number } = {},
): string {
  return summaryOf(
    { conclusion: 'success', results: [result()], problems: [], ...report },
    { mode: 'run', details: false, tookMs: 95_000, ...options },
  )
}

function bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/** The one table in it, as a Markdown parser sees it: a row is a list of texts. */
function tableOf(markdown: string): { head: string[]; rows: string[][] } {
  const tables = new Lexer({ gfm: true })
    .blockTokens(markdown, [])
    .flatMap((token) => (token.type === 'table' ? [token] : []))
  expect(tables).toHaveLength(1)
  const [head = [], ...rows] = [tables[0]?.header ?? [], ...(tables[0]?.rows ?? [])].map((cells: { text: string }[]) =>
    cells.map(({ text }) => text),
  )
  return { head, rows }
}

const broken = result({
  sync: sync({ id: '8291', name: 'Orders', destination: 'Salesforce · Opportunity' }),
  outcome: 'failed',
  reason: 'the provider says',
  message: 'The field "custom:Users" with value "jim" is no array',
  runId: '502',
  run: run({
    id: '502',
    state: 'failed',
    status: 'failed',
    counts: { processed: 1500, succeeded: 1000, failed: 500, invalid: 0 },
  }),
  url: 'https://app.getcensus.com/syncs/8291/sync-history',
})
const flawed = result({
  sync: sync({ id: '8292', name: 'Leads', destination: null }),
  outcome: 'warned',
  reason: '2 records invalid and not sent',
  run: run({ counts: { processed: 50, succeeded: 50, failed: 0, invalid: 2 } }),
  url: 'https://app.getcensus.com/syncs/8292/sync-history',
})

describe('the job summary', () => {
  test('of a step in which everything was delivered', () => {
    const fresh = result({ outcome: 'fresh', reason: 'run 500 already delivered the fresh data', runId: '500' })
    expect(told({ results: [result(), fresh] })).toMatchInlineSnapshot(`
      "## ✅ Every sync delivered

      2 syncs · 1 succeeded · 1 already fresh · 100 records accepted · in 1 min 35 s

      | Outcome | Sync | Destination | Records | Run took | Why |
      |---|---|---|---|---|---|
      | ✅ succeeded | [8290 Customers for re-engagement](https://app.getcensus.com/syncs/8290/sync-history) | Iterable · user | 50 accepted | 42 s | completed |
      | ✅ already fresh | [8290 Customers for re-engagement](https://app.getcensus.com/syncs/8290/sync-history) | Iterable · user | 50 accepted | 42 s | run 500 already delivered the fresh data |
      "
    `)
  })

  test('of a step with one sync that failed', () => {
    expect(told({ conclusion: 'failure', results: [result(), flawed, broken] })).toMatchInlineSnapshot(`
      "## ❌ Not every sync delivered

      3 syncs · 1 failed · 1 succeeded with warnings · 1 succeeded · 1,100 records accepted, 500 rejected, 2 invalid · in 1 min 35 s

      ### ❌ 8291 Orders → Salesforce · Opportunity: failed

      > the provider says: The field "…" with value "…" is no array

      run 502 · 1,000 accepted, 500 rejected · [Open the sync](https://app.getcensus.com/syncs/8291/sync-history)

      | Outcome | Sync | Destination | Records | Run took | Why |
      |---|---|---|---|---|---|
      | ❌ failed | [8291 Orders](https://app.getcensus.com/syncs/8291/sync-history) | Salesforce · Opportunity | 1,000 accepted, 500 rejected | 42 s | the provider says: The field "…" with value "…" is no array |
      | ⚠️ succeeded with warnings | [8292 Leads](https://app.getcensus.com/syncs/8292/sync-history) |  | 50 accepted, 2 invalid | 42 s | 2 records invalid and not sent |
      | ✅ succeeded | [8290 Customers for re-engagement](https://app.getcensus.com/syncs/8290/sync-history) | Iterable · user | 50 accepted | 42 s | completed |
      "
    `)
  })

  test('of a plan', () => {
    const results = [
      result({ outcome: 'planned', reason: 'would trigger', runId: null, run: null, attempts: 0, polls: 0 }),
      result({ ...flawed, outcome: 'skipped', reason: 'the sync is paused (on-paused: skip)', runId: null, run: null }),
    ]
    expect(told({ results }, { mode: 'plan', tookMs: 400 })).toMatchInlineSnapshot(`
      "## 📝 The plan: nothing was triggered

      2 syncs · 1 planned · 1 skipped · in 0.4 s

      | Outcome | Sync | Destination | Records | Run took | Why |
      |---|---|---|---|---|---|
      | 📝 planned | [8290 Customers for re-engagement](https://app.getcensus.com/syncs/8290/sync-history) | Iterable · user |  |  | would trigger |
      | ⏭️ skipped | [8292 Leads](https://app.getcensus.com/syncs/8292/sync-history) |  |  |  | the sync is paused (on-paused: skip) |
      "
    `)
  })

  test('of a step that only triggers', () => {
    const results = [result({ outcome: 'triggered', reason: 'triggered', run: null, polls: 0 })]
    expect(told({ results }, { mode: 'trigger', tookMs: 1200 })).toMatchInlineSnapshot(`
      "## ✅ Every sync was triggered

      1 sync · 1 triggered · in 1 s

      | Outcome | Sync | Destination | Records | Run took | Why |
      |---|---|---|---|---|---|
      | ✅ triggered | [8290 Customers for re-engagement](https://app.getcensus.com/syncs/8290/sync-history) | Iterable · user |  |  | triggered |
      "
    `)
  })

  test('of a step with wrong inputs', () => {
    const problem =
      'Nothing was triggered: an input is not right. mode: "walk" is not allowed. Allowed: run, trigger, wait, plan.'
    expect(told({ conclusion: 'failure', results: [], problems: [problem] }, { tookMs: 80 })).toMatchInlineSnapshot(`
      "## ❌ Not every sync delivered

      0 syncs · in 0.1 s

      > Nothing was triggered: an input is not right. mode: "walk" is not allowed. Allowed: run, trigger, wait, plan.

      "
    `)
  })

  test('of a workflow that was cancelled', () => {
    const stopped = result({
      outcome: 'cancelled',
      reason: 'the workflow was cancelled; its run was told to stop',
      run: run({ state: 'running', status: 'working', finishedAt: null }),
    })
    const unstarted = result({
      ...flawed,
      outcome: 'cancelled',
      reason: 'the workflow was cancelled before a trigger',
      runId: null,
      run: null,
    })
    expect(told({ conclusion: 'cancelled', results: [stopped, unstarted] })).toMatchInlineSnapshot(`
      "## 🛑 The workflow was cancelled

      2 syncs · 2 cancelled · 50 records accepted · in 1 min 35 s

      ### 🛑 8290 Customers for re-engagement → Iterable · user: cancelled

      > the workflow was cancelled; its run was told to stop

      run 501 · 50 accepted · [Open the sync](https://app.getcensus.com/syncs/8290/sync-history)

      ### 🛑 8292 Leads: cancelled

      > the workflow was cancelled before a trigger

      [Open the sync](https://app.getcensus.com/syncs/8292/sync-history)

      | Outcome | Sync | Destination | Records | Run took | Why |
      |---|---|---|---|---|---|
      | 🛑 cancelled | [8290 Customers for re-engagement](https://app.getcensus.com/syncs/8290/sync-history) | Iterable · user | 50 accepted |  | the workflow was cancelled; its run was told to stop |
      | 🛑 cancelled | [8292 Leads](https://app.getcensus.com/syncs/8292/sync-history) |  |  |  | the workflow was cancelled before a trigger |
      "
    `)
  })

  test.each([
    ['success', 'run', '✅ Every sync delivered'],
    ['success', 'wait', '✅ Every sync delivered'],
    ['success', 'trigger', '✅ Every sync was triggered'],
    ['success', 'plan', '📝 The plan: nothing was triggered'],
    ['failure', 'run', '❌ Not every sync delivered'],
    ['failure', 'plan', '❌ Not every sync delivered'],
    ['cancelled', 'trigger', '🛑 The workflow was cancelled'],
    ['timed_out', 'run', '⌛ Not every sync ended in time'],
    ['skipped', 'run', '⏭️ Nothing had to be synced'],
  ] as const)('of %s in mode %s has the headline %j', (conclusion, mode, headline) => {
    expect(told({ conclusion }, { mode }).split('\n')[0]).toBe(`## ${headline}`)
  })

  test('has a block for every red sync, none for others, and a row for all, worst first', () => {
    const markdown = told({
      conclusion: 'failure',
      results: [result(), flawed, broken, { ...broken, outcome: 'blocked' }],
    })
    expect(markdown.match(/^### .*/gm)).toEqual([
      '### ❌ 8291 Orders → Salesforce · Opportunity: failed',
      '### ⛔ 8291 Orders → Salesforce · Opportunity: blocked',
    ])
    expect(tableOf(markdown).rows.map(([outcome]) => outcome)).toEqual([
      '❌ failed',
      '⛔ blocked',
      '⚠️ succeeded with warnings',
      '✅ succeeded',
    ])
  })

  test('keeps the order of the syncs among equals', () => {
    const results = ['5', '3', '9', '1'].map((id) => result({ sync: sync({ id, name: id }) }))
    const names = tableOf(told({ results })).rows.map(([, name]) => name?.replace(/\].*/, ']'))
    expect(names).toEqual(['[sync 5]', '[sync 3]', '[sync 9]', '[sync 1]'])
  })

  test('quotes no records, unless details are asked for', () => {
    const results = [result({ ...broken, detail: 'row 7: "jim"' })]
    expect(told({ conclusion: 'failure', results })).not.toMatch(/jim|row 7/)
    const open = told({ conclusion: 'failure', results }, { details: true })
    expect(open.match(/value "jim"/g)).toHaveLength(2)
    expect(open.match(/row 7: "jim"/g)).toHaveLength(2)
  })

  test('does not claim that no record was accepted where nobody counted', () => {
    const uncounted = run({ counts: { processed: null, succeeded: null, failed: null, invalid: null } })
    expect(told({ results: [result({ run: uncounted })] })).not.toContain('record')
    expect(told({ results: [result({ run: null })] })).not.toContain('record')
    expect(told({ results: [result({ run: uncounted }), result()] })).toContain('50 records accepted')
  })
})

describe('a summary of very much', () => {
  const words = 'all work and no play '.repeat(500)
  test.each([
    ['words', words, false],
    ['words and details', words, true],
    ['one long word', 'x'.repeat(10_000), true],
    ['one long word without details', 'x'.repeat(10_000), false],
    ['characters of four bytes', '🚀'.repeat(5000), true],
    ['characters that grow when they are escaped', '<|@&'.repeat(2500), true],
    ['characters that are taken apart', '::##['.repeat(2000), true],
  ])('stays below its limit and keeps its shape: 500 failures with 10 kB of %s each', (_name, message, details) => {
    const good = Array.from({ length: 100 }, (_, index) => result({ sync: sync({ id: String(100 + index) }) }))
    const bad = Array.from({ length: 500 }, (_, index) =>
      result({ ...broken, sync: sync({ id: String(1000 + index), name: message }), message, detail: message }),
    )
    const markdown = told({ conclusion: 'failure', results: [...good, ...bad] }, { details })
    expect(bytes(markdown)).toBeLessThan(900_000)

    const { head, rows } = tableOf(markdown)
    expect(head).toEqual(['Outcome', 'Sync', 'Destination', 'Records', 'Run took', 'Why'])
    expect(rows.length).toBeGreaterThan(0)
    const lines = markdown.split('\n').filter((line) => line.startsWith('| '))
    expect(lines).toHaveLength(rows.length + 1)
    for (const line of lines) expect(line.match(/(?<!\\)\|/g)).toHaveLength(7)
    // Failures first, and all of them before anything good.
    const failed = Math.min(rows.length, 500)
    expect(rows.slice(0, failed).every(([outcome]) => outcome === '❌ failed')).toBe(true)
    expect(rows.slice(failed).every(([outcome]) => outcome === '✅ succeeded')).toBe(true)

    // What there is no room for is counted.
    const blocks = markdown.match(/^### ❌/gm)?.length ?? 0
    expect(blocks).toBeGreaterThan(0)
    const missing = [500 - blocks, 600 - rows.length].filter((count) => count > 0)
    expect(missing.length).toBeGreaterThan(0)
    expect(markdown.match(/^… and .*/gm)).toEqual(missing.map((count) => `… and ${count} more syncs.`))
  })

  test('tells of more than a thousand syncs that are left out in readable numbers', () => {
    const message = '🚀'.repeat(5000)
    const bad = Array.from({ length: 2000 }, () => result({ ...broken, message }))
    const markdown = told({ conclusion: 'failure', results: bad }, { details: true })
    expect(bytes(markdown)).toBeLessThan(900_000)
    expect(markdown).toMatch(/^… and 1,\d{3} more syncs\.$/m)
  })

  test('leaves nothing out where there is room', () => {
    const results = Array.from({ length: 1000 }, (_, index) => result({ sync: sync({ id: String(index) }) }))
    const markdown = told({ results })
    expect(tableOf(markdown).rows).toHaveLength(1000)
    expect(markdown).not.toContain('more sync')
    expect(markdown.endsWith('|\n')).toBe(true)
  })

  test('holds a problem of any length', () => {
    const markdown = told({ conclusion: 'failure', results: [broken], problems: ['wrong '.repeat(100_000)] })
    expect(bytes(markdown)).toBeLessThan(10_000)
    expect(tableOf(markdown).rows).toHaveLength(1)
  })
})

describe('names and messages from outside', () => {
  const OURS = ['h2', 'h3', 'p', 'blockquote', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td']
  const pieces = [
    '<img src=x onerror=alert(1)>',
    '<a href="https://evil.example">',
    '</td></table>',
    '<!--',
    '-->',
    '](https://evil.example)',
    '[x](https://evil.example)',
    '![x](https://evil.example/x.png)',
    '[x]: https://evil.example',
    'https://evil.example',
    'www.evil.example',
    'jane@evil.example',
    '@team',
    '#1',
    '|',
    '\\',
    '\\|',
    '`',
    '```',
    '$$',
    '~~',
    '**',
    '\n',
    '\n\n# x\n\n',
    '\r\n- x',
    '\u2028',
    '|---|',
    '&lt;script&gt;',
    '&#60;',
    '✅ succeeded',
  ]
  const hostile = lacedWith(pieces)

  test('leave only our tags, our links and our rows', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, message, destination) => {
        const bad = result({ ...broken, sync: sync({ name, destination }), message, detail: message })
        const shown = (problems: string[], results: Result[]) => {
          const markdown = told({ conclusion: 'failure', results, problems }, { details: true })
          const html = marked.parse(markdown, { async: false, gfm: true })
          const tags = [...html.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, tag]) => tag)
          expect(OURS).toEqual(expect.arrayContaining([...new Set(tags)]))
          expect(html).not.toContain('<!--')
          return {
            links: [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, href]) => href),
            heads: html.match(/<h[23]/g)?.length,
            cells: html.match(/<td/g)?.length,
          }
        }
        expect(shown([], [bad, flawed])).toEqual({ links: [bad.url, bad.url, flawed.url], heads: 2, cells: 12 })
        expect(shown([message], [bad])).toEqual({ links: [bad.url], heads: 1, cells: 6 })
      }),
      { numRuns: 1000 },
    )
  })
})

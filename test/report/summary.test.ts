import fc from 'fast-check'
import { Lexer, marked } from 'marked'
import { describe, expect, test } from 'vitest'
import type { Mode } from '../../src/core/inputs.ts'
import type { Result } from '../../src/core/result.ts'
import { HINTS } from '../../src/report/hints.ts'
import { messageOf, type Report } from '../../src/report/outputs.ts'
import { summaryOf } from '../../src/report/summary.ts'
import { result, run, sync } from '../support/builders.ts'
import { lacedWith } from '../support/hostile.ts'

function told(report: Partial<Report> = {}, options: { mode?: Mode; details?: boolean; tookMs?: number } = {}): string {
  return summaryOf(
    { conclusion: 'success', results: [result()], problems: [], ...report },
    { mode: 'run', details: false, tookMs: 95_000, spans: new Map(), ...options },
  )
}

function bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}

/** The rows of all tables with such a head, as a Markdown parser sees them: a row is a list of texts. */
function tableOf(markdown: string, first = 'Outcome'): { head: string[]; rows: string[][] } {
  const unfolded = markdown.replaceAll(/<\/?details>|<summary>.*<\/summary>/g, '')
  const tables = new Lexer({ gfm: true })
    .blockTokens(unfolded, [])
    .flatMap((token) => (token.type === 'table' && token.header[0].text === first ? [token] : []))
  const texts = (cells: { text: string }[]) => cells.map(({ text }) => text)
  return { head: texts(tables[0]?.header ?? []), rows: tables.flatMap(({ rows }) => rows.map(texts)) }
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
  const fresh = result({ outcome: 'fresh' })
  const skipped = result({ outcome: 'skipped' })
  const late = result({ outcome: 'timed_out' })
  const forgiven = { ...broken, tolerated: 'allow-failure' }
  const triggered = result({ outcome: 'triggered', run: null })
  const attached = { ...triggered, attempts: 0, adopted: true }
  const behind = result({ outcome: 'skipped', hint: 'older-run' })
  const empty = result({
    outcome: 'warned',
    run: run({ counts: { processed: 0, succeeded: 0, failed: 0, invalid: 40 } }),
  })
  const planned = result({ outcome: 'planned', run: null })
  const foreseen = result({ outcome: 'planned', foreseen: 'blocked', run: null })
  const unknown = result({ outcome: 'unknown', run: null })
  const stale = result({
    outcome: 'fresh',
    run: run({ counts: { processed: 9, succeeded: 8, failed: 1, invalid: 0 } }),
  })
  test.each([
    ['success', 'run', [result()], '✅ The sync delivered'],
    ['success', 'run', [result(), fresh], '✅ All 2 syncs delivered'],
    ['success', 'wait', [result(), flawed], '⚠️ All 2 syncs delivered, but not every record'],
    ['success', 'run', [flawed], '⚠️ The sync delivered, but not every record'],
    ['success', 'run', [result(), skipped], '✅ Every sync that had to deliver did'],
    ['success', 'run', [flawed, skipped], '⚠️ Every sync that had to deliver did, but not every record'],
    ['success', 'run', [result(), stale], '⚠️ All 2 syncs delivered, but not every record'],
    ['failure', 'plan', [broken, foreseen, planned], '❌ 2 of 3 syncs could not run'],
    ['success', 'run', [result(), forgiven], '⚠️ 1 of 2 syncs did not deliver, as is allowed'],
    ['success', 'run', [forgiven], '⚠️ The sync did not deliver, as is allowed'],
    ['failure', 'run', [unknown, result()], '❓ It is not known whether 1 of 2 syncs delivered'],
    ['failure', 'run', [unknown], '❓ It is not known whether the sync delivered'],
    ['failure', 'run', [unknown, broken], '❌ 1 of 2 syncs did not deliver, and of 1 it is not known'],
    [
      'failure',
      'run',
      [unknown, broken, broken, result()],
      '❌ 2 of 4 syncs did not deliver, and of 1 it is not known',
    ],
    ['failure', 'trigger', [unknown], '❓ It is not known whether the sync was triggered'],
    ['failure', 'trigger', [unknown, unknown], '❓ It is not known whether 2 of 2 syncs were triggered'],
    ['success', 'run', [empty], '⚠️ The sync ended, and no record was accepted'],
    ['success', 'run', [empty, result()], '⚠️ All 2 syncs delivered, but not every record'],
    ['failure', 'trigger', [broken, broken, triggered], '❌ 2 of 3 syncs were not triggered'],
    ['failure', 'trigger', [broken, broken], '❌ None of 2 syncs was triggered'],
    [
      'skipped',
      'run',
      [{ ...broken, outcome: 'blocked', tolerated: 'on-blocked: skip' }, skipped],
      '⛔ Nothing was synced: 1 blocked',
    ],
    ['success', 'trigger', [triggered], '✅ The sync was triggered'],
    ['success', 'trigger', [triggered, triggered], '✅ All 2 syncs were triggered'],
    ['success', 'trigger', [{ ...fresh, attempts: 0 }], '✅ Every sync that had to be triggered was'],
    ['success', 'trigger', [attached, triggered], '✅ Every sync that had to be triggered was'],
    ['success', 'plan', [planned], '📝 The plan: nothing was triggered'],
    ['success', 'plan', [foreseen, planned], '📝 The plan: 1 of 2 syncs would not ship'],
    ['success', 'plan', [foreseen, foreseen], '📝 The plan: none of 2 syncs would ship'],
    ['success', 'plan', [foreseen], '📝 The plan: the sync would not ship'],
    ['failure', 'run', [broken], '❌ The sync did not deliver'],
    ['failure', 'run', [broken, result(), forgiven], '❌ 1 of 3 syncs did not deliver'],
    ['failure', 'run', [broken, broken], '❌ None of 2 syncs delivered'],
    ['failure', 'run', [], '❌ Nothing was triggered'],
    ['failure', 'trigger', [broken, triggered], '❌ 1 of 2 syncs was not triggered'],
    ['failure', 'plan', [broken, planned], '❌ 1 of 2 syncs could not run'],
    ['timed_out', 'run', [late, result()], '⌛ 1 of 2 syncs did not end in time'],
    ['timed_out', 'run', [late], '⌛ The sync did not end in time'],
    ['cancelled', 'trigger', [broken], '🛑 The workflow was cancelled'],
    ['skipped', 'run', [skipped], '⏭️ Nothing had to be synced'],
    ['skipped', 'run', [skipped, behind], '⏭️ Nothing was synced'],
  ] as const)('says in its first line how it went: %s in mode %s', (conclusion, mode, results, headline) => {
    expect(told({ conclusion, results }, { mode }).split('\n')[0]).toBe(`## ${headline}`)
  })

  test('says at the top how many records arrived, and how many did not', () => {
    expect(told({ conclusion: 'failure', results: [result(), flawed, broken] }).split('\n')[2]).toBe(
      '3 syncs · 1 failed · 1 succeeded with warnings · 1 succeeded · 1,100 records accepted, 500 rejected, 2 invalid · in 1 min 35 s',
    )
  })

  test('says once what went wrong alike, with what to do about it', () => {
    const refused = {
      outcome: 'not_started',
      reason: 'the token was refused',
      hint: 'token-refused',
      run: null,
    } as const
    const results = ['1', '2', '3'].map((id) => result({ ...refused, sync: sync({ id, name: id, destination: null }) }))
    const markdown = told({ conclusion: 'failure', results })
    expect(markdown.match(/^### .*/gm)).toEqual(['### ⏹️ 3 syncs: not started'])
    expect(markdown.match(/What to do/g)).toHaveLength(1)
    expect(markdown).toContain(`**What to do:** ${HINTS['token-refused']}`)
    expect(markdown).toContain('[sync 1](https://app.getcensus.com/syncs/8290/sync-history), [sync 2]')
    const own = told({ conclusion: 'failure', results: [result({ ...refused, advice: 'Ask *the* owner.' })] })
    expect(own).toContain('**What to do:** Ask \\*the\\* owner.')
  })

  test('has no column without anything in it', () => {
    const refused = result({ outcome: 'not_started', sync: sync({ destination: null }), run: null, runId: null })
    expect(tableOf(told({ conclusion: 'failure', results: [refused] })).head).toEqual(['Outcome', 'Sync', 'Why'])
    const all = ['Outcome', 'Sync', 'Destination', 'Records', 'Run took', 'Why']
    expect(tableOf(told({ conclusion: 'failure', results: [refused, result()] })).head).toEqual(all)
  })

  test('folds good syncs away where there are many of them, and never one that is not', () => {
    const good = (count: number) => Array.from({ length: count }, (_, at) => result({ sync: sync({ id: String(at) }) }))
    expect(told({ results: good(20) })).not.toContain('nothing to worry about')
    const markdown = told({ conclusion: 'failure', results: [...good(21), flawed, broken] })
    const [open = '', folded = ''] = markdown.split(
      '<details><summary>✅ 21 syncs with nothing to worry about</summary>',
    )
    expect(open.match(/^\| (❌|⚠️)/gm)).toHaveLength(2)
    expect(open).not.toMatch(/^\| ✅/m)
    expect(folded.match(/^\| ✅/gm)).toHaveLength(21)
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

  test('names what is wrong by itself before what was stopped because of it', () => {
    const victim = result({
      outcome: 'not_started',
      reason: 'another sync failed before its turn (fail-fast)',
      run: null,
    })
    const markdown = told({ conclusion: 'failure', results: [victim, { ...victim, outcome: 'cancelled' }, broken] })
    expect(markdown.match(/^### \S+/gm)).toEqual(['### ❌', '### ⏹️', '### 🛑'])
    expect(messageOf({ conclusion: 'failure', results: [victim, broken], problems: [] })).toContain(' 8291 Orders: ')
  })

  test('keeps the order of the syncs among equals', () => {
    const results = ['5', '3', '9', '1'].map((id) => result({ sync: sync({ id, name: id }) }))
    const names = tableOf(told({ results })).rows.map(([, name]) => name?.replace(/\].*/, ']'))
    expect(names).toEqual(['[sync 5]', '[sync 3]', '[sync 9]', '[sync 1]'])
  })

  test('tells a run of somebody else from one that was found after its answer was lost', () => {
    const runs = (overrides: Partial<Result>) => told({ results: [result({ adopted: true, ...overrides })] })
    expect(runs({ attempts: 0 })).toContain('501 (not started by this step)')
    expect(runs({ attempts: 1 })).toContain('501 (found: the answer to its trigger was lost)')
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
      result({
        ...broken,
        sync: sync({ id: String(1000 + index), name: message }),
        message: `${index} ${message}`,
        detail: message,
      }),
    )
    const markdown = told({ conclusion: 'failure', results: [...good, ...bad] }, { details })
    expect(bytes(markdown)).toBeLessThan(900_000)

    const { head, rows } = tableOf(markdown)
    expect(head).toEqual(['Outcome', 'Sync', 'Destination', 'Records', 'Run took', 'Why'])
    expect(rows.length).toBeGreaterThan(0)
    const lines = markdown.split('\n').filter((line) => /^\| (?:❌|✅)/.test(line))
    expect(lines).toHaveLength(rows.length)
    for (const line of lines) expect(line.match(/(?<!\\)\|/g)).toHaveLength(7)
    // Failures first, and all of them before anything good.
    const failed = rows.findIndex(([outcome]) => outcome === '✅ succeeded')
    expect(failed).toBeGreaterThan(100)
    expect(rows.slice(0, failed).every(([outcome]) => outcome === '❌ failed')).toBe(true)
    expect(rows.slice(failed).every(([outcome]) => outcome === '✅ succeeded')).toBe(true)

    // What there is no room for is counted.
    const blocks = markdown.match(/^### ❌/gm)?.length ?? 0
    expect(blocks).toBeGreaterThan(0)
    expect(blocks).toBeLessThanOrEqual(20)
    const runs = tableOf(markdown, 'Sync').rows.length
    const missing = [500 - blocks, 500 - failed, 100 - (rows.length - failed), 600 - runs]
    expect(markdown.match(/^… and .*/gm)).toEqual(
      missing.filter((count) => count > 0).map((count) => `… and ${count} more syncs.`),
    )
    expect(markdown.match(/<details>/g)).toHaveLength(2)
    expect(markdown.match(/^<\/details>$/gm)).toHaveLength(2)
  })

  test('tells of more than a thousand syncs that are left out in readable numbers', () => {
    const message = '🚀'.repeat(5000)
    const name = '<'.repeat(80)
    const bad = Array.from({ length: 2000 }, () =>
      result({ ...broken, message, sync: sync({ name, destination: name }) }),
    )
    const markdown = told({ conclusion: 'failure', results: bad }, { details: true })
    expect(bytes(markdown)).toBeLessThan(900_000)
    expect(markdown).toMatch(/^… and 1,\d{3} more syncs\.$/m)
  })

  test('leaves nothing out where there is room', () => {
    const results = Array.from({ length: 1000 }, (_, index) => result({ sync: sync({ id: String(index) }) }))
    const markdown = told({ results })
    expect(tableOf(markdown).rows).toHaveLength(1000)
    expect(markdown).not.toContain('more sync')
    expect(tableOf(markdown, 'Sync').rows).toHaveLength(1000)
  })

  test('holds a problem of any length', () => {
    const markdown = told({ conclusion: 'failure', results: [broken], problems: ['wrong '.repeat(100_000)] })
    expect(bytes(markdown)).toBeLessThan(10_000)
    expect(tableOf(markdown).rows).toHaveLength(1)
  })
})

describe('names and messages from outside', () => {
  const OURS = [
    'details',
    'summary',
    'strong',
    'h2',
    'h3',
    'p',
    'blockquote',
    'a',
    'table',
    'thead',
    'tbody',
    'tr',
    'th',
    'td',
  ]
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
        // A column without anything in it would be left out.
        const bad = result({
          ...broken,
          sync: sync({ name, destination: `to ${destination}` }),
          message,
          detail: message,
        })
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
        expect(shown([], [bad, flawed])).toEqual({ links: [bad.url, bad.url, flawed.url], heads: 2, cells: 24 })
        expect(shown([message], [bad])).toEqual({ links: [bad.url], heads: 1, cells: 12 })
        // Said once of both, with a link to each.
        const alike = { ...bad, sync: { ...bad.sync, id: '8299' } }
        expect(shown([], [bad, alike])).toEqual({ links: Array(4).fill(bad.url), heads: 2, cells: 24 })
      }),
      { numRuns: 1000 },
    )
  })
})

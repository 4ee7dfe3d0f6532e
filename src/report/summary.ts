import { type Conclusion, isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { duration, number, plural } from './format.ts'
import { lineageOf } from './lineage.ts'
import { durationOf } from './log.ts'
import type { Report } from './outputs.ts'
import { markdown } from './safe.ts'
import { destinationOf, modelsOf, nameOf, OUTCOMES, recordsOf, whyOf } from './wording.ts'

/** GitHub drops a summary above 1 MiB whole; this leaves room for other text of the step. Bytes. */
const MOST_BYTES = 900_000

const HEADLINES: Record<Conclusion, string> = {
  success: '✅ Every sync delivered',
  failure: '❌ Not every sync delivered',
  cancelled: '🛑 The workflow was cancelled',
  timed_out: '⌛ Not every sync ended in time',
  skipped: '⏭️ Nothing had to be synced',
}

/** The job summary: what went wrong first, with what to do about it, then every sync in one table. Worst first where space is short. */
export function summaryOf(report: Report, options: { mode: string; details: boolean; tookMs: number }): string {
  const { conclusion, problems } = report
  const results = report.results.toSorted((a, b) => gravity(a) - gravity(b))
  const head = [
    `## ${headline(conclusion, options.mode)}`,
    '',
    [tally(results), records(results), `in ${duration(options.tookMs)}`].filter((part) => part !== '').join(' · '),
    '',
    ...problems.flatMap((problem) => [`> ${markdown(problem)}`, '']),
    '',
  ].join('\n')
  // Where the step never came to its syncs, its problem says it all.
  const failures = problems.length > 0 ? [] : results.filter(isRed)
  const blocks = failures.map((result) => failure(result, options.details))
  const withModels = results.some(({ ruling }) => ruling !== null && ruling.models !== null)
  const rows = results.map((result) => row(result, options.details, withModels))
  return squeeze(head, blocks, tableHead(withModels), rows, lineageOf(results))
}

function gravity(result: Result): number {
  if (isRed(result)) return 0
  return result.outcome === 'warned' || result.tolerated !== null ? 1 : 2
}

function headline(conclusion: Conclusion, mode: string): string {
  if (conclusion !== 'success') return HEADLINES[conclusion]
  if (mode === 'plan') return '📝 The plan: nothing was triggered'
  return mode === 'trigger' ? '✅ Every sync was triggered' : HEADLINES.success
}

function tally(results: readonly Result[]): string {
  const words = new Map<string, number>()
  for (const { outcome } of results) words.set(OUTCOMES[outcome].words, (words.get(OUTCOMES[outcome].words) ?? 0) + 1)
  return [
    plural(results.length, 'sync', 'syncs'),
    ...[...words].map(([word, count]) => `${number(count)} ${word}`),
  ].join(' · ')
}

function records(results: readonly Result[]): string {
  const sum = (count: 'succeeded' | 'failed' | 'invalid') =>
    results.reduce((total, { run }) => total + (run?.counts[count] ?? 0), 0)
  if (!results.some(({ run }) => run !== null && run.counts.succeeded !== null)) return ''
  const flaws = [
    sum('failed') > 0 ? `${number(sum('failed'))} rejected` : '',
    sum('invalid') > 0 ? `${number(sum('invalid'))} invalid` : '',
  ]
  return [`${plural(sum('succeeded'), 'record')} accepted`, ...flaws.filter((flaw) => flaw !== '')].join(', ')
}

function failure(result: Result, details: boolean): string {
  const where = destinationOf(result.sync) === '' ? '' : ` → ${markdown(destinationOf(result.sync))}`
  const facts = [
    modelsOf(result.ruling) === '' ? '' : `fed by ${markdown(modelsOf(result.ruling), 200)}`,
    result.runId === null ? '' : `run ${result.runId}`,
    result.run === null ? '' : recordsOf(result.run.counts),
  ].filter((fact) => fact !== '')
  return [
    `### ${OUTCOMES[result.outcome].mark} ${markdown(nameOf(result.sync), 200)}${where}: ${OUTCOMES[result.outcome].words}`,
    '',
    `> ${markdown(whyOf(result, details))}`,
    '',
    `${facts.length > 0 ? `${facts.join(' · ')} · ` : ''}[Open the sync](${result.url})`,
    '',
    '',
  ].join('\n')
}

function row(result: Result, details: boolean, withModels: boolean): string {
  const { sync, outcome, run, url, tolerated } = result
  const took = run === null ? null : durationOf(run)
  const cells = [
    `${OUTCOMES[outcome].mark} ${OUTCOMES[outcome].words}${tolerated === null ? '' : ` (${tolerated})`}`,
    `[${markdown(nameOf(sync), 200)}](${url})`,
    markdown(destinationOf(sync)),
    ...(withModels ? [markdown(modelsOf(result.ruling), 200)] : []),
    run === null ? '' : recordsOf(run.counts),
    took === null ? '' : duration(took),
    markdown(whyOf(result, details), 300),
  ]
  return `| ${cells.join(' | ')} |\n`
}

const COLUMNS = ['Outcome', 'Sync', 'Destination', 'Models', 'Records', 'Run took', 'Why']

/** The head of the table. Without anything from dbt it has no column for models. */
function tableHead(withModels: boolean): string {
  const columns = COLUMNS.filter((column) => withModels || column !== 'Models')
  return `| ${columns.join(' | ')} |\n|${columns.map(() => '---|').join('')}\n`
}

/** As many blocks and rows as there is room for, blocks first: they say more. */
function squeeze(
  head: string,
  blocks: readonly string[],
  table: string,
  rows: readonly string[],
  picture: string,
): string {
  const size = (text: string) => new TextEncoder().encode(text).length
  let left = MOST_BYTES - size(head) - size(table) - size(picture) - 200
  const take = (parts: readonly string[], share: number) => {
    const room = left * share
    let used = 0
    const fitting = parts.filter((part) => {
      used += size(part)
      return used <= room
    })
    left -= Math.min(used, room)
    const rest = parts.length - fitting.length
    return fitting.join('') + (rest === 0 ? '' : `\n… and ${plural(rest, 'more sync', 'more syncs')}.\n\n`)
  }
  const text = head + take(blocks, 0.5)
  const below = picture === '' ? '' : `\n${picture}`
  return rows.length === 0 ? text : text + table + take(rows, 1) + below
}

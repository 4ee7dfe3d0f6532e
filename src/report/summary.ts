import type { Mode } from '../core/inputs.ts'
import { COLORS, isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { detailsOf } from './details.ts'
import { duration, number, plural } from './format.ts'
import { hintOf } from './hints.ts'
import { lineageOf } from './lineage.ts'
import { GOOD, gravity, worstFirst } from './order.ts'
import { DELIVERED, type Report } from './outputs.ts'
import { Page, sizeOf } from './page.ts'
import { markdown } from './safe.ts'
import { type Column, tableOf } from './table.ts'
import { type Spans, timelineOf } from './timeline.ts'
import {
  destinationOf,
  durationOf,
  endOf,
  hasFlaws,
  modelsOf,
  nameOf,
  OUTCOMES,
  recordsOf,
  whyOf,
  wordsOf,
} from './wording.ts'

export interface SummaryOptions {
  mode: Mode
  /** Provider messages as they come, with what they quote from records. */
  details: boolean
  tookMs: number
  spans: Spans
}

/** GitHub drops a summary above 1 MiB whole; this leaves room for other text of the step. Bytes. */
const MOST_BYTES = 900_000
/** More blocks than these nobody reads one by one: the table has them all. */
const MOST_BLOCKS = 20
const MOST_NAMES = 12
/** More good syncs than these are folded away. */
const MOST_GOOD = 20

/**
 * The job summary: in one line how it went; what went wrong, with what to do about it; every sync in a table; pictures of what
 * happened when and of what feeds what; and, folded, the rest. Worst first, where space is short.
 */
export function summaryOf(report: Report, options: SummaryOptions): string {
  const results = worstFirst(report.results)
  const pictures = [timelineOf(results, options.spans), lineageOf(results)]
    .filter((picture) => picture !== '')
    .join('\n')
  const page = new Page(MOST_BYTES - sizeOf(pictures))
  page.add(head(report, results, options))
  // Where the step never came to its syncs, its problem says it all.
  const groups =
    report.problems.length > 0
      ? []
      : alike(
          results.filter(({ outcome }) => COLORS[outcome] === 'red'),
          options.details,
        )
  const blocks = groups.map((group) => ({ text: block(group, options.details), syncs: group.length }))
  page.list(blocks, { share: 0.5, most: MOST_BLOCKS })

  const { head: before, rows } = tableOf(columnsOf(options.details), results)
  const good = results.filter((result) => gravity(result) === GOOD)
  const folded = good.length > MOST_GOOD ? good : []
  page.list(rows(results.filter((result) => !folded.includes(result))), { share: 0.8, before, after: '\n' })
  const title = `<details><summary>${foldedTitle(folded)}</summary>\n\n`
  page.list(rows(folded), { share: 0.8, before: title + before, after: '\n</details>\n\n' })
  page.add(pictures === '' ? '' : `${pictures}\n`)
  detailsOf(results, page)
  return `${page.text.trimEnd()}\n`
}

function head(report: Report, results: readonly Result[], { mode, tookMs }: SummaryOptions): string {
  const facts = [results.length === 0 ? '' : tally(results), records(results), `in ${duration(tookMs)}`].filter(
    (fact) => fact !== '',
  )
  const [first] = report.problems.length > 0 ? results : []
  const hint = first === undefined ? '' : hintOf(first)
  return [
    `## ${headline(report, mode)}`,
    '',
    ...(results.length === 0 ? [] : [facts.join(' · '), '']),
    ...report.problems.flatMap((problem) => [`> ${markdown(problem)}`, '']),
    ...(hint === '' ? [] : [`**What to do:** ${markdown(hint)}`, '']),
    '',
  ].join('\n')
}

const DELIVERY = { single: 'delivered', all: 'delivered', one: 'did not deliver', many: 'did not deliver' }
/** What the step was to do with its syncs: one has, all have, one has not, several have not. */
const DONE: Record<Mode, typeof DELIVERY> = {
  run: DELIVERY,
  wait: DELIVERY,
  trigger: {
    single: 'was triggered',
    all: 'were triggered',
    one: 'was not triggered',
    many: 'were not triggered',
  },
  plan: { single: 'can run', all: 'can run', one: 'could not run', many: 'could not run' },
}

function headline({ conclusion, results }: Report, mode: Mode): string {
  const { single, all, one, many } = DONE[mode]
  const total = results.length
  const isBad = mode === 'plan' ? (result: Result) => COLORS[endOf(result)] === 'red' : isRed
  const red = results.filter(isBad)
  const subjectOf = (count: number) => (total === 1 ? 'The sync' : `${number(count)} of ${plural(total, 'sync')}`)
  const uncertain = red.filter(({ outcome }) => outcome === 'unknown').length
  const sure = red.length - uncertain
  const blocked = results.filter(({ outcome }) => outcome === 'blocked').length
  switch (conclusion) {
    case 'cancelled':
      return '🛑 The workflow was cancelled'
    case 'skipped':
      if (blocked > 0) return `⛔ Nothing was synced: ${number(blocked)} blocked`
      // What is paused, or waits behind another run, was left out and not needless.
      return `⏭️ Nothing ${results.some(({ hint }) => hint !== null) ? 'was' : 'had to be'} synced`
    case 'timed_out':
      return `⌛ ${subjectOf(red.length)} did not end in time`
    case 'failure':
      if (total === 0) return '❌ Nothing was triggered'
      if (sure === 0)
        return `❓ It is not known whether ${total === 1 ? `the sync ${single}` : `${subjectOf(uncertain)} ${uncertain === 1 ? single : all}`}`
      if (sure === total && total > 1) return `❌ None of ${plural(total, 'sync')} ${single}`
      return `❌ ${subjectOf(sure)} ${sure === 1 ? one : many}${uncertain > 0 ? `, and of ${number(uncertain)} it is not known` : ''}`
    case 'success':
      return mode === 'plan' ? plan(results) : success(results, mode)
  }
}

function plan(results: readonly Result[]): string {
  const total = results.length
  const bad = results.filter((result) => COLORS[endOf(result)] === 'red').length
  if (bad === 0) return '📝 The plan: nothing was triggered'
  if (bad === total)
    return `📝 The plan: ${total === 1 ? 'the sync would not ship' : `none of ${plural(total, 'sync')} would ship`}`
  return `📝 The plan: ${number(bad)} of ${plural(total, 'sync')} would not ship`
}

function success(results: readonly Result[], mode: Mode): string {
  const { single, all, one, many } = DONE[mode]
  const total = results.length
  const forgiven = results.filter(({ outcome }) => COLORS[outcome] === 'red').length
  if (forgiven > 0) {
    const subject = total === 1 ? 'The sync' : `${number(forgiven)} of ${plural(total, 'sync')}`
    return `⚠️ ${subject} ${forgiven === 1 ? one : many}, as is allowed`
  }
  const isDone = ({ outcome, attempts }: Result) => (mode === 'trigger' ? attempts > 0 : DELIVERED.includes(outcome))
  const isFlawed = results.some(hasFlaws)
  if (isFlawed && results.every(({ run }) => run?.counts.succeeded === 0))
    return `⚠️ ${total === 1 ? 'The sync' : `All ${plural(total, 'sync')}`} ended, and no record was accepted`
  const told = (text: string) => (isFlawed ? `⚠️ ${text}, but not every record` : `✅ ${text}`)
  if (!results.every(isDone))
    return told(`Every sync that had to ${mode === 'trigger' ? 'be triggered was' : 'deliver did'}`)
  return told(total === 1 ? `The sync ${single}` : `All ${plural(total, 'sync')} ${all}`)
}

function tally(results: readonly Result[]): string {
  const words = new Map<string, number>()
  for (const result of results) words.set(labelOf(result), (words.get(labelOf(result)) ?? 0) + 1)
  return [plural(results.length, 'sync'), ...[...words].map(([word, count]) => `${number(count)} ${word}`)].join(' · ')
}

/** In words, with what forgives it. */
function labelOf(result: Result): string {
  return `${wordsOf(result).words}${result.tolerated === null ? '' : ` (${result.tolerated})`}`
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

/** Results that went wrong in the same way, so that it is said once. */
function alike(results: readonly Result[], details: boolean): Result[][] {
  const groups = Map.groupBy(results, (result) =>
    JSON.stringify([result.outcome, result.tolerated, whyOf(result, details), hintOf(result)]),
  )
  return [...groups.values()]
}

function block(group: readonly Result[], details: boolean): string {
  const [first] = group
  if (first === undefined) return ''
  const { mark, words } = OUTCOMES[first.outcome]
  const hint = hintOf(first)
  const forgiven = first.tolerated === null ? '' : ` (${first.tolerated})`
  const isOne = group.length === 1
  return [
    isOne
      ? `### ${mark} ${markdown(nameOf(first.sync), 200)}${arrowTo(first)}: ${words}${forgiven}`
      : `### ${mark} ${plural(group.length, 'sync')}: ${words}${forgiven}`,
    '',
    `> ${markdown(whyOf(first, details))}`,
    '',
    isOne ? [...factsOf(first), `[Open the sync](${first.url})`].join(' · ') : names(group),
    '',
    ...(hint === '' ? [] : [`**What to do:** ${markdown(hint)}`, '']),
    '',
  ].join('\n')
}

function arrowTo({ sync }: Result): string {
  return destinationOf(sync) === '' ? '' : ` → ${markdown(destinationOf(sync))}`
}

function factsOf({ ruling, runId, run }: Result): string[] {
  return [
    modelsOf(ruling) === '' ? '' : `fed by ${markdown(modelsOf(ruling), 200)}`,
    runId === null ? '' : `run ${runId}`,
    run === null ? '' : recordsOf(run.counts),
  ].filter((fact) => fact !== '')
}

function names(group: readonly Result[]): string {
  const shown = group.slice(0, MOST_NAMES).map((result) => `${link(result)}${arrowTo(result)}`)
  const more = group.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${number(more)} more` : ''}`
}

function link({ sync, url }: Result): string {
  return `[${markdown(nameOf(sync), 80)}](${url})`
}

/** A blank at which a narrow column does not break the line. */
const NO_BREAK = '\u00a0'

function columnsOf(details: boolean): Column[] {
  return [
    {
      title: 'Outcome',
      cell: (result) => `${wordsOf(result).mark} ${labelOf(result)}`,
    },
    { title: 'Sync', cell: link },
    { title: 'Destination', cell: ({ sync }) => markdown(destinationOf(sync)) },
    { title: 'Models', cell: ({ ruling }) => markdown(modelsOf(ruling), 200) },
    { title: 'Records', cell: ({ run }) => (run === null ? '' : recordsOf(run.counts)) },
    {
      title: 'Run took',
      cell: ({ run }) => {
        const took = run === null ? null : durationOf(run)
        return took === null ? '' : duration(took).replaceAll(' ', NO_BREAK)
      },
    },
    { title: 'Why', cell: (result) => markdown(whyOf(result, details), 160) },
  ]
}

function foldedTitle(good: readonly Result[]): string {
  return `✅ ${plural(good.length, 'sync')} with nothing to worry about`
}

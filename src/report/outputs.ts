import { COLORS, type Conclusion, isRed, type Outcome } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { number, plural } from './format.ts'
import { worstFirst } from './order.ts'
import { plain } from './safe.ts'
import { durationOf, nameOf, OUTCOMES, whyOf, wordsOf } from './wording.ts'

export interface Report {
  conclusion: Conclusion
  results: readonly Result[]
  /** Why the step never came to its syncs, in sentences; empty where it did. */
  problems: readonly string[]
}

/** The data is at its destination. */
export const DELIVERED: readonly Outcome[] = ['succeeded', 'warned', 'fresh']

/** The outputs of the step, every one on every path. They never carry a provider's words as they came. */
export function outputsOf(report: Report): Record<string, string> {
  const { conclusion, results } = report
  const red = results.filter(({ outcome }) => COLORS[outcome] === 'red')
  const blocked = results.filter(({ outcome }) => outcome === 'blocked')
  const failed = red.filter(({ outcome }) => outcome !== 'blocked')
  const ids = (some: readonly Result[]) =>
    JSON.stringify([...new Set(some.map(({ sync }) => sync.id))].filter((id) => id !== ''))
  const sum = (count: 'succeeded' | 'failed' | 'invalid') =>
    String(results.reduce((total, { run }) => total + (run?.counts[count] ?? 0), 0))
  const withRun = results.filter(({ runId }) => runId !== null)
  const worst = results.filter(isRed)
  const first = worst.find(({ runId }) => runId !== null) ?? withRun[0] ?? worst[0] ?? results[0]
  return {
    conclusion,
    results: resultsJson(results),
    runs: JSON.stringify(
      withRun.map(({ provider, sync, runId }) => ({ provider, sync_id: sync.id || null, run_id: runId })),
    ),
    'succeeded-count': String(results.filter(({ outcome }) => DELIVERED.includes(outcome)).length),
    'failed-count': String(failed.length),
    'skipped-count': String(results.filter(({ outcome }) => outcome === 'skipped').length),
    'blocked-count': String(blocked.length),
    'failed-sync-ids': ids(failed),
    'blocked-sync-ids': ids(blocked),
    'records-succeeded': sum('succeeded'),
    'records-failed': sum('failed'),
    'records-invalid': sum('invalid'),
    url: first?.url ?? '',
    message: messageOf(report),
  }
}

/** GitHub takes outputs of up to 1 MB, in UTF-16. This leaves some room. */
const MOST_CHARACTERS = 500_000

/** All results, every sync of them. Where there is much to say of many, texts are cut, and at last only the essence is left. */
function resultsJson(results: readonly Result[]): string {
  for (const longest of [1000, 300, 100]) {
    const json = JSON.stringify(results.map((result) => toJson(result, longest)))
    if (json.length <= MOST_CHARACTERS) return json
  }
  const essence = results.map(({ provider, sync, outcome, runId }) => ({
    provider,
    sync_id: sync.id || null,
    outcome,
    run_id: runId,
  }))
  return JSON.stringify(essence)
}

function toJson(result: Result, longest: number) {
  const { run } = result
  const took = run === null ? null : durationOf(run)
  return {
    provider: result.provider,
    sync_id: result.sync.id || null,
    name: plain(result.sync.name, longest),
    outcome: result.outcome,
    reason: plain(whyOf(result, false), longest),
    run_id: result.runId,
    adopted: result.adopted,
    url: result.url,
    models: result.ruling?.models?.map((id) => plain(id, longest)) ?? null,
    created_at: isoTime(run?.createdAt ?? null),
    finished_at: isoTime(run?.finishedAt ?? null),
    duration_seconds: took === null ? null : took / 1000,
    records: run?.counts ?? { processed: null, succeeded: null, failed: null, invalid: null },
    attempts: result.attempts,
    polls: result.polls,
  }
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/** One safe sentence that says how the step went. */
export function messageOf({ conclusion, results, problems }: Report): string {
  if (results.length === 0) return plain(problems.join(' ') || 'There was nothing to sync.')
  const parts = (Object.keys(OUTCOMES) as Outcome[]).flatMap((outcome) => {
    const words = Map.groupBy(
      results.filter((result) => result.outcome === outcome),
      (result) => wordsOf(result).words,
    )
    return [...words].map(([word, some]) => `${number(some.length)} ${word}`)
  })
  // Of a cancelled workflow each sync has the same to say.
  const worst =
    conclusion === 'cancelled' ? undefined : worstFirst(results).find(({ outcome }) => COLORS[outcome] === 'red')
  const example = worst === undefined ? '' : ` ${nameOf(worst.sync)}: ${whyOf(worst, false)}`
  const head = conclusion === 'cancelled' ? 'The workflow was cancelled. ' : ''
  const why = problems.length === 0 ? example : ` ${problems.join(' ')}`
  return plain(`${head}${plural(results.length, 'sync', 'syncs')}: ${parts.join(', ')}.${why}`)
}

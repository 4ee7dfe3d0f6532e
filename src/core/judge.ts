import type { Hint } from './hint.ts'
import type { Counts, Run } from './provider.ts'

export type Outcome =
  | 'succeeded'
  | 'warned'
  | 'fresh'
  | 'triggered'
  | 'planned'
  | 'skipped'
  | 'blocked'
  | 'failed'
  | 'cancelled'
  | 'timed_out'
  | 'unknown'
  | 'not_started'

export type Color = 'green' | 'red'

/** What each outcome means for the step: the exit rule, in one table. */
export const COLORS: Record<Outcome, Color> = {
  succeeded: 'green',
  warned: 'green',
  fresh: 'green',
  triggered: 'green',
  planned: 'green',
  skipped: 'green',
  blocked: 'red',
  failed: 'red',
  cancelled: 'red',
  timed_out: 'red',
  unknown: 'red',
  not_started: 'red',
}

export interface Verdict {
  outcome: Outcome
  /** One sentence of ours. It holds no foreign text but names and status words. */
  reason: string
  /** What the provider said, as it said it. */
  message?: string | null
  detail?: string | null
  hint?: Hint | null
}

/** A number of records, or a percentage of a base. */
export type Limit = { count: number } | { percent: number }

export interface RecordLimits {
  maxFailed: Limit | null
  maxInvalid: Limit | null
}

/** The verdict on a run that has ended. It starts from failure: only what is known to be good becomes green. */
export function judgeRun(run: Run, limits: RecordLimits): Verdict {
  const { message, detail } = run
  switch (run.state) {
    case 'succeeded':
      if (!run.movesData) return { outcome: 'failed', reason: 'it was a dry run, which delivers nothing' }
      return judgeRecords(run.counts, limits)
    case 'cancelled':
      return {
        outcome: 'cancelled',
        reason: 'the run was cancelled at the provider',
        message,
        detail,
        hint: 'run-cancelled',
      }
    case 'skipped':
      return { outcome: 'failed', reason: 'the provider skipped the run', message, detail, hint: 'run-skipped' }
    case 'failed':
      return {
        outcome: 'failed',
        reason: message === null ? 'the run failed' : 'the provider says',
        message,
        detail,
        hint: 'run-failed',
      }
    case 'queued':
    case 'running':
    case 'unrecognized':
      return { outcome: 'unknown', reason: `the run has not ended: its status is "${run.status}"` }
  }
}

function judgeRecords({ processed, succeeded, failed, invalid }: Counts, limits: RecordLimits): Verdict {
  const rejected = failed ?? 0
  const dropped = invalid ?? 0
  const sent = processed ?? (succeeded === null || failed === null ? null : succeeded + failed)
  if (rejected > 0 && (succeeded === 0 || (sent !== null && rejected >= sent))) {
    return {
      outcome: 'failed',
      reason: `the destination rejected every record (${inFull(rejected)})`,
      hint: 'records-rejected',
    }
  }
  if (failed === null && succeeded === 0 && (processed ?? 0) > 0) {
    return {
      outcome: 'unknown',
      reason: `the provider does not say what became of ${inFull(processed ?? 0)} records`,
      hint: 'no-counts',
    }
  }
  for (const [limit, name, count, base] of [
    [limits.maxFailed, 'max-failed-records', failed, sent],
    [limits.maxInvalid, 'max-invalid-records', invalid, sent === null || invalid === null ? null : sent + invalid],
  ] as const) {
    if (limit === null) continue
    if (count === null || (count > 0 && base === null && 'percent' in limit)) {
      return {
        outcome: 'unknown',
        reason: `the provider gave no record counts to hold against ${name}`,
        hint: 'no-counts',
      }
    }
    if ('count' in limit ? count > limit.count : count * 100 > (base ?? 0) * limit.percent) {
      const records = count === 1 ? 'record' : 'records'
      const what = name === 'max-failed-records' ? `${records} rejected` : `invalid ${records}`
      return {
        outcome: 'failed',
        reason: `${inFull(count)} ${what}, more than ${name} allows (${formatLimit(limit)})`,
        hint: 'records-rejected',
      }
    }
  }
  const flaws = [
    rejected > 0 ? `${inFull(rejected)} ${rejected === 1 ? 'record' : 'records'} rejected by the destination` : '',
    dropped > 0 ? `${inFull(dropped)} ${dropped === 1 ? 'record' : 'records'} invalid and not sent` : '',
  ].filter((flaw) => flaw !== '')
  if (flaws.length > 0) return { outcome: 'warned', reason: flaws.join(', '), hint: 'records-rejected' }
  const isSilent = processed === null && succeeded === null && failed === null
  if (isSilent) return { outcome: 'succeeded', reason: 'completed; the provider gave no record counts' }
  const untold = failed === null ? '; the provider does not say how many records were rejected' : ''
  return { outcome: 'succeeded', reason: `completed${untold}` }
}

function formatLimit(limit: Limit): string {
  return 'count' in limit ? inFull(limit.count) : `${limit.percent} %`
}

/** As people read it: 1,204. */
function inFull(count: number): string {
  return count.toLocaleString('en-US')
}

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'timed_out' | 'skipped'

/** What became of a sync, as far as the step's own colour is concerned. */
export interface Judged {
  outcome: Outcome
  /** The setting by which the step may be green though this outcome is red; null where it may not. */
  tolerated: string | null
}

/** Whether this turns the step red: the exit rule. */
export function isRed({ outcome, tolerated }: Judged): boolean {
  return COLORS[outcome] !== 'green' && tolerated === null
}

/**
 * The conclusion of the step. Success has to be earned: there is at least one sync, and every one is green.
 * `cancelled` says that the workflow was, not that a run was.
 */
export function conclude(syncs: readonly Judged[], cancelled: boolean): Conclusion {
  if (cancelled) return 'cancelled'
  const red = syncs.filter(isRed)
  if (red.length > 0) return red.every(({ outcome }) => outcome === 'timed_out') ? 'timed_out' : 'failure'
  if (syncs.length === 0) return 'failure'
  return syncs.every(({ outcome }) => outcome === 'skipped' || outcome === 'blocked') ? 'skipped' : 'success'
}

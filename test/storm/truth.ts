/** What is true of a run, as DESIGN says it should be judged; written apart from the code that is under test. */
import type { RunView } from '../simulator/index.ts'
import type { Policy, Trial } from './trial.ts'

/** The runs that a step with `mode: wait` is given, in the order of their syncs. */
export function awaited(runs: ReadonlyMap<number, readonly RunView[]>): { sync: number; run: RunView }[] {
  return [...runs].flatMap(([sync, all]) => {
    const [run] = [...all].sort((a, b) => b.createdAt - a.createdAt)
    return run === undefined ? [] : [{ sync, run }]
  })
}

export type Grade =
  | 'going on'
  | 'gone'
  | 'succeeded'
  | 'warned'
  | 'rejected'
  | 'uncounted'
  | 'failed'
  | 'cancelled'
  | 'skipped'

export function grade({ state }: RunView, { maxFailed, maxInvalid }: Pick<Policy, 'maxFailed' | 'maxInvalid'>): Grade {
  const { status, canceled, counts, vanished } = state
  if (canceled || status === 'cancelled' || status === 'canceled') return 'cancelled'
  if (status === 'failed' || status === 'skipped') return status
  if (status !== 'completed') return vanished ? 'gone' : 'going on'
  const { rejected, loaded, sent, invalid } = counts
  if (rejected !== null && rejected > 0 && (loaded === 0 || (sent !== null && rejected >= sent))) return 'rejected'
  for (const [limit, bad, whole] of [
    [maxFailed, rejected, sent],
    [maxInvalid, invalid, sent === null || invalid === null ? null : sent + invalid],
  ] as const) {
    if (limit === null) continue
    if (bad === null) return 'uncounted'
    if ('count' in limit ? bad > limit.count : bad > ((whole ?? 0) * limit.percent) / 100) return 'rejected'
  }
  return (rejected ?? 0) + (invalid ?? 0) > 0 ? 'warned' : 'succeeded'
}

/** Whether it came to an end after which a retry is allowed. */
export function hasEndedBadly(run: RunView, policy: Policy): boolean {
  return ['failed', 'rejected'].includes(grade(run, policy))
}

/** Whether the run began before the data was ready, so that it may have read what was there before. */
export function isOld({ createdAt }: RunView, { builtAgo }: Trial, began: number): boolean {
  return createdAt < began - (builtAgo ?? 0)
}

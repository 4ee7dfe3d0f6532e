import { COLORS, judgeRun, type RecordLimits, type Verdict } from './judge.ts'
import { hasEnded, hasMovedData, type Run, type Sync } from './provider.ts'
import type { Ruling } from './ruling.ts'
import { counts } from './watermark.ts'

/** What the user decided about syncs in general. */
export interface Policy extends RecordLimits {
  full: boolean
  onFresh: 'skip' | 'trigger'
  onRunning: 'queue' | 'attach' | 'skip' | 'fail'
  onPaused: 'fail' | 'skip' | 'trigger'
  onNotBuilt: 'skip' | 'trigger'
}

/** The next thing to do for a sync. `run` of a settled one is the run that has delivered already. */
export type Step =
  | { do: 'settle'; verdict: Verdict; run: Run | null }
  /** Watch this run and take its end for the sync's. */
  | { do: 'adopt'; run: Run; reason: string }
  /** Wait until this run has ended, then decide again. */
  | { do: 'queue'; run: Run; reason: string }
  /** `reason` is there if the run is not what everybody expects. */
  | { do: 'trigger'; reason: string | null }

/**
 * Decides what to do for a sync from what the provider shows: `history` newest first, `watermark` in milliseconds on the
 * provider's clock; and from what dbt says of its data, if it says anything. `own` are the runs that this step has started: they count
 * by their id, whatever the clocks say. The same function makes the plan and, each time
 * something has changed, the next step.
 */
export function decide(
  sync: Sync,
  history: readonly Run[],
  policy: Policy,
  watermark: number,
  ruling: Ruling | null = null,
  own: readonly string[] = [],
): Step {
  const barred = decidePaused(sync, policy) ?? decideGate(ruling)
  if (barred !== null) return { do: 'settle', verdict: barred, run: null }

  const active = activeRun(history)
  const due = decideNotBuilt(history, active, policy, ruling)
  if (typeof due === 'object' && due !== null) return { do: 'settle', verdict: due, run: null }

  const current = history.filter((run) => counts(run, watermark, policy.full) || own.includes(run.id))
  const good = current.find((run) => isGood(run, policy))
  if (policy.onFresh === 'skip' && good !== undefined) {
    return { do: 'settle', verdict: { outcome: 'fresh', reason: freshReason(good, policy) }, run: good }
  }
  if (active === null) return { do: 'trigger', reason: due }
  if (current.includes(active))
    return { do: 'adopt', run: active, reason: `run ${active.id} was created late enough to read the fresh data` }

  const what = active.movesData ? `run ${active.id}` : `dry run ${active.id}`
  const older = `${what} is still ${active.status}, and it may have read the data before it was ready`
  // A dry run delivers nothing: it can be waited out, but never be taken for the sync's run.
  if (policy.onRunning === 'fail')
    return {
      do: 'settle',
      verdict: { outcome: 'failed', reason: `${older} (on-running: fail)`, hint: 'older-run' },
      run: null,
    }
  if (policy.onRunning === 'queue' || !active.movesData) return { do: 'queue', run: active, reason: older }
  if (policy.onRunning === 'skip') {
    return {
      do: 'settle',
      verdict: {
        outcome: 'skipped',
        reason: `run ${active.id} is still ${active.status} (on-running: skip)`,
        hint: 'older-run',
      },
      run: null,
    }
  }
  return { do: 'adopt', run: active, reason: `run ${active.id} is still ${active.status} (on-running: attach)` }
}

function decidePaused(sync: Sync, policy: Policy): Verdict | null {
  if (!sync.paused || policy.onPaused === 'trigger') return null
  return {
    outcome: policy.onPaused === 'skip' ? 'skipped' : 'failed',
    reason: `the sync is paused (on-paused: ${policy.onPaused})`,
    hint: 'paused',
  }
}

function decideGate(ruling: Ruling | null): Verdict | null {
  switch (ruling?.gate) {
    case 'closed':
      return { outcome: 'blocked', reason: ruling.reason, hint: ruling.hint ?? 'gate-closed' }
    case 'elsewhere':
      return { outcome: 'blocked', reason: ruling.reason, hint: 'built-elsewhere' }
    case 'broken':
      return { outcome: 'failed', reason: ruling.reason, hint: 'bad-meta' }
    default:
      return null
  }
}

/**
 * A sync none of whose models is new is skipped, unless the provider still owes it: then its newest run has not delivered, and the
 * data of an earlier build has not arrived. Returns why it is left out, or why it is triggered all the same. A run that still goes on
 * decides later.
 */
function decideNotBuilt(
  history: readonly Run[],
  active: Run | null,
  policy: Policy,
  ruling: Ruling | null,
): Verdict | string | null {
  if (ruling?.gate !== 'not-built') return null
  if (policy.onNotBuilt === 'trigger') return `${ruling.reason} (on-not-built: trigger)`
  const newest = history.find(hasMovedData)
  if (newest === undefined) return `${ruling.reason}, but the sync has never run`
  if (newest === active) return null
  if (!isGood(newest, policy)) return `${ruling.reason}, but run ${newest.id}, its last one, did not deliver`
  return { outcome: 'skipped', reason: `${ruling.reason} (on-not-built: skip)` }
}

function isGood(run: Run, limits: RecordLimits): boolean {
  return COLORS[judgeRun(run, limits).outcome] === 'green'
}

function freshReason(run: Run, limits: RecordLimits): string {
  const verdict = judgeRun(run, limits)
  return `run ${run.id} already delivered the fresh data${verdict.outcome === 'warned' ? `; ${verdict.reason}` : ''}`
}

/**
 * The newest run that is still going. A provider runs a sync once at a time, so a run below one that went to its end is over,
 * whatever its status says; a skipped, cancelled or dry run above it proves nothing. A run with a status that the provider's
 * table does not know is over if it has a time of finishing.
 */
export function activeRun(history: readonly Run[]): Run | null {
  for (const run of history) {
    if (!hasEnded(run) && (run.state !== 'unrecognized' || run.finishedAt === null)) return run
    if (run.movesData && (run.state === 'succeeded' || run.state === 'failed')) return null
  }
  return null
}

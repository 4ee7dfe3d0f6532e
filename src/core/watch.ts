import { type Clock, expiring } from './clock.ts'
import type { Emit } from './events.ts'
import type { Hint } from './hint.ts'
import { COLORS, judgeRun, type RecordLimits, type Verdict } from './judge.ts'
import { LATEST_MS, type Polled, poll } from './poll.ts'
import { hasEnded, type Provider, ProviderError, type Run, type Sync } from './provider.ts'
import type { Trace } from './result.ts'
import { immediately, type Schedule } from './schedule.ts'
import { refusal, stopped, tooLate } from './verdicts.ts'

/** What watching needs from outside. Instants are monotonic milliseconds. */
export interface WatchTools {
  provider: Provider
  clock: Clock
  emit: Emit
  schedule: Schedule
  deadline: number
  outageToleranceMs: number
  /** Aborts when the workflow is cancelled. */
  signal: AbortSignal
  /** Aborts at the first red outcome under `fail-fast`: nothing new is started then. */
  halted: AbortSignal
}

export interface CancelPolicy {
  cancelOn: ReadonlySet<'cancel' | 'timeout' | 'failure'>
}

/** How the watching of a run ended. `run` is there only if the run itself came to an end. */
export interface Watched {
  verdict: Verdict
  run?: Run
}

/** "No such run" is believed after this long, whatever the outage tolerance: a fresh run may not be visible yet. */
const MISSING_MS = 60_000
/** How long a request to cancel may take, all syncs at once: a cancelled step has 7.5 s before the runner goes on to SIGTERM. */
const CANCEL_MS = 4000

/** Watches a run to its end and judges it. Only a `cancellable` run, which this step has caused, is ever cancelled. */
export async function followRun(
  sync: Sync,
  runId: string,
  cancellable: boolean,
  policy: RecordLimits & CancelPolicy,
  tools: WatchTools,
  trace: Trace,
): Promise<Watched> {
  const cutShort = cancellable && policy.cancelOn.has('failure')
  const signal = cutShort ? AbortSignal.any([tools.signal, tools.halted]) : tools.signal
  const polled = await watchCounted(sync, runId, policy, signal, tools, trace, hasEnded)
  const last = polled.last
  if (last !== null && hasEnded(last)) {
    const verdict = judgeRun(last, policy)
    // Complete, and nobody has read with how many records: that is no success yet.
    if (polled.end === 'done' || COLORS[verdict.outcome] === 'red' || !isUncounted(last)) return { verdict, run: last }
    return { verdict: uncounted(polled.error), run: last }
  }

  const seen = last === null ? 'it was never seen' : `its last status was "${last.status}"`
  switch (polled.end) {
    case 'done':
      throw new Error('a watched run is done only when it has ended')
    case 'lost': {
      const { error } = polled
      // A run that was never there is mostly an id that is not right.
      if (last === null && error.trouble === 'missing' && !cancellable)
        return { verdict: refusal('unknown', 'the run could not be read', error) }
      return {
        verdict: {
          ...refusal('unknown', `the run could not be read any more, ${seen}`, error),
          hint: hintOfLost(error),
        },
      }
    }
    case 'deadline': {
      const { error } = polled
      const blind = error === null ? '' : `, and then it could not be read (${error.message})`
      const left = error === null ? 'it goes on at the provider' : 'it may go on at the provider'
      const fate =
        cancellable && policy.cancelOn.has('timeout') ? await cancelRun(sync, runId, tools, tools.deadline) : left
      const hint = error === null ? 'timed-out' : hintOfLost(error)
      return {
        verdict: {
          outcome: 'timed_out',
          reason: `the run had not ended in time: ${seen}${blind}; ${fate}`,
          message: last?.message ?? null,
          hint: last?.state === 'unrecognized' ? 'strange-status' : hint,
        },
      }
    }
    case 'aborted': {
      const byUs = tools.signal.aborted ? policy.cancelOn.has('cancel') : true
      const fate = cancellable && byUs ? await cancelRun(sync, runId, tools) : 'its run goes on at the provider'
      const cause = tools.signal.aborted ? 'the workflow was cancelled' : 'another sync failed (fail-fast)'
      return { verdict: { outcome: 'cancelled', reason: `${cause}; ${fate}` } }
    }
  }
}

const RECOUNT_MS = 1000

/** Complete, and its counters are not there yet. */
export function isUncounted({ state, counts }: Run): boolean {
  return state === 'succeeded' && counts.failed === null
}

function uncounted(error: ProviderError | null): Verdict {
  const reason = 'the run has completed, but its record counts could not be read'
  return { outcome: 'unknown', reason, hint: error?.hint ?? 'no-counts' }
}

/** Reads a run that a list shows as complete without counters: what the run itself says, or why nobody knows how it ended. */
export async function recount(
  sync: Sync,
  runId: string,
  policy: RecordLimits,
  tools: WatchTools,
  trace: Trace,
): Promise<Run | Verdict> {
  const looks: Trace = { ...trace }
  const soon = { ...tools, schedule: immediately }
  const signal = AbortSignal.any([tools.signal, tools.halted])
  const polled = await watchCounted(sync, runId, policy, signal, soon, looks, () => true)
  trace.polls = looks.polls
  if (polled.end === 'done') return polled.value
  return polled.end === 'aborted' ? stopped(tools) : uncounted(polled.error)
}

/** A run may be complete before its counters are: they get one more look. */
async function watchCounted(
  sync: Sync,
  runId: string,
  policy: RecordLimits,
  signal: AbortSignal,
  tools: WatchTools,
  trace: Trace,
  isEnd: (run: Run) => boolean,
): Promise<Polled<Run>> {
  let isSecond = false
  const schedule: Schedule = (ms, looks) => (isSecond ? RECOUNT_MS : tools.schedule(ms, looks))
  return await watch(sync, runId, signal, { ...tools, schedule }, trace, (run) => {
    const isLacking = isUncounted(run) || (hasEnded(run) && judgeRun(run, policy).hint === 'no-counts')
    const isDone = isLacking ? isSecond : isEnd(run)
    isSecond = isLacking
    return isDone
  })
}

/** Where nothing says why a run cannot be read, it may go on, or have ended: somebody has to look. */
function hintOfLost({ trouble, hint }: ProviderError): Hint | null {
  return trouble === 'missing' || trouble === 'unavailable' ? 'lost-run' : hint
}

/** Waits until a run that is in the way has ended, however it ends. Returns why that cannot be waited for, or null. */
export async function standInLine(sync: Sync, run: Run, tools: WatchTools, trace: Trace): Promise<Verdict | null> {
  const signal = AbortSignal.any([tools.signal, tools.halted])
  const waited: Trace = { ...trace }
  const polled = await watch(sync, run.id, signal, tools, waited, hasEnded)
  trace.polls = waited.polls
  if (polled.end === 'done') return null
  const status = `run ${run.id} was still ${(polled.last ?? run).status}`
  if (polled.end === 'deadline') return tooLate(`${status} when the deadline came`, polled.error)
  if (polled.end === 'aborted') return stopped(tools)
  // An older run that is gone is in nobody's way.
  if (polled.error.trouble === 'missing') {
    trace.gone.add(run.id)
    return null
  }
  return refusal('not_started', `${status} when it could not be read any more`, polled.error)
}

async function watch(
  sync: Sync,
  runId: string,
  signal: AbortSignal,
  { provider, clock, schedule, deadline, outageToleranceMs, emit }: WatchTools,
  trace: Trace,
  until: (run: Run) => boolean,
): Promise<Polled<Run>> {
  let unreadableSince: number | null = null
  let face = ''
  return await poll(
    async (cut) => {
      trace.polls += 1
      const run = await provider.read(runId, cut)
      if (sync.id !== '' && run.syncId !== '' && run.syncId !== sync.id)
        throw new ProviderError('missing', `run ${runId} is said to be one of sync ${run.syncId}, not of ${sync.id}`)
      return run
    },
    until,
    {
      clock,
      schedule,
      deadline,
      signal,
      tolerate: ({ trouble }) => (trouble === 'missing' ? MISSING_MS : outageToleranceMs),
    },
    (seen) => {
      if (seen instanceof ProviderError) {
        if (unreadableSince === null && seen.trouble !== 'missing') emit({ kind: 'unreadable', sync, error: seen })
        if (seen.trouble !== 'missing') unreadableSince ??= clock.now()
        return
      }
      if (unreadableSince !== null) emit({ kind: 'readable', sync, afterMs: clock.now() - unreadableSince })
      unreadableSince = null
      trace.run = seen
      if (hasEnded(seen)) trace.ended.set(seen.id, seen)
      const now = JSON.stringify([seen.state, seen.status, seen.step, seen.counts])
      if (now !== face) emit({ kind: 'changed', sync, run: seen })
      face = now
    },
  )
}

async function cancelRun(
  sync: Sync,
  runId: string,
  { provider, clock, emit }: WatchTools,
  deadline = Number.POSITIVE_INFINITY,
): Promise<string> {
  if (provider.cancel === undefined) return 'its run goes on: this provider cannot cancel'
  emit({ kind: 'cancelling', sync, runId })
  // What cannot be cancelled by then the post step looks after.
  const until = Math.min(clock.now() + CANCEL_MS, deadline + LATEST_MS)
  const limit = expiring(clock, until, new AbortController().signal)
  try {
    await provider.cancel(runId, limit.signal)
    emit({ kind: 'cancelled', sync, runId })
    return 'its run was told to stop'
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return `its run may go on: cancelling did not work (${error.message})`
  } finally {
    limit.dispose()
  }
}

import { type Clock, expiring } from './clock.ts'
import type { Emit } from './events.ts'
import type { Verdict } from './judge.ts'
import { LAST_LOOK_MS, type Patience, type Polled, poll } from './poll.ts'
import { type Provider, ProviderError, type Run, type Sync } from './provider.ts'
import { immediately } from './schedule.ts'

/** How a trigger came out: a run to watch, or no run and why. */
export type Started =
  /** `cancellable`: this step is the run's cause, so that cancelling it takes nothing from anybody else. */
  | { kind: 'started'; runId: string; adopted: boolean; cancellable: boolean }
  /** Refused, and possibly because another run is in the way: worth another look at the history. */
  | { kind: 'busy'; verdict: Verdict }
  | { kind: 'ended'; verdict: Verdict; sent: boolean }

export interface TriggerTools {
  provider: Provider
  clock: Clock
  emit: Emit
  signal: AbortSignal
  deadline: number
  /** How long (ms) a request that cannot be sent is tried again. */
  outageToleranceMs: number
}

/** How long a run may take to appear in the provider's list after a lost answer. */
const RECONCILE_MS = 60_000
/** How long a cancelled step still looks for the run that it may have started. */
const LAST_CHANCE_MS = 1500
/** Nothing is triggered in the last second before the deadline: nobody could watch it. */
const TOO_LATE_MS = 1000

/**
 * Starts one run of a sync, and never two. No provider here has an idempotency key, so a trigger whose answer is lost is not
 * sent again: the run it may have started is looked for above `baseline`, the history as it was before (newest first).
 */
export async function startRun(
  sync: Sync,
  baseline: readonly Run[],
  full: boolean,
  tools: TriggerTools,
): Promise<Started> {
  const { provider, clock, emit, signal, deadline, outageToleranceMs } = tools
  const tolerate = ({ trouble, retryAfterMs }: ProviderError) => {
    // Throttling is no outage: it is waited out, or not at all.
    if (retryAfterMs !== null) return clock.now() + retryAfterMs < deadline - TOO_LATE_MS ? Number.POSITIVE_INFINITY : 0
    return trouble === 'unavailable' ? outageToleranceMs : 0
  }
  for (let resent = false; ; resent = true) {
    if (clock.now() > deadline - TOO_LATE_MS) return ended('not_started', 'the deadline came before the trigger')
    emit({ kind: 'intent', sync, baseline: baseline[0]?.id ?? null })
    const sent = await poll(
      async (cut) => {
        const answer = await provider.trigger(sync.id, { full }, cut)
        if (answer.kind === 'not-sent') throw answer.error
        return answer
      },
      () => true,
      { clock, schedule: immediately, deadline: deadline - TOO_LATE_MS + LAST_LOOK_MS, signal, tolerate },
    )
    if (sent.end !== 'done') return notSent(sent)
    const answer = sent.value
    if (answer.kind === 'accepted') return { kind: 'started', runId: answer.runId, adopted: false, cancellable: true }
    if (answer.kind === 'rejected') {
      const verdict = refusal('failed', 'the provider refused the trigger', answer.error)
      return answer.busy ? { kind: 'busy', verdict } : { kind: 'ended', verdict, sent: false }
    }

    const run = await reconcile(sync, baseline, full, tools)
    if (run !== null) return { kind: 'started', runId: run.id, adopted: true, cancellable: run.byApi }
    // The one case for a second request: the provider itself asked for it, and no run of the first can be found.
    if (answer.resend && !resent && !signal.aborted) continue
    return { kind: 'ended', verdict: refusal('unknown', lostReason(resent), answer.error), sent: true }
  }
}

/** Looks for a run that the lost trigger may have started: any run above the baseline brings the fresh data. */
async function reconcile(
  sync: Sync,
  baseline: readonly Run[],
  full: boolean,
  tools: TriggerTools,
): Promise<Run | null> {
  const { provider, clock, signal } = tools
  const look = async (cut: AbortSignal) => chooseNew(await provider.history(sync.id, cut), baseline, full)
  const found = (run: Run | null) => run !== null
  const patience: Patience = {
    clock,
    schedule: (_elapsed, looks) => Math.min(15_000, 1000 * 2 ** looks),
    deadline: Math.min(clock.now() + RECONCILE_MS, tools.deadline),
    signal,
    tolerate: () => Number.POSITIVE_INFINITY,
  }
  const polled = await poll(look, found, patience)
  if (polled.end !== 'aborted') return polled.end === 'done' ? polled.value : null
  const limit = expiring(clock, clock.now() + LAST_CHANCE_MS, new AbortController().signal)
  try {
    return await look(limit.signal)
  } catch (error) {
    if (error instanceof ProviderError) return null
    throw error
  } finally {
    limit.dispose()
  }
}

/** Of the runs that the baseline does not know and that lie above it: one started through the API before any other, then the newest. */
export function chooseNew(history: readonly Run[], baseline: readonly Run[], full: boolean): Run | null {
  const known = new Set(baseline.map((run) => run.id))
  const border = history.findIndex((run) => known.has(run.id))
  const above = (border === -1 ? history : history.slice(0, border)).filter(
    (run) => run.movesData && (run.full || !full),
  )
  return above.find((run) => run.byApi) ?? above[0] ?? null
}

function notSent(polled: Exclude<Polled<unknown>, { end: 'done' }>): Started {
  const { end, error } = polled
  if (end === 'aborted') return ended('cancelled', 'the workflow was cancelled before the trigger')
  if (end === 'lost')
    return {
      kind: 'ended',
      verdict: refusal('not_started', 'the trigger could not be sent', polled.error),
      sent: false,
    }
  return ended('not_started', `the deadline came before the trigger${error === null ? '' : `: ${error.message}`}`)
}

function ended(outcome: Verdict['outcome'], reason: string): Started {
  return { kind: 'ended', verdict: { outcome, reason }, sent: false }
}

export function refusal(outcome: Verdict['outcome'], reason: string, error: ProviderError): Verdict {
  return { outcome, reason: `${reason}: ${error.message}`, message: error.detail }
}

function lostReason(twice: boolean): string {
  return `the answer to the trigger was lost${twice ? ' twice' : ''}, no new run was found, and a second trigger could run the sync twice`
}

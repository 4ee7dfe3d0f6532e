import { type Clock, expiring } from './clock.ts'
import type { Emit } from './events.ts'
import type { Verdict } from './judge.ts'
import { LAST_LOOK_MS, LATEST_MS, type Patience, type Polled, poll } from './poll.ts'
import { type Provider, ProviderError, type Run, type Sync } from './provider.ts'
import { immediately } from './schedule.ts'
import { refusal, stopped, tooLate } from './verdicts.ts'
import type { Watermark } from './watermark.ts'

/** How a trigger came out: a run to watch, or no run and why. */
export type Started =
  /**
   * `cancellable`: this step is the run's cause, so that cancelling it takes nothing from anybody else. `certain`: no other request
   * of this step can have started a run as well.
   */
  | { kind: 'started'; runId: string; adopted: boolean; cancellable: boolean; certain: boolean; attempts: number }
  /** Refused, and possibly because another run is in the way: worth another look at the history. */
  | { kind: 'busy'; verdict: Verdict }
  /** Nothing was sent, and what was known of the runs is too old by now to decide anything. */
  | { kind: 'stale' }
  | { kind: 'ended'; verdict: Verdict; attempts: number }

/** What is known of the runs of a sync. */
export interface Known {
  newest: string | null
  ids: ReadonlySet<string>
  /** Until when (monotonic ms) a trigger may be sent on account of it. */
  goodUntil: number
}

export interface TriggerTools {
  provider: Provider
  clock: Clock
  emit: Emit
  signal: AbortSignal
  /** Aborts at the first red outcome under `fail-fast`: what has not been sent by then is not sent. */
  halted: AbortSignal
  deadline: number
  /** How long (ms) a request that cannot be sent, or a look for a lost run, is tried again. */
  outageToleranceMs: number
  watermark: Pick<Watermark, 'readyAt' | 'atLeast'>
}

/** A second request leaves this long after the last look for the run of the first, or not before another one. */
const LOOK_MS = 60_000
/** How long a run may take to appear in the provider's list after a lost answer. */
const RECONCILE_MS = 60_000
/** How long a cancelled step still looks for the run that it may have started. */
const LAST_CHANCE_MS = 1500
/** Nothing is triggered in the last second before the deadline: nobody could watch it. */
const TOO_LATE_MS = 1000
const TOO_LATE = 'the deadline came before the trigger'

/**
 * Starts one run of a sync, and never two. No provider here has an idempotency key, so a trigger whose answer is lost is not
 * sent again: the run it may have started is looked for among those that `known` does not have.
 */
export async function startRun(sync: Sync, known: Known, full: boolean, tools: TriggerTools): Promise<Started> {
  const { clock, emit, signal, deadline, watermark } = tools
  const began = watermark.atLeast(clock.wall())
  /** A run that the request before this one may have started. */
  const look = async (cut: AbortSignal) => {
    const since = Math.min(began, watermark.readyAt())
    const history = await tools.provider.history(sync.id, cut)
    // What stands behind the run that was the newest is older than it, also where a longer page shows it for the first time.
    const older = history.findIndex(({ id }) => id === known.newest)
    const newer = older === -1 ? history : history.slice(0, older)
    // What is known to be started by others has to be as new as any other run.
    const some = newer.filter(({ byOthers, createdAt }) => !byOthers || (createdAt ?? 0) >= watermark.readyAt())
    return chooseNew(some, known.ids, since, full)
  }
  const found = (run: Run, attempts: number): Started => {
    // One that was there before the trigger left, and listed late, is somebody else's.
    const cancellable = run.byApi && (run.createdAt ?? 0) >= began
    return { kind: 'started', runId: run.id, adopted: true, cancellable, certain: false, attempts }
  }
  for (let resent = false; ; resent = true) {
    if (clock.now() > deadline - TOO_LATE_MS) return ended(resent, tooLate(TOO_LATE, null))
    emit({ kind: 'intent', sync, baseline: known.newest, since: began, full })
    const sent = await send(sync, full, resent ? look : known.goodUntil, tools)
    if (sent.end !== 'done') return notSent(sent, resent, tools)
    const answer = sent.value
    if (answer.kind === 'stale') return answer
    if (answer.kind === 'found') return found(answer.run, 1)
    const attempts = resent ? 2 : 1
    if (answer.kind === 'accepted' && !known.ids.has(answer.runId)) {
      return { kind: 'started', runId: answer.runId, adopted: false, cancellable: true, certain: !resent, attempts }
    }
    // What is said to have been started, and was there before, is no answer to this trigger.
    const error =
      answer.kind === 'accepted' ? new ProviderError('unavailable', 'the answer names an older run') : answer.error
    const refused = refusal('failed', 'the provider refused the trigger', error)
    if (answer.kind === 'rejected' && !resent) {
      // Documented: some kinds of syncs, such as those that append, take no full sync.
      const verdict =
        full && refused.hint === 'request-refused' ? { ...refused, hint: 'full-sync-refused' as const } : refused
      return answer.busy ? { kind: 'busy', verdict } : { kind: 'ended', verdict, attempts: 0 }
    }

    const { run, isSure } = await reconcile(look, tools)
    if (run !== null) return found(run, attempts)
    // A second request may be refused on account of the run that the first one has started.
    if (answer.kind === 'rejected') return ended(resent, refused)
    // The one case for a second request: the provider itself asked for it, and there is no run of the first.
    if (answer.kind === 'ambiguous' && answer.resend && isSure && !resent && !signal.aborted) continue
    const verdict = refusal('unknown', lostReason(resent, isSure), error)
    return { kind: 'ended', verdict: { ...verdict, hint: 'lost-trigger' }, attempts }
  }
}

type Look = (cut: AbortSignal) => Promise<Run | null>

/**
 * Sends the trigger as soon as that is possible, once, and until what it was decided on is too old. A second request looks each time,
 * right before, for the run of the first.
 */
async function send(sync: Sync, full: boolean, basis: number | Look, tools: TriggerTools) {
  const { provider, clock, signal, halted, outageToleranceMs } = tools
  const deadline = tools.deadline - TOO_LATE_MS + LAST_LOOK_MS
  const tolerate = ({ trouble, retryAfterMs }: ProviderError) => {
    // Throttling is no outage: it is waited out, or not at all.
    if (retryAfterMs !== null)
      return clock.now() + retryAfterMs < tools.deadline - TOO_LATE_MS ? Number.POSITIVE_INFINITY : 0
    return trouble === 'unavailable' ? outageToleranceMs : 0
  }
  // What has left is not called back when another sync fails: that would only make its outcome uncertain.
  const limit = expiring(clock, deadline, signal)
  try {
    return await poll(
      async () => {
        const run = typeof basis === 'function' ? await basis(limit.signal) : null
        if (run !== null) return { kind: 'found', run } as const
        const until = typeof basis === 'function' ? clock.now() + LOOK_MS : basis
        const isStale = () => typeof basis === 'number' && clock.now() >= basis
        if (isStale()) return { kind: 'stale' } as const
        const hold = expiring(clock, until, halted)
        try {
          const answer = await provider.trigger(sync.id, { full, hold: hold.signal }, limit.signal)
          if (answer.kind !== 'not-sent') return answer
          // A wait that does not fit in ends the sync at once.
          const isHopeless = answer.error.retryAfterMs !== null && tolerate(answer.error) === 0
          if (isStale() && !isHopeless) return { kind: 'stale' } as const
          throw answer.error
        } finally {
          hold.dispose()
        }
      },
      () => true,
      { clock, schedule: immediately, deadline, signal: AbortSignal.any([signal, halted]), tolerate },
    )
  } finally {
    limit.dispose()
  }
}

/**
 * Looks for a run that the lost trigger may have started: for a minute, and for longer only where the list could not be read at the
 * end of that time, as long as an outage may last. `isSure`: it was read late enough to show that there is none.
 */
async function reconcile(look: Look, tools: TriggerTools): Promise<{ run: Run | null; isSure: boolean }> {
  const { clock, signal, outageToleranceMs } = tools
  const patience: Patience = {
    clock,
    schedule: (_elapsed, looks) => Math.min(15_000, 1000 * 2 ** looks),
    deadline: Math.min(clock.now() + RECONCILE_MS, tools.deadline),
    signal,
    tolerate: () => Number.POSITIVE_INFINITY,
  }
  const isAlive = (run: Run | null) => run !== null && run.state !== 'skipped'
  const isBlind = ({ hasLooked, error }: Polled<Run | null>) => !hasLooked || error !== null
  let polled = await poll(look, isAlive, patience)
  if (polled.end === 'deadline' && isBlind(polled)) {
    // A run that the provider skipped is better than none.
    const { last } = polled
    const longer = { ...patience, deadline: Math.min(clock.now() + outageToleranceMs, tools.deadline) }
    polled = await poll(look, () => true, longer)
    if (polled.end === 'deadline') polled.last ??= last
  }
  if (polled.end !== 'aborted') {
    return { run: polled.end === 'done' ? polled.value : polled.last, isSure: !isBlind(polled) }
  }
  const limit = expiring(
    clock,
    Math.min(clock.now() + LAST_CHANCE_MS, tools.deadline + LATEST_MS),
    new AbortController().signal,
  )
  try {
    return { run: await look(limit.signal), isSure: true }
  } catch (error) {
    if (error instanceof ProviderError) return { run: null, isSure: false }
    throw error
  } finally {
    limit.dispose()
  }
}

/**
 * Of the runs that are not known and were created since then: one that was started through the API before any other, one that the
 * provider did not skip before one that it did, then the newest. An older one may only have been listed late.
 */
export function chooseNew(
  history: readonly Run[],
  known: ReadonlySet<string>,
  since: number,
  full: boolean,
): Run | null {
  const isNew = ({ id, createdAt }: Run) => !known.has(id) && createdAt !== null && createdAt >= since
  const candidates = history.filter((run) => isNew(run) && run.movesData && (run.full || !full))
  const alive = candidates.filter(({ state }) => state !== 'skipped')
  const some = alive.length > 0 ? alive : candidates
  return some.find((run) => run.byApi) ?? some[0] ?? null
}

function notSent(polled: Exclude<Polled<unknown>, { end: 'done' }>, resent: boolean, tools: TriggerTools): Started {
  if (polled.end === 'aborted') return ended(resent, stopped(tools))
  if (polled.end === 'lost') return ended(resent, refusal('not_started', 'the trigger could not be sent', polled.error))
  return ended(resent, tooLate(TOO_LATE, polled.error))
}

/** Nothing was sent. But where something was before, nobody can say what came of that. */
function ended(resent: boolean, verdict: Verdict): Started {
  if (!resent) return { kind: 'ended', verdict, attempts: 0 }
  const reason = `the answer to the trigger was lost, and it could not be sent again: ${verdict.reason}`
  return { kind: 'ended', verdict: { ...verdict, outcome: 'unknown', reason, hint: 'lost-trigger' }, attempts: 1 }
}

function lostReason(twice: boolean, isSure: boolean): string {
  const lost = `the answer to the trigger was lost${twice ? ' twice' : ''}`
  return `${lost}, ${isSure ? 'no new run was found' : 'its run could not be looked for'}, and a second trigger could run the sync twice`
}

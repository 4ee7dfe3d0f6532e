import type { Verdict } from './judge.ts'
import { decide, type Policy, type Step } from './plan.ts'
import { reach } from './poll.ts'
import { hasEnded, hasMovedData, type Run, type Sync } from './provider.ts'
import { newTrace, type Result, resultOf, type Trace } from './result.ts'
import type { Ruling } from './ruling.ts'
import { aged, durationsOf, type Forecast, forecast, type Schedule } from './schedule.ts'
import { startRun } from './trigger.ts'
import { refusal, stopped, tooLate } from './verdicts.ts'
import {
  type CancelPolicy,
  followRun,
  isUncounted,
  recount,
  standInLine,
  type Watched,
  type WatchTools,
} from './watch.ts'
import { counts, type Watermark } from './watermark.ts'

export interface DeliveryPolicy extends Policy, CancelPolicy {
  /** False: a run that was triggered is not watched. */
  watch: boolean
  /** New runs after a failed one. */
  retries: number
  /** How long (ms) this sync may take, from its turn on. */
  ownTimeoutMs: number
}

/** Everything a sync's life needs from outside. */
export interface Tools extends WatchTools {
  /** When to look at a run, from what its sync's durations promise; null: nothing is known. */
  paceOf(expected: Forecast | null): Schedule
  /** Runs the function once one of the `max-parallel` places is free. */
  place<T>(run: () => Promise<T>): Promise<T>
  watermark: Watermark
}

/** The history of a sync, and when (monotonic ms) it was read. */
export interface Baseline {
  runs: Run[]
  readAt: number
}

/** A baseline older than this is read again before it decides anything. */
const BASELINE_MS = 60_000
const STALE: Baseline = { runs: [], readAt: Number.NEGATIVE_INFINITY }
/** Triggers whose runs the provider skipped, before this counts as a failure. */
const SKIPS = 3

/**
 * The life of one sync: decide from its history; wait for an older run, adopt a run, or trigger one; watch it to its end; and
 * once more if the provider skipped the run or a retry is left. Returns a result for whatever the provider does.
 */
export async function deliver(
  sync: Sync,
  first: Baseline,
  ruling: Ruling | null,
  policy: DeliveryPolicy,
  shared: Tools,
): Promise<Result> {
  const tools: Tools = { ...shared }
  /** The time that this sync may take begins with its turn, not while it waits for a place. */
  const begin = () => {
    if (tools.deadline === shared.deadline)
      tools.deadline = Math.min(shared.deadline, tools.clock.now() + policy.ownTimeoutMs)
  }
  const trace = newTrace()
  let baseline = first
  let failures = 0
  let failure: Verdict | null = null
  let skips = 0
  const settle = (verdict: Verdict) => {
    // Who has set retries knows that they were not enough.
    if (verdict.outcome === 'failed' && failures > 0)
      verdict = { ...verdict, reason: `after ${failures} ${failures === 1 ? 'retry' : 'retries'}, ${verdict.reason}` }
    // A retry that never came about takes nothing from what is known: a run has failed.
    const { run } = trace
    const wasStopped = verdict.outcome === 'cancelled' && run !== null && hasEnded(run) && run.state !== 'cancelled'
    const isUntried = verdict.outcome === 'not_started' || verdict.outcome === 'skipped' || wasStopped
    return resultOf(
      tools.provider,
      sync,
      isUntried && failure !== null ? withoutRetry(failure, verdict) : verdict,
      trace,
    )
  }
  for (;;) {
    const known = await refresh(sync, baseline, tools, trace)
    if ('outcome' in known) return settle(known)
    baseline = known

    const step = decide(sync, baseline.runs, policy, tools.watermark.readyAt(), ruling, trace.own)
    const uncounted = unasked(step, baseline.runs, policy, ruling, tools, trace)
    if (uncounted !== undefined) {
      const deadline = Math.min(tools.deadline, tools.clock.now() + policy.ownTimeoutMs)
      const seen = await recount(sync, uncounted.id, policy, { ...tools, deadline }, trace)
      if ('outcome' in seen) {
        // Of a sync that is left out its last run is asked for more than it has to tell.
        if (step.do === 'settle' && step.run === null) return settle(step.verdict)
        point(trace, uncounted.id, uncounted, true)
        return settle(seen)
      }
      baseline = { ...baseline, runs: baseline.runs.map((run) => (run.id === seen.id ? seen : run)) }
      continue
    }
    if (step.do === 'settle') {
      if (step.run !== null) point(trace, step.run.id, step.run, true)
      return settle(step.verdict)
    }
    if (step.do === 'queue') {
      begin()
      tools.emit({ kind: 'waiting', sync, run: step.run, reason: step.reason })
      const { schedule } = paceFor(step.run, baseline.runs, step.run.full, tools)
      const obstacle = await standInLine(sync, step.run, { ...tools, schedule }, trace)
      if (obstacle !== null) return settle(obstacle)
      baseline = STALE
      continue
    }

    const attempt = await tools.place(async () => {
      begin()
      return step.do === 'adopt'
        ? await adopt(sync, step.run, step.reason, baseline, policy, tools, trace)
        : await trigger(sync, baseline, ruling, policy, tools, trace)
    })
    if (attempt === 'decide again') {
      baseline = STALE
    } else if (attempt.last) {
      return settle(attempt.verdict)
    } else if (attempt.run?.state === 'skipped' || attempt.busy) {
      skips += 1
      const { reason, ...rest } = attempt.verdict
      if (skips === SKIPS) return settle({ ...rest, outcome: 'failed', reason: `${reason}, ${SKIPS} times in a row` })
      tools.emit({ kind: 'again', sync, verdict: attempt.verdict, retry: null })
      baseline = STALE
    } else if (attempt.run !== undefined && attempt.verdict.outcome === 'failed' && failures < policy.retries) {
      failures += 1
      failure = attempt.verdict
      tools.emit({ kind: 'again', sync, verdict: attempt.verdict, retry: { nth: failures, of: policy.retries } })
      baseline = STALE
    } else {
      return settle(attempt.verdict)
    }
  }
}

/** The run on which the step is decided, if a list shows it as complete without counters and it has not been asked for them yet. */
function unasked(
  step: Step,
  runs: readonly Run[],
  { onFresh, full }: DeliveryPolicy,
  ruling: Ruling | null,
  { watermark }: Tools,
  { ended }: Trace,
): Run | undefined {
  if (onFresh !== 'skip') return undefined
  const isUnasked = (run: Run) => isUncounted(run) && !ended.has(run.id)
  if (step.do === 'trigger') return runs.find((run) => isUnasked(run) && counts(run, watermark.readyAt(), full))
  if (step.do !== 'settle') return undefined
  const isIdle = ruling?.gate === 'not-built' && step.verdict.outcome === 'skipped' && step.verdict.hint !== 'paused'
  return [step.run ?? (isIdle ? runs.find(hasMovedData) : undefined)].find((run) => run && isUnasked(run))
}

/** `last`: whatever came of it, a further trigger could run the sync twice. */
type Attempt = 'decide again' | (Watched & { busy?: boolean; last?: boolean })

async function adopt(
  sync: Sync,
  run: Run,
  reason: string,
  baseline: Baseline,
  policy: DeliveryPolicy,
  tools: Tools,
  trace: Trace,
): Promise<Attempt> {
  if (tools.signal.aborted || tools.halted.aborted) return { verdict: stopped(tools) }
  point(trace, run.id, run, true)
  const { expected, schedule } = paceFor(run, baseline.runs, run.full, tools)
  tools.emit({ kind: 'triggered', sync, runId: run.id, adopted: true, cancellable: false, reason, expected })
  return policy.watch
    ? await followRun(sync, run.id, false, policy, { ...tools, schedule }, trace)
    : { verdict: { outcome: 'triggered', reason } }
}

async function trigger(
  sync: Sync,
  baseline: Baseline,
  ruling: Ruling | null,
  policy: DeliveryPolicy,
  tools: Tools,
  trace: Trace,
): Promise<Attempt> {
  const early = Math.min(tools.watermark.triggerAt() - tools.clock.wall(), tools.deadline - tools.clock.now())
  if (early > 0) await tools.clock.sleep(early, AbortSignal.any([tools.signal, tools.halted]))
  if (tools.signal.aborted || tools.halted.aborted) return { verdict: stopped(tools) }
  // The place may have been long in coming, and what was decided before may be wrong by now.
  const current = await refresh(sync, baseline, tools, trace)
  if ('outcome' in current) return { verdict: current }
  const step = decide(sync, current.runs, policy, tools.watermark.readyAt(), ruling, trace.own)
  if (step.do !== 'trigger' || unasked(step, current.runs, policy, ruling, tools, trace)) return 'decide again'

  const known = {
    newest: current.runs[0]?.id ?? null,
    ids: new Set([...current.runs.map(({ id }) => id), ...trace.own]),
    // Where all wait longer than that, nobody would ever have a turn.
    goodUntil: current.readAt + BASELINE_MS * 2 ** trace.waited,
  }
  const started = await startRun(sync, known, policy.full, tools)
  trace.waited = started.kind === 'stale' ? trace.waited + 1 : 0
  if (started.kind === 'stale' || started.kind === 'busy') tools.emit({ kind: 'dropped', sync })
  if (started.kind === 'stale') return 'decide again'
  if (started.kind === 'busy') {
    const again = await refresh(sync, STALE, tools, trace)
    const inTheWay =
      !('outcome' in again) &&
      decide(sync, again.runs, policy, tools.watermark.readyAt(), ruling, trace.own).do !== 'trigger'
    return { verdict: started.verdict, busy: inTheWay }
  }
  if (started.kind === 'ended') {
    trace.attempts += started.attempts
    return { verdict: started.verdict }
  }
  const { runId, adopted, cancellable, certain, attempts } = started
  trace.attempts += attempts
  trace.own = [...trace.own, runId]
  point(trace, runId, null, adopted)
  const reason = adopted ? 'the answer to the trigger was lost, and this new run was found' : 'triggered'
  const { expected, schedule } = paceFor(null, current.runs, policy.full, tools)
  tools.emit({ kind: 'triggered', sync, runId, adopted, cancellable, reason, expected })
  if (!policy.watch) return { verdict: { outcome: 'triggered', reason } }
  const watched = await followRun(sync, runId, cancellable, policy, { ...tools, schedule }, trace)
  if (certain) return watched
  // An answer was lost on the way: nobody knows what came of that request.
  if (watched.run?.state !== 'skipped') return { ...watched, last: true }
  const lost =
    'the answer to a trigger was lost, and the run that was found or started then was skipped by the provider'
  return { verdict: { ...watched.verdict, outcome: 'unknown', reason: lost, hint: 'lost-trigger' }, last: true }
}

/** The baseline itself while it is young, else a new one, else the verdict that ends the sync. */
async function refresh(
  sync: Sync,
  baseline: Baseline,
  tools: Tools,
  { ended, gone }: Pick<Trace, 'ended' | 'gone'>,
): Promise<Baseline | Verdict> {
  const { provider, clock } = tools
  if (clock.now() - baseline.readAt <= BASELINE_MS) return baseline
  const polled = await reach((cut) => provider.history(sync.id, cut), tools)
  if (polled.end === 'done') {
    const readAt = clock.now()
    for (const { id } of polled.value.filter((run) => !hasEnded(run) && ended.has(run.id))) {
      // The list is late, or the provider has taken the run up again: the run itself knows.
      const run = await reach((cut) => provider.read(id, cut), { ...tools, outageToleranceMs: 0 })
      if (run.end === 'done' && hasEnded(run.value)) ended.set(id, run.value)
      else if (run.end === 'done') ended.delete(id)
    }
    const known = (run: Run) => (hasEnded(run) && !isUncounted(run) ? run : (ended.get(run.id) ?? run))
    return { runs: polled.value.filter(({ id }) => !gone.has(id)).map(known), readAt }
  }
  if (polled.end === 'aborted') return stopped(tools)
  if (polled.end === 'lost') return refusal('not_started', 'the history of the sync could not be read', polled.error)
  return tooLate('the deadline came while the history of the sync was read', polled.error)
}

/** How long a run is going to take, and when to look at it: from what the history shows, and from how long it has been going. */
function paceFor(run: Run | null, history: readonly Run[], full: boolean, { clock, paceOf, watermark }: Tools) {
  const expected = forecast(durationsOf(history, full))
  const age = run?.createdAt ? Math.max(0, watermark.atLeast(clock.wall()) - run.createdAt) : 0
  return { expected, schedule: aged(paceOf(expected), age) }
}

function withoutRetry(failure: Verdict, { reason }: Verdict): Verdict {
  return { ...failure, reason: `there was no retry (${reason}); ${failure.reason}` }
}

function point(trace: Trace, runId: string, run: Run | null, adopted: boolean): void {
  Object.assign(trace, { runId, run, adopted })
}

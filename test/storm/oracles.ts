/** What must hold in every trial, held against the simulator's truth and the wire, never against the action's own words. */
import { COLORS, type Outcome } from '../../src/core/judge.ts'
import type { RunView } from '../simulator/index.ts'
import type { Exchange, History, Told } from './history.ts'
import { awaited, grade, hasEndedBadly, isOld } from './truth.ts'

export const ORACLES = [
  ['V1 never two runs', twoRuns],
  ['V1 never two requests', twoRequests],
  ['only looks where nothing is to be run', onlyLooks],
  ['V2 no false verdict', falseVerdicts],
  ['V2 no false conclusion', falseConclusion],
  ['V3 one result a sync', results],
  ['V6 Retry-After is obeyed', impatience],
  ['V7 the step ends in time', lateness],
  ['cancels only what it may', cancels],
  ['fail-fast starts nothing new', failFast],
  ['sends nothing wrong', ({ problems }: History) => [...problems]],
] as const

export type Oracle = (typeof ORACLES)[number][0]

export interface Violation {
  readonly oracle: Oracle
  readonly text: string
}

export function violations(history: History): Violation[] {
  if (history.crash !== null) return [{ oracle: 'V7 the step ends in time', text: history.crash }]
  return ORACLES.flatMap(([oracle, look]) => look(history).map((text) => ({ oracle, text })))
}

const COMMANDED_MS = 5000
const triggersOf = ({ exchanges }: History, sync: number): Exchange[] =>
  exchanges.filter(({ operation, id, reached }) => operation === 'trigger' && id === sync && reached)

/**
 * Of two runs that the step caused, the earlier had ended badly before the later was created: failed, or with more bad records than
 * allowed. What the provider skipped does not count as a run. The one exception is a run that the provider denied: it answered
 * 503 with Retry-After, and then showed at least one list of runs, none of which had it.
 */
function twoRuns(history: History): string[] {
  const { trial } = history
  return trial.syncs.flatMap(({ id }) => {
    const starting = triggersOf(history, id).filter(
      ({ created }) => created !== null && created.state.status !== 'skipped',
    )
    return starting.flatMap((later, index) =>
      starting.slice(0, index).flatMap((earlier) => {
        const first = later.before.find((run) => run.id === earlier.created?.id)
        if (first === undefined || grade(first, trial.policy) === 'skipped') return []
        if (hasEndedBadly(first, trial.policy) || wasDenied(history, earlier, later)) return []
        return [
          `run ${later.created?.id} of sync ${id} was started while run ${first.id} was ${grade(first, trial.policy)}`,
        ]
      }),
    )
  })
}

function onlyLooks({ trial, exchanges }: History): string[] {
  const { mode } = trial.policy
  if (mode !== 'plan' && mode !== 'wait') return []
  const acts = exchanges.filter(({ operation }) => operation === 'trigger' || operation === 'cancel-run')
  return acts.map(({ operation, id, at }) => `${operation} ${id} at ${at} with mode: ${mode}`)
}

/** The lists of runs of its sync that came whole between two triggers. */
function listsBetween({ exchanges }: History, first: Exchange, second: Exchange): (readonly number[])[] {
  const between = exchanges.slice(exchanges.indexOf(first) + 1, exchanges.indexOf(second))
  return between.flatMap(({ operation, id, shown }) =>
    operation === 'list-runs' && id === first.id && shown !== null ? [shown] : [],
  )
}

function wasDenied(history: History, first: Exchange, second: Exchange): boolean {
  if (first.status !== 503 || first.notBefore === null) return false
  const lists = listsBetween(history, first, second)
  return lists.length > 0 && lists.every((shown) => first.created === null || !shown.includes(first.created.id))
}

/** A second request only where the first certainly did nothing, where the provider denied it, or where what came of it has ended badly. */
function twoRequests(history: History): string[] {
  return history.trial.syncs.flatMap(({ id }) => {
    const sent = triggersOf(history, id)
    return sent.flatMap((second, index) => {
      const [before, first] = [sent[index - 2], sent[index - 1]]
      if (first === undefined || first.status === 429 || first.refused) return []
      const denied = before !== undefined && wasDenied(history, before, first)
      if (hasFallen(history, denied ? before : first, second)) return []
      const isResent = denied && !hasFallen(history, before, first)
      if (wasDenied(history, first, second) && !isResent) return []
      return [`sync ${id} was triggered at ${first.at} (${first.trouble || first.status}) and again at ${second.at}`]
    })
  })
}

/** Whether a run since the first of two triggers was skipped or has ended badly before the second. */
function hasFallen({ trial, began }: History, first: Exchange, { before }: Exchange): boolean {
  const since = before.filter(({ createdAt }) => createdAt >= began + first.at)
  return since.some((run) => run.state.status === 'skipped' || hasEndedBadly(run, trial.policy))
}

function falseVerdicts(history: History): string[] {
  return history.results.flatMap((told) => {
    const why = falsehood(history, told)
    return why === null ? [] : [`sync ${told.sync} is ${told.outcome} with run ${told.runId}: ${why}`]
  })
}

function falsehood(history: History, told: Told): string | null {
  const { trial, exchanges, began } = history
  const { policy } = trial
  const { outcome, runs } = told
  const run = runs.find(({ id }) => String(id) === told.runId) ?? null
  const graded = run === null ? 'nowhere' : grade(run, policy)
  const settledAt = told.settledAt ?? Number.NaN
  const paused = trial.syncs.find(({ id }) => id === told.sync)?.paused === true
  switch (outcome) {
    case 'succeeded':
    case 'warned':
      return graded === outcome ? whyNoDelivery(history, told, run) : `the run is ${graded}`
    case 'fresh':
      if (graded !== 'succeeded' && graded !== 'warned') return `the run is ${graded}`
      return whyNoDelivery(history, { ...told, adopted: false }, run)
    case 'triggered':
      if (policy.mode !== 'trigger') return 'it should have been watched'
      return whyNoDelivery(history, told, run)
    case 'failed': {
      if (graded === 'failed' || graded === 'skipped' || graded === 'rejected') return null
      if (policy.mode === 'wait' && run?.reason === 'dry-run') return null
      if (exchanges.some((one) => one.refused && one.at <= settledAt && concerns(one, told))) return null
      if (told.runId === null && paused && policy.onPaused === 'fail') return null
      if (told.runId === null && policy.onRunning === 'fail' && wasBusy(history, told)) return null
      return `nothing was refused, and the run is ${graded}`
    }
    case 'skipped':
      if (paused && policy.onPaused === 'skip') return null
      return policy.onRunning === 'skip' && wasBusy(history, told) ? null : 'no policy says so'
    case 'cancelled': {
      const halted = policy.failFast && policy.cancelOn.includes('failure') && firstRed(history) < settledAt + 1
      if (graded === 'cancelled' || isCancelled(history, settledAt) || halted) return null
      return `nobody cancelled anything, and the run is ${graded}`
    }
    case 'timed_out':
      return settledAt >= policy.timeoutMs - 1000 ? null : `it was only ${settledAt} of ${policy.timeoutMs} ms`
    case 'not_started': {
      const ours = runs.find((one) => one.triggered && one.state.status !== 'skipped' && one.createdAt >= began)
      return ours === undefined ? null : `run ${ours.id} was started`
    }
    case 'unknown':
      return null
    case 'planned':
      return policy.mode === 'plan' ? null : 'it should have been run'
    case 'blocked':
      return 'no trial has it'
  }
}

/** Why this run does not bring the fresh data. With `on-running: attach` a run of others may be older than the data. */
function whyNoDelivery({ trial, began }: History, { adopted }: Told, run: RunView | null): string | null {
  if (run === null) return 'there is no such run'
  if (run.reason === 'dry-run') return 'it was a dry run'
  // What the step was told to wait for is judged as it is.
  if (trial.policy.mode === 'wait') return null
  if (adopted && trial.policy.onRunning === 'attach') return null
  if (isOld(run, trial, began)) return `the run was created before the data was ready, at ${run.createdAt - began}`
  return trial.policy.full && !run.fullSync ? 'it was no full sync' : null
}

const concerns = (one: Exchange, { sync }: Told) =>
  one.id === sync || one.operation === 'list-syncs' || one.operation === 'list-destinations'

/**
 * Whether a run may have been in the way that was not to be waited for. How old a run is looks different by as much as the clocks
 * differ, and by what is not known of them; a dry run is never new enough, and one that is not full is not where a full one is asked.
 */
function wasBusy({ trial, began, initially }: History, { sync, runs }: Told): boolean {
  const { policy, vendor } = trial
  const mayLookOld = began + Math.abs(vendor.clockSkewMs ?? 0) + 65_000
  const isAnother = (run: RunView) => !run.triggered && (run.reason !== 'dry-run' || policy.onRunning === 'fail')
  const neverCounts = (run: RunView) => run.reason === 'dry-run' || (policy.full && !run.fullSync)
  const goesOn = (initially.get(sync) ?? []).some((run) => isAnother(run) && grade(run, policy) === 'going on')
  const came = runs.filter((run) => isAnother(run) && run.createdAt >= began)
  return goesOn || came.some((run) => neverCounts(run) || run.createdAt <= mayLookOld)
}

const isCancelled = ({ trial }: History, at: number) => trial.cancelAt !== null && trial.cancelAt <= at
const isRed = ({ outcome }: Told) => COLORS[outcome] === 'red'

function firstRed({ results: all }: History): number {
  return Math.min(...all.filter(isRed).map(({ settledAt }) => settledAt ?? Number.POSITIVE_INFINITY))
}

function falseConclusion({ conclusion, results: all, trial, ended }: History): string[] {
  const red = all.filter(isRed)
  const expected = (): string => {
    if (red.length > 0) return red.every(({ outcome }) => outcome === 'timed_out') ? 'timed_out' : 'failure'
    return all.every(({ outcome }) => outcome === 'skipped') ? 'skipped' : 'success'
  }
  // A cancellation at the very last instant may or may not have been seen.
  if (trial.cancelAt !== null && trial.cancelAt < ended)
    return conclusion === 'cancelled' ? [] : [`${conclusion}, though it was cancelled`]
  if (trial.cancelAt === ended && conclusion === 'cancelled') return []
  return conclusion === expected() ? [] : [`${conclusion} instead of ${expected()}`]
}

const WORDS: readonly Outcome[] = [
  'succeeded',
  'warned',
  'fresh',
  'triggered',
  'planned',
  'skipped',
  'failed',
  'cancelled',
  'timed_out',
  'unknown',
  'not_started',
]

function results({ results: all, trial, initially }: History): string[] {
  const ids = (some: readonly number[]) => some.join(' ')
  const { mode } = trial.policy
  const expected = ids(mode === 'wait' ? awaited(initially).map(({ sync }) => sync) : trial.syncs.map(({ id }) => id))
  const actual = ids(all.map(({ sync }) => sync))
  return [
    ...(actual === expected ? [] : [`results for ${actual}, instead of ${expected}`]),
    ...all
      .filter(({ outcome }) => !WORDS.includes(outcome))
      .map(({ outcome }) => `the outcome ${outcome} is not in the contract`),
    ...all.filter(({ settledAt }) => settledAt === null).map(({ sync }) => `sync ${sync} was never settled`),
  ]
}

/** What was on its way when the answer came may still arrive. */
function impatience({ exchanges }: History): string[] {
  return exchanges.flatMap(({ operation, id, answeredAt, notBefore }) => {
    if (answeredAt === null || notBefore === null) return []
    const early = exchanges.filter(({ at }) => at > answeredAt && at < notBefore)
    return early.map(
      (one) =>
        `${one.operation} ${one.id} at ${one.at}, though ${operation} ${id} asked at ${answeredAt} to wait until ${notBefore}`,
    )
  })
}

/** Telling the provider to cancel may take a few seconds more, where `cancel-on` asks for it. */
function lateness({ trial: { policy, cancelAt }, ended }: History): string[] {
  const { cancelOn, timeoutMs, failFast: fast } = policy
  const commands = (fast && cancelOn.includes('failure')) || cancelOn.includes('timeout')
  const byUser = cancelAt !== null && cancelAt <= ended
  const latest = timeoutMs + 1000 + (commands || (byUser && cancelOn.includes('cancel')) ? COMMANDED_MS : 0)
  const stop = (cancelAt ?? 0) + (commands || cancelOn.includes('cancel') ? 1000 + COMMANDED_MS : 2000)
  return [
    ...(ended > latest ? [`ended at ${ended}, ${ended - timeoutMs} ms after its deadline`] : []),
    ...(byUser && ended > stop ? [`ended at ${ended}, ${ended - (cancelAt ?? 0)} ms after it was cancelled`] : []),
  ]
}

/**
 * A run found after a lost answer may be somebody else's if it came by the API after the step began: that is documented. When that
 * was is known to a second or two, for the clocks are.
 */
function cancels(history: History): string[] {
  const { trial, exchanges, results: all, began } = history
  const { cancelOn, timeoutMs, failFast: fast } = trial.policy
  return exchanges.flatMap(({ operation, id, at }) => {
    if (operation !== 'cancel-run') return []
    const run = all.flatMap(({ runs }) => runs).find((one) => one.id === id)
    const ours = run !== undefined && (run.triggered || (run.reason === 'api' && run.createdAt >= began - 2000))
    const allowed =
      (cancelOn.includes('cancel') && isCancelled(history, at)) ||
      (cancelOn.includes('timeout') && at >= timeoutMs - 1000) ||
      (cancelOn.includes('failure') && fast && firstRed(history) <= at)
    return [
      ...(ours ? [] : [`run ${id} is not of this step`]),
      ...(allowed ? [] : [`run ${id} at ${at}, which cancel-on does not say`]),
    ]
  })
}

function failFast(history: History): string[] {
  if (!history.trial.policy.failFast) return []
  const red = firstRed(history)
  const late = history.exchanges.filter(({ operation, at }) => operation === 'trigger' && at > red)
  return late.map(({ id, at }) => `sync ${id} was triggered at ${at}, though another was red at ${red}`)
}

import pLimit from 'p-limit'
import { deliver, type Tools } from './core/deliver.ts'
import { type Inputs, MAX_SYNCS, settingsOf } from './core/inputs.ts'
import { COLORS, conclude, isRed, type Outcome, type Verdict } from './core/judge.ts'
import { decide, type Step } from './core/plan.ts'
import type { Provider, Sync } from './core/provider.ts'
import { newTrace, type Result, resultOf } from './core/result.ts'
import type { Ruling } from './core/ruling.ts'
import { adaptive, every, type Forecast, jittered, predictive } from './core/schedule.ts'
import type { Settings } from './core/settings.ts'
import { type Surveyed, survey, syncOf, unnamed } from './core/survey.ts'
import { followRun } from './core/watch.ts'
import type { Dbt } from './dbt/consult.ts'
import { discover } from './dbt/discover.ts'
import { hintOf } from './report/hints.ts'
import { stepInWords } from './report/log.ts'
import type { Report } from './report/outputs.ts'

/** What the step runs in. */
export interface Surroundings extends Pick<Tools, 'clock' | 'emit' | 'signal' | 'watermark'> {
  /** What dbt has left for this step; null where the step was given nothing of it. */
  dbt: Dbt | null
  /** Runs the function with its lines folded under a title. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>
  /** Tells the user about the provider itself. */
  warn(text: string): void
  /** A number from 0 to 1. */
  random(): number
}

/** A sync of the plan: how it stands, and what holds for it. */
type Planned = Surveyed & { settings: Settings; ruling: Ruling | null }
type Open = Exclude<Planned, { verdict: Verdict }>

/** The whole step: plan, deliver every sync of the plan, conclude. */
export async function act(inputs: Inputs, provider: Provider, around: Surroundings): Promise<Report> {
  const { emit, signal, dbt } = around
  const halt = new AbortController()
  const tools = toolsFor(inputs, provider, around, halt.signal)
  const settle = (bare: Result, settings: Settings, ruling: Ruling | null): Result => {
    const result = { ...bare, ruling, tolerated: toleranceOf(bare.outcome, settings) }
    emit({ kind: 'settled', result })
    if (inputs.failFast && isRed(result)) halt.abort()
    return result
  }
  const report = (results: Result[], problems: string[] = []): Report => {
    return { results, problems, conclusion: conclude(results, signal.aborted || inputs.jobStatus === 'cancelled') }
  }
  const nothing = (why: string): Report => ({ results: [], problems: [why], conclusion: 'skipped' })
  const giveUp = (verdict: Verdict, problems = [`Nothing was triggered: ${verdict.reason}.`]): Report => {
    // Where there is no sync to say it of, the advice is said here.
    const advice = verdict.hint ? hintOf({ hint: verdict.hint, advice: provider.advice[verdict.hint] ?? null }) : ''
    if (inputs.syncIds.length === 0) {
      const advised = problems.map((text) => `${text} ${advice}`.trimEnd())
      return report([], advised)
    }
    const settled = inputs.syncIds.map((id) => {
      const settings = settingsOf(inputs, id)
      return settle(resultOf(provider, named(unnamed(id), settings), verdict), settings, null)
    })
    return report(settled, problems)
  }

  if (inputs.mode === 'wait') {
    if (inputs.runs.length === 0) return nothing('There was no run to wait for.')
    const awaited = inputs.runs.map(async (handle) => {
      const sync = await syncOf(handle, tools)
      const settings = settingsOf(inputs, sync.id)
      return settle(await awaitRun(handle.runId, named(sync, settings), settings, tools), settings, null)
    })
    return report(await Promise.all(awaited))
  }
  if (dbt !== null && dbt.problems.length > 0) {
    return giveUp({ outcome: 'not_started', reason: `what dbt left is no evidence: ${dbt.problems[0]}` }, dbt.problems)
  }
  const barred = whyNothingMayRun(inputs, dbt)
  if (barred !== null) return giveUp(barred)

  const found = dbt === null || inputs.discover === 'none' ? [] : await discover(inputs.discover, dbt.rulings, tools)
  if ('outcome' in found) return giveUp(found)
  const ids = [...new Set([...inputs.syncIds, ...found])]
  if (ids.length > MAX_SYNCS) {
    return giveUp({
      outcome: 'not_started',
      reason: `there are ${ids.length} syncs, more than the ${MAX_SYNCS} of one step`,
    })
  }
  if (ids.length === 0) return nothing(`discover: ${inputs.discover} found no sync that this dbt invocation feeds.`)

  const plan = await around.group('Plan', () => makePlan(ids, inputs, tools, dbt))
  for (const warning of provider.warnings()) around.warn(warning)
  // What cannot be run is settled first, so that fail-fast knows of it before anything is triggered.
  const open = plan.map((item) =>
    'verdict' in item ? settle(resultOf(provider, item.sync, item.verdict), item.settings, item.ruling) : item,
  )
  const finish = async (item: Open): Promise<Result> => {
    const { sync, baseline, ruling, settings } = item
    if (inputs.mode === 'plan') return planned(nextStep(item, tools), item, provider)
    return await deliver(sync, baseline, ruling, { ...settings, watch: inputs.mode === 'run' }, tools)
  }
  const results = open.map(async (item) =>
    'outcome' in item ? item : settle(await finish(item), item.settings, item.ruling),
  )
  return report(await Promise.all(results))
}

function toolsFor(inputs: Inputs, provider: Provider, around: Surroundings, halted: AbortSignal): Tools {
  const { clock, emit, signal, watermark, random } = around
  const places = pLimit(inputs.maxParallel)
  const paceOf = (expected: Forecast | null) => {
    if (inputs.pollIntervalMs !== null) return every(inputs.pollIntervalMs)
    return jittered(expected === null ? adaptive : predictive(expected), random)
  }
  return {
    clock,
    emit,
    signal,
    watermark,
    provider,
    halted,
    paceOf,
    schedule: paceOf(null),
    deadline: clock.now() + inputs.timeoutMs,
    outageToleranceMs: inputs.outageToleranceMs,
    place: (run) =>
      places(async () => {
        // Whoever had the place before is judged first, so that fail-fast holds for the very next one.
        await clock.sleep(0)
        return await run()
      }),
  }
}

/** Looks at every sync, asks dbt about its data, and tells what is going to happen. */
async function makePlan(ids: readonly string[], inputs: Inputs, tools: Tools, dbt: Dbt | null): Promise<Planned[]> {
  const { provider, emit } = tools
  return (await survey(ids, tools)).map((item): Planned => {
    const settings = settingsOf(inputs, item.sync.id)
    const sync = named(item.sync, settings)
    if ('verdict' in item) {
      emit({ kind: 'refused', result: resultOf(provider, sync, item.verdict) })
      return { ...item, sync, settings, ruling: null }
    }
    const open = { ...item, sync, settings, ruling: dbt?.rulings.rule(sync, settings) ?? null }
    emit({ kind: 'planned', sync, ruling: open.ruling, step: nextStep(open, tools) })
    return open
  })
}

function nextStep({ sync, baseline, settings, ruling }: Open, { watermark }: Tools): Step {
  return decide(sync, baseline.runs, settings, watermark.readyAt(), ruling)
}

function whyNothingMayRun({ jobStatus }: Inputs, dbt: Dbt | null): Verdict | null {
  if (jobStatus === 'cancelled') return { outcome: 'cancelled', reason: 'the workflow was cancelled before this step' }
  if (jobStatus === 'success') return null
  // What dbt says of each sync tells more than that some step failed.
  if (dbt !== null && dbt.builtAt !== null) return null
  return {
    outcome: 'not_started',
    reason: 'an earlier step of this job failed, so nobody can say whether the data is good',
    hint: 'earlier-step',
  }
}

/** The setting by which the step may be green though the sync is not. Nothing forgives that a sync was never tried. */
function toleranceOf(outcome: Outcome, { onBlocked, allowFailure }: Settings): string | null {
  if (COLORS[outcome] === 'green' || outcome === 'not_started') return null
  if (allowFailure) return 'allow-failure'
  return outcome === 'blocked' && onBlocked === 'skip' ? 'on-blocked: skip' : null
}

function named<T extends { name: string }>(sync: T, { name }: Settings): T {
  return name === null ? sync : { ...sync, name }
}

/** In `mode: plan` only what is wrong with the sync itself counts; what its runs are doing now may be over by the time it runs. */
function planned(step: Step, { sync }: Surveyed, provider: Provider): Result {
  if (step.do === 'settle' && step.verdict.hint === 'paused') return resultOf(provider, sync, step.verdict)
  const reason = `would ${step.do === 'settle' ? 'be ' : ''}${stepInWords(step)}`
  const foreseen = step.do === 'settle' ? step.verdict.outcome : null
  return { ...resultOf(provider, sync, { outcome: 'planned', reason }), foreseen }
}

/** Watches a run of another step as it is: whoever started it, it is never cancelled here, and skipped is no success. */
async function awaitRun(runId: string, sync: Sync, settings: Settings, tools: Tools): Promise<Result> {
  const trace = { ...newTrace(), runId, adopted: true }
  tools.emit({
    kind: 'triggered',
    sync,
    runId,
    adopted: true,
    cancellable: false,
    reason: 'given by the input runs',
    expected: null,
  })
  const deadline = Math.min(tools.deadline, tools.clock.now() + settings.ownTimeoutMs)
  const { verdict } = await followRun(sync, runId, false, settings, { ...tools, deadline }, trace)
  return resultOf(tools.provider, sync, verdict, trace)
}

import pLimit from 'p-limit'
import { deliver, type Tools } from './core/deliver.ts'
import type { RunHandle } from './core/input-values.ts'
import { type Inputs, settingsOf } from './core/inputs.ts'
import { COLORS, conclude, isRed, type Outcome, type Verdict } from './core/judge.ts'
import { decide, type Step } from './core/plan.ts'
import type { Provider } from './core/provider.ts'
import { type Result, resultOf, UNTOUCHED } from './core/result.ts'
import type { Ruling } from './core/ruling.ts'
import { adaptive, every } from './core/schedule.ts'
import type { Settings } from './core/settings.ts'
import { type Surveyed, survey, syncOf, unnamed } from './core/survey.ts'
import { followRun } from './core/watch.ts'
import type { Dbt } from './dbt/consult.ts'
import { discover } from './dbt/discover.ts'
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
}

/** A sync of the plan: how it stands, and what is to be done about it. */
type Planned = Surveyed & { settings: Settings; ruling: Ruling | null }

/** The whole step: plan, deliver every sync of the plan, conclude. */
export async function act(inputs: Inputs, provider: Provider, around: Surroundings): Promise<Report> {
  const { clock, emit, signal, group, warn, dbt } = around
  const halt = new AbortController()
  const places = pLimit(inputs.maxParallel)
  const tools: Tools = {
    ...around,
    provider,
    schedule: inputs.pollIntervalMs === null ? adaptive : every(inputs.pollIntervalMs),
    deadline: clock.now() + inputs.timeoutMs,
    outageToleranceMs: inputs.outageToleranceMs,
    halted: halt.signal,
    place: (run) =>
      places(async () => {
        // Whoever had the place before is judged first, so that fail-fast holds for the very next one.
        await clock.sleep(0)
        return await run()
      }),
  }
  const settle = (bare: Result, settings: Settings, ruling: Ruling | null): Result => {
    const result = { ...bare, ruling, tolerated: toleranceOf(bare.outcome, settings) }
    emit({ kind: 'settled', result })
    if (inputs.failFast && isRed(result)) halt.abort()
    return result
  }
  const report = (results: Result[], problems: string[] = []): Report => {
    return { results, problems, conclusion: conclude(results, signal.aborted || inputs.jobStatus === 'cancelled') }
  }
  const giveUp = (verdict: Verdict, problems: string[]): Report => {
    const settled = inputs.syncIds.map((id) =>
      settle(resultOf(provider, named(unnamed(id), settingsOf(inputs, id)), verdict), settingsOf(inputs, id), null),
    )
    return report(settled, problems)
  }

  if (inputs.mode === 'wait') {
    if (inputs.runs.length === 0) return { ...report([], ['There was no run to wait for.']), conclusion: 'skipped' }
    const awaited = inputs.runs.map(async (handle) => {
      const settings = settingsOf(inputs, handle.syncId ?? '')
      return settle(await awaitRun(handle, inputs, settings, tools), settings, null)
    })
    return report(await Promise.all(awaited))
  }
  if (dbt !== null && dbt.problems.length > 0) {
    return giveUp({ outcome: 'not_started', reason: `what dbt left is no evidence: ${dbt.problems[0]}` }, dbt.problems)
  }
  const barred = whyNothingMayRun(inputs, dbt)
  if (barred !== null) return giveUp(barred, [`Nothing was triggered: ${barred.reason}.`])

  const found = dbt === null || inputs.discover === 'none' ? [] : await discover(inputs.discover, dbt.rulings, tools)
  if ('outcome' in found) return giveUp(found, [`Nothing was triggered: ${found.reason}.`])
  const ids = [...new Set([...inputs.syncIds, ...found])]
  if (ids.length === 0) {
    return {
      ...report([], [`discover: ${inputs.discover} found no sync that this dbt invocation feeds.`]),
      conclusion: 'skipped',
    }
  }

  const plan = await group('Plan', async () => {
    const items = (await survey(ids, tools)).map((item): Planned => {
      const settings = settingsOf(inputs, item.sync.id)
      const known = { ...item, sync: named(item.sync, settings), settings }
      return { ...known, ruling: 'verdict' in item ? null : (dbt?.rulings.rule(known.sync, settings) ?? null) }
    })
    for (const item of items) {
      const { sync, ruling } = item
      if ('verdict' in item) emit({ kind: 'refused', result: resultOf(provider, sync, item.verdict) })
      else emit({ kind: 'planned', sync, ruling, step: nextStep(item, tools) })
    }
    return items
  })
  for (const warning of provider.warnings()) warn(warning)
  // What cannot be run is settled first, so that fail-fast knows of it before anything is triggered.
  const open = plan.map((item) =>
    'verdict' in item ? settle(resultOf(provider, item.sync, item.verdict), item.settings, item.ruling) : item,
  )
  const finish = async (item: Exclude<Planned, { verdict: Verdict }>): Promise<Result> => {
    const { sync, baseline, ruling, settings } = item
    if (inputs.mode === 'plan') return planned(nextStep(item, tools), item, provider)
    return await deliver(sync, baseline, ruling, { ...settings, watch: inputs.mode === 'run' }, tools)
  }
  const results = open.map(async (item) =>
    'outcome' in item ? item : settle(await finish(item), item.settings, item.ruling),
  )
  return report(await Promise.all(results))
}

function whyNothingMayRun({ mode, jobStatus }: Inputs, dbt: Dbt | null): Verdict | null {
  if (jobStatus === 'cancelled') return { outcome: 'cancelled', reason: 'the workflow was cancelled before this step' }
  if (jobStatus === 'success' || mode === 'plan') return null
  // What dbt says of each sync tells more than that some step failed.
  if (dbt !== null && dbt.builtAt !== null) return null
  return {
    outcome: 'not_started',
    reason: 'an earlier step of this job failed, so nobody can say whether the data is good',
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

function nextStep({ sync, baseline, settings, ruling }: Exclude<Planned, { verdict: Verdict }>, tools: Tools): Step {
  return decide(sync, baseline.runs, settings, tools.watermark.readyAt(), ruling)
}

/** In `mode: plan` only what is wrong with the sync itself counts; what its runs are doing now may be over by the time it runs. */
function planned(step: Step, { sync }: Surveyed, provider: Provider): Result {
  const lasting: Outcome[] = sync.paused ? ['failed', 'skipped'] : []
  if (step.do === 'settle' && lasting.includes(step.verdict.outcome)) return resultOf(provider, sync, step.verdict)
  return resultOf(provider, sync, {
    outcome: 'planned',
    reason: `would ${step.do === 'settle' ? 'be ' : ''}${stepInWords(step)}`,
  })
}

/** Watches a run of another step as it is: whoever started it, it is never cancelled here, and skipped is no success. */
async function awaitRun(
  { runId, syncId }: RunHandle,
  inputs: Inputs,
  settings: Settings,
  tools: Tools,
): Promise<Result> {
  const sync = named(await syncOf(runId, syncId, tools), settings)
  const trace = { ...UNTOUCHED, runId, adopted: true }
  tools.emit({ kind: 'triggered', sync, runId, adopted: true, cancellable: false, reason: 'given by the input runs' })
  const { verdict } = await followRun(sync, runId, false, { ...settings, cancelOn: inputs.cancelOn }, tools, trace)
  return resultOf(tools.provider, sync, verdict, trace)
}

import pLimit from 'p-limit'
import { deliver, type Tools } from './core/deliver.ts'
import type { RunHandle } from './core/input-values.ts'
import type { Inputs } from './core/inputs.ts'
import { COLORS, conclude, type Outcome, type Verdict } from './core/judge.ts'
import { decide, type Step } from './core/plan.ts'
import type { Provider } from './core/provider.ts'
import { type Result, resultOf, UNTOUCHED } from './core/result.ts'
import { adaptive, every } from './core/schedule.ts'
import { type Surveyed, survey, syncOf, unnamed } from './core/survey.ts'
import { followRun } from './core/watch.ts'
import { stepInWords } from './report/log.ts'
import type { Report } from './report/outputs.ts'

/** What the step runs in. */
export interface Surroundings extends Pick<Tools, 'clock' | 'emit' | 'signal' | 'watermark'> {
  /** Runs the function with its lines folded under a title. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>
  /** Tells the user about the provider itself. */
  warn(text: string): void
}

/** The whole step: plan, deliver every sync of the plan, conclude. */
export async function act(inputs: Inputs, provider: Provider, around: Surroundings): Promise<Report> {
  const { clock, emit, signal, group, warn } = around
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
  const settle = (result: Result): Result => {
    emit({ kind: 'settled', result })
    if (inputs.failFast && COLORS[result.outcome] === 'red') halt.abort()
    return result
  }
  const conclusion = (results: readonly Result[]) =>
    conclude(
      results.map(({ outcome }) => outcome),
      signal.aborted || inputs.jobStatus === 'cancelled',
    )

  if (inputs.mode === 'wait') {
    if (inputs.runs.length === 0)
      return { results: [], problem: 'There was no run to wait for.', conclusion: 'skipped' }
    const results = await Promise.all(inputs.runs.map(async (handle) => settle(await awaitRun(handle, inputs, tools))))
    return { results, problem: null, conclusion: conclusion(results) }
  }
  const barred = whyNothingMayRun(inputs)
  if (barred !== null) {
    const results = inputs.syncIds.map((id) => settle(resultOf(provider, unnamed(id), barred)))
    return { results, problem: `Nothing was triggered: ${barred.reason}.`, conclusion: conclusion(results) }
  }

  const plan = await group('Plan', async () => {
    const items = await survey(inputs.syncIds, tools)
    for (const item of items) {
      if ('verdict' in item) emit({ kind: 'refused', result: resultOf(provider, item.sync, item.verdict) })
      else
        emit({
          kind: 'planned',
          sync: item.sync,
          step: decide(item.sync, item.baseline.runs, inputs, tools.watermark()),
        })
    }
    return items
  })
  for (const warning of provider.warnings()) warn(warning)
  const finish = async (item: Exclude<Surveyed, { verdict: Verdict }>): Promise<Result> => {
    if (inputs.mode === 'plan')
      return planned(decide(item.sync, item.baseline.runs, inputs, tools.watermark()), item, provider)
    return await deliver(item.sync, item.baseline, { ...inputs, watch: inputs.mode === 'run' }, tools)
  }
  // What cannot be run is settled first, so that fail-fast knows of it before anything is triggered.
  const open = plan.map((item) => ('verdict' in item ? settle(resultOf(provider, item.sync, item.verdict)) : item))
  const results = await Promise.all(open.map(async (item) => ('outcome' in item ? item : settle(await finish(item)))))
  return { results, problem: null, conclusion: conclusion(results) }
}

function whyNothingMayRun({ mode, jobStatus }: Inputs): Verdict | null {
  if (jobStatus === 'cancelled') return { outcome: 'cancelled', reason: 'the workflow was cancelled before this step' }
  if (jobStatus === 'success' || mode === 'plan') return null
  return {
    outcome: 'not_started',
    reason: 'an earlier step of this job failed, so nobody can say whether the data is good',
  }
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
async function awaitRun({ runId, syncId }: RunHandle, inputs: Inputs, tools: Tools): Promise<Result> {
  const sync = await syncOf(runId, syncId, tools)
  const trace = { ...UNTOUCHED, runId, adopted: true }
  tools.emit({ kind: 'triggered', sync, runId, adopted: true, cancellable: false, reason: 'given by the input runs' })
  const { verdict } = await followRun(sync, runId, false, inputs, tools, trace)
  return resultOf(tools.provider, sync, verdict, trace)
}

import { act } from './action.ts'
import { checkBaseUrl } from './address.ts'
import { type Inputs, parseInputs } from './core/inputs.ts'
import { COLORS } from './core/judge.ts'
import { ProviderClock } from './core/watermark.ts'
import { explainEmptyToken } from './github/event.ts'
import { readInputs } from './github/inputs.ts'
import { annotate, group, print, setOutputs, writeSummary } from './github/runner.ts'
import { createStateKeeper, saveVerdict } from './github/state.ts'
import { Host } from './host.ts'
import { createHttp } from './http.ts'
import { authorization, createProvider, PROVIDERS } from './providers/index.ts'
import { annotationsOf } from './report/annotations.ts'
import { createLog } from './report/log.ts'
import { outputsOf, type Report } from './report/outputs.ts'
import { plain } from './report/safe.ts'
import { summaryOf } from './report/summary.ts'
import { systemClock as clock } from './system-clock.ts'

// Red until the end proves otherwise: a process that stops without a verdict must not look like success.
process.exitCode = 1
let settled = false
process.on('exit', () => {
  if (!settled) annotate({ level: 'error', title: 'Internal error', text: 'the action stopped before it had a result' })
})
const cancel = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const) process.on(signal, () => cancel.abort())

const began = { now: clock.now(), wall: clock.wall() }
try {
  if (await main()) process.exitCode = 0
} catch (error) {
  annotate({
    level: 'error',
    title: 'Internal error',
    text: plain(error instanceof Error ? error.message : String(error)),
  })
  setOutputs(outputsOf({ conclusion: 'failure', results: [], problem: 'The action stopped with an internal error.' }))
} finally {
  settled = true
}

/** True only if every sync is green. */
async function main(): Promise<boolean> {
  const read = readInputs(process.env)
  const emptyToken = read.raw['api-token']?.trim() ? '' : await explainEmptyToken()
  const parsed = parseInputs(read.raw, PROVIDERS, checkBaseUrl, emptyToken)
  for (const text of [...read.warnings, ...parsed.warnings])
    annotate({ level: 'warning', title: 'Input', text: plain(text) })
  const problems = [...read.problems, ...(parsed.ok ? [] : parsed.problems)]
  if (!parsed.ok || problems.length > 0) return await refuse(problems)

  const { inputs } = parsed
  const report = await runStep(inputs)
  for (const annotation of annotationsOf(report.results, inputs.showDetails)) annotate(annotation)
  await publish(report, inputs)
  saveVerdict(report.conclusion)
  return (
    ['success', 'skipped'].includes(report.conclusion) &&
    report.results.every(({ outcome }) => COLORS[outcome] === 'green')
  )
}

async function runStep(inputs: Inputs): Promise<Report> {
  const providerClock = new ProviderClock()
  const host = new Host(createHttp('post-transform-sync', clock.wall), {
    baseUrl: inputs.baseUrl,
    headers: authorization(inputs),
    clock,
    onDate: (...times) => providerClock.observe(...times),
  })
  const log = createLog({ details: inputs.showDetails, now: clock.now, write: print })
  const keepState = createStateKeeper()
  const done = new AbortController()
  void beat(log.heartbeat, done.signal)
  try {
    return await act(inputs, createProvider(inputs, host), {
      clock,
      signal: cancel.signal,
      watermark: () => providerClock.atLatest(began.wall),
      group,
      warn: (text) => annotate({ level: 'warning', title: 'Provider', text }),
      emit: (event) => {
        keepState(event)
        log.on(event)
      },
    })
  } finally {
    done.abort()
  }
}

async function beat(heartbeat: () => void, done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    await clock.sleep(10_000, done)
    heartbeat()
  }
}

async function refuse(problems: readonly string[]): Promise<boolean> {
  for (const text of problems.slice(0, 9)) annotate({ level: 'error', title: 'Input', text: plain(text) })
  if (problems.length > 9) annotate({ level: 'error', title: 'Input', text: `and ${problems.length - 9} more` })
  const problem = `Nothing was triggered: ${problems.length === 1 ? 'an input is' : `${problems.length} inputs are`} not right. ${problems.join(' ')}`
  await publish({ conclusion: 'failure', results: [], problem }, null)
  saveVerdict('failure')
  return false
}

async function publish(report: Report, inputs: Inputs | null): Promise<void> {
  setOutputs(outputsOf(report))
  const options = {
    mode: inputs?.mode ?? 'run',
    details: inputs?.showDetails ?? false,
    tookMs: clock.now() - began.now,
  }
  await writeSummary(summaryOf(report, options))
}

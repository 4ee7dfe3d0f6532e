import { act } from './action.ts'
import { checkBaseUrl } from './address.ts'
import { readConfig } from './config/config.ts'
import { checkCertificates } from './connections.ts'
import type { ChangedFile } from './core/change.ts'
import { hideToken, secretsOf } from './core/input-values.ts'
import { type Inputs, type Mode, settingsOf } from './core/inputs.ts'
import { isRed } from './core/judge.ts'
import { parseInputs } from './core/parse-inputs.ts'
import type { Reporting } from './core/reporting.ts'
import { ProviderClock, watermarkOf } from './core/watermark.ts'
import { consultDbt, type Dbt } from './dbt/consult.ts'
import { explainEmptyToken } from './github/event.ts'
import { whereWeAre } from './github/here.ts'
import { readInputs } from './github/inputs.ts'
import { annotate, group, outliveStreams, print, setOutputs, writeSummary } from './github/runner.ts'
import { createStateKeeper, saveBegun, saveSeen, saveTold } from './github/state.ts'
import { commentPlan, keepFailureIssue, type Told } from './github/tell.ts'
import { Host } from './host.ts'
import { createHttp } from './http.ts'
import { authorization, createProvider, factsOf, PROVIDERS } from './providers/index.ts'
import { type Annotation, annotationsOf } from './report/annotations.ts'
import { seenOf } from './report/failures.ts'
import { createLog, endingsOf } from './report/log.ts'
import { outputsOf, type Report } from './report/outputs.ts'
import { plain } from './report/safe.ts'
import { summaryOf } from './report/summary.ts'
import { createTimekeeper } from './report/timeline.ts'
import { systemClock as clock } from './system-clock.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const
/** How long what is said on GitHub may hold up the job. */
const SPEAK_MS = 90_000
/** Mistakes in the inputs that the job summary tells: whoever has more of them looks at the first ones first. */
const MOST_TOLD = 50

// Red until the end proves otherwise: a process that stops without a verdict must not look like success.
process.exitCode = 1
outliveStreams()
let settled = false
process.on('exit', () => {
  if (settled) return
  annotate({ level: 'error', title: 'Internal error', text: 'the action stopped before it had a result' })
  setOutputs(
    outputsOf({ conclusion: 'failure', results: [], problems: ['The action stopped before it had a result.'] }),
  )
})
const cancel = new AbortController()
/** The first signal ends the step in good order, which takes some seconds; a second one ends the process as if nobody listened. */
const stop = () => {
  for (const signal of SIGNALS) process.off(signal, stop)
  cancel.abort()
}
for (const signal of SIGNALS) process.on(signal, stop)
checkCertificates((text) => annotate({ level: 'warning', title: 'Certificates', text }))

const began = { now: clock.now(), wall: clock.wall() }
const timekeeper = createTimekeeper(clock.now)
try {
  if (await main()) process.exitCode = 0
} catch (error) {
  annotate({
    level: 'error',
    title: 'Internal error',
    text: plain(error instanceof Error ? error.message : String(error)),
  })
  setOutputs(
    outputsOf({ conclusion: 'failure', results: [], problems: ['The action stopped with an internal error.'] }),
  )
} finally {
  settled = true
}

/** True only if every sync is green. */
async function main(): Promise<boolean> {
  const { raw, ...read } = readInputs(process.env)
  if (raw['failure-issue']?.trim()) saveBegun()
  const root = process.env.GITHUB_WORKSPACE ?? process.cwd()
  const emptyToken = raw['api-token']?.trim() ? '' : await explainEmptyToken()
  const file = await readConfig(raw.config?.trim() ?? '', root, PROVIDERS, raw.provider ?? '')
  const parsed = parseInputs(raw, PROVIDERS, checkBaseUrl, emptyToken, file.config)
  // All of these may quote what was given to an input, and that may be the token by mistake.
  const hide = (texts: readonly string[]) => texts.map((text) => hideToken(text, raw['api-token'] ?? ''))
  tell('warning', 'Input', hide([...read.warnings, ...parsed.warnings]))
  const problems = hide([...read.problems, ...file.problems, ...(parsed.ok ? [] : parsed.problems)])
  const { reporting } = parsed
  if (!parsed.ok || problems.length > 0) return await refuse(problems, reporting)

  const inputs = { ...parsed.inputs, githubRunId: parsed.inputs.githubRunId ?? process.env.GITHUB_RUN_ID ?? null }
  const consulted = await consultDbt(inputs, factsOf(inputs), root, clock.wall())
  const dbt = consulted.dbt === null ? null : { ...consulted.dbt, problems: hide(consulted.dbt.problems) }
  tell('warning', 'dbt', hide(consulted.warnings))
  tell('notice', 'dbt', hide(consulted.notices))
  if (dbt !== null && dbt.badNames.length > 0) return await refuse([...dbt.badNames, ...dbt.problems], reporting)
  const report = await runStep(inputs, dbt)
  const endings = endingsOf(report.results, inputs.showDetails)
  if (endings.length > 0) await group('Results', async () => endings.forEach(print))
  for (const annotation of annotationsOf(report, inputs.showDetails)) annotate(annotation)
  await publish(report, inputs)
  await speak(report, reporting, dbt, inputs.mode)
  return ['success', 'skipped'].includes(report.conclusion) && !report.results.some(isRed)
}

async function runStep(inputs: Inputs, dbt: Dbt | null): Promise<Report> {
  const providerClock = new ProviderClock()
  const host = new Host(createHttp('post-transform-sync', clock.wall), {
    baseUrl: inputs.baseUrl,
    headers: authorization(inputs),
    clock,
    secrets: secretsOf(inputs.token),
    deadline: clock.now() + inputs.timeoutMs,
    onDate: (...times) => providerClock.observe(...times),
    onPause: (ms) => log.pause(ms),
    onOutage: (why) => log.outage(why),
  })
  const log = createLog({
    details: inputs.showDetails,
    watches: inputs.mode !== 'trigger',
    now: clock.now,
    write: print,
  })
  const keepState = createStateKeeper(cancel.signal, (id) => settingsOf(inputs, id).allowFailure)
  const done = new AbortController()
  void beat(log.heartbeat, done.signal)
  try {
    return await act(inputs, createProvider(inputs, host), {
      clock,
      dbt,
      random: Math.random,
      signal: cancel.signal,
      watermark: watermarkOf(dbt?.builtAt ?? null, began.wall, providerClock),
      group,
      warn: (text) => annotate({ level: 'warning', title: 'Provider', text }),
      emit: (event) => {
        keepState(event)
        timekeeper.on(event)
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

async function refuse(problems: readonly string[], reporting: Reporting): Promise<boolean> {
  tell('error', 'Input', problems)
  const { length } = problems
  const head = `Nothing was triggered: ${length === 1 ? 'an input is not right' : `there are ${length} mistakes in the inputs`}.`
  const more = length > MOST_TOLD ? [`And ${length - MOST_TOLD} more.`] : []
  const report: Report = {
    conclusion: 'failure',
    results: [],
    problems: [head, ...problems.slice(0, MOST_TOLD), ...more],
  }
  // What was given to an input may be anything, a secret of somebody among it: it is quoted where the runner masks secrets, and nowhere else.
  const names = new Set(problems.map((problem) => /^[a-z-]+(?=:)/.exec(problem)?.[0] ?? 'the inputs'))
  const brief = { ...report, problems: [head, `It is about ${[...names].join(', ')}.`] }
  await publish(report, null, brief)
  await speak(brief, reporting, null, 'run')
  return false
}

/** Ten annotations of a level are shown: nine, and how many more there are. */
function tell(level: Annotation['level'], title: string, texts: readonly string[]): void {
  for (const text of texts.slice(0, 9)) annotate({ level, title, text: plain(text) })
  if (texts.length > 9) annotate({ level, title, text: `and ${texts.length - 9} more` })
}

/** `brief`: what the outputs tell of it, where they must not tell all. */
async function publish(report: Report, inputs: Inputs | null, brief = report): Promise<void> {
  setOutputs(outputsOf(brief))
  const options = {
    mode: inputs?.mode ?? 'run',
    details: inputs?.showDetails ?? false,
    tookMs: clock.now() - began.now,
    spans: timekeeper.spans,
  }
  await writeSummary(summaryOf(report, options))
}

/** Says on GitHub what is to be said there. The verdict is made and shown by now, and nothing of this changes it. */
async function speak(report: Report, reporting: Reporting, dbt: Dbt | null, mode: Mode): Promise<void> {
  try {
    await speakOf(report, reporting, dbt, mode)
  } catch (error) {
    tell('warning', 'GitHub', [`The comment or the issue could not be kept up to date (${error}).`])
  }
}

async function speakOf(report: Report, reporting: Reporting, dbt: Dbt | null, mode: Mode): Promise<void> {
  if (!reporting.comment && reporting.issueTitle === null) return
  const here = await whereWeAre(process.env).catch(() => undefined)
  if (!here) {
    const which = reporting.comment ? 'pr-comment' : 'failure-issue'
    const what =
      here === null
        ? 'GITHUB_REPOSITORY does not say which repository this run is in'
        : 'the event of this run cannot be read (GITHUB_EVENT_PATH)'
    return tell('warning', 'GitHub', [`${which}: ${what}, so nothing can be said there.`])
  }
  const signal = AbortSignal.any([cancel.signal, AbortSignal.timeout(SPEAK_MS)])
  const around = { sleep: (ms: number) => clock.sleep(ms, signal), signal }
  const announce = (told: Told) => {
    if (told !== null) tell(told.level, 'GitHub', [told.text])
  }
  if (reporting.comment && !cancel.signal.aborted) {
    const change =
      dbt === null || !dbt.rulings.hasModels ? null : (files: readonly ChangedFile[]) => dbt.rulings.change(files)
    announce(await commentPlan(reporting, { report, change }, here, around))
  }
  if (reporting.issueTitle === null) return
  const seen = seenOf(report, mode, { ...here, now: clock.wall() })
  saveSeen(seen)
  // A step that is told to stop has seconds left, and the post step has minutes.
  const told = cancel.signal.aborted ? null : await keepFailureIssue(reporting, seen, here, around)
  if (cancel.signal.aborted) return
  saveTold()
  announce(told)
}

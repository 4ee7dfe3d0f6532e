import { checkBaseUrl } from './address.ts'
import { checkCertificates } from './connections.ts'
import { expiring } from './core/clock.ts'
import { secretsOf } from './core/input-values.ts'
import { type ParsedInputs, parseInputs } from './core/parse-inputs.ts'
import { hasEnded, type Provider, ProviderError } from './core/provider.ts'
import { chooseNew } from './core/trigger.ts'
import { whereWeAre } from './github/here.ts'
import { readInputs } from './github/inputs.ts'
import { outliveStreams, print } from './github/runner.ts'
import { readRed, readSeen, readState, type SavedRun } from './github/state.ts'
import { keepFailureIssue } from './github/tell.ts'
import { Host } from './host.ts'
import { createHttp } from './http.ts'
import { authorization, createProvider, factsOf, PROVIDERS } from './providers/index.ts'
import { idOfSync, seenOfKilled } from './report/failures.ts'
import { plain } from './report/safe.ts'
import { systemClock as clock } from './system-clock.ts'

const CANCEL_MS = 30_000
const LOOKS = 4
const BETWEEN_LOOKS_MS = 2000
const NONE: ReadonlySet<string> = new Set()
const ISSUE_MS = 120_000

// The second line of defence, at the end of the job: a main step that was stopped may have left runs that nobody watches.
// Nothing that happens here fails the job: its verdict stands.
outliveStreams()
checkCertificates(warn)
for (const duty of [cleanUp, keepIssue]) {
  try {
    await duty()
  } catch (error) {
    warn(`the post step failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function cleanUp(): Promise<void> {
  const open = readState(process.env).filter((run) => run.open)
  if (open.length === 0) return
  const parsed = inputsOfMain()
  // Inputs that main accepted are refused only if the state is not main's.
  if (!parsed.ok)
    return warn('runs of this step may still be going, and the inputs to look after them are not there any more')
  const { inputs } = parsed
  const { id } = factsOf(inputs)
  const host = new Host(createHttp('post-transform-sync', clock.wall), {
    baseUrl: inputs.baseUrl,
    headers: authorization(inputs),
    clock,
    secrets: secretsOf(inputs.token),
    onDate: () => {},
    onPause: () => {},
  })
  const provider = createProvider(inputs, host)
  const ours = open.filter(({ syncId, runId }) => id.test(syncId) && (runId === null || id.test(runId)))
  const isCancelled = inputs.jobStatus === 'cancelled' && inputs.cancelOn.has('cancel')
  await Promise.all(ours.map((run) => lookAfter(run, isCancelled || run.unwanted, provider)))
}

/** Tells the failure issue what main has not come to tell. */
async function keepIssue(): Promise<void> {
  if (!process.env['INPUT_FAILURE-ISSUE']?.trim()) return
  const parsed = inputsOfMain()
  const here = await whereWeAre(process.env)
  if (here === null) return
  const left = readSeen(process.env, here)
  if (left === 'told') return
  const signal = AbortSignal.timeout(ISSUE_MS)
  const around = { sleep: (ms: number) => clock.sleep(ms, signal), signal }
  // A main step that was killed has left no more than what had gone wrong by then, and the runs that it was watching.
  const red = readRed(process.env)
  const isKnown = ({ syncId }: SavedRun) => red.some((one) => one.syncId === syncId)
  const watched = readState(process.env).filter((run) => run.open && !run.mayFail && !isKnown(run))
  const bad = [...red, ...watched.map(({ syncId }) => ({ syncId, outcome: 'unknown' as const }))]
  const entries = bad.flatMap(({ syncId, outcome }) =>
    parsed.ok ? [{ id: idOfSync(factsOf(parsed.inputs).name, syncId, parsed.inputs.mode), outcome }] : [],
  )
  const seen = left ?? seenOfKilled(entries, { ...here, now: clock.wall() })
  const told = await keepFailureIssue(parsed.reporting, seen, here, around)
  if (told !== null) warn(told.text)
}

function inputsOfMain(): ParsedInputs {
  return parseInputs(readInputs(process.env).raw, PROVIDERS, checkBaseUrl, '')
}

async function lookAfter(saved: SavedRun, mayCancel: boolean, provider: Provider): Promise<void> {
  const { syncId, runId } = saved
  const link = provider.link(syncId)
  const isUncertain = runId === null
  const name = isUncertain ? `the run of sync ${syncId} that was just being started` : `run ${runId} of sync ${syncId}`
  const limit = expiring(clock, clock.now() + CANCEL_MS, new AbortController().signal)
  try {
    // Reading it first finds out the version of the API, and leaves a run alone that has ended meanwhile or is another sync's.
    const run = isUncertain ? await lostRun(saved, provider, limit.signal) : await provider.read(runId, limit.signal)
    if (run === null)
      return warn(`sync ${syncId} may have been triggered as this step stopped, but no run is seen: ${link}`)
    if (run.syncId !== '' && run.syncId !== syncId)
      return warn(`run ${run.id} is not a run of sync ${syncId}, so it is left alone`)
    if (hasEnded(run)) return print({ level: 'info', text: `run ${run.id} of sync ${syncId} has ended meanwhile` })
    // A run that was found is this step's only where nobody else can have started it.
    if (!mayCancel || provider.cancel === undefined || (isUncertain && !run.byApi))
      return warn(`run ${run.id} of sync ${syncId} may still be going: ${link}`)
    await provider.cancel(run.id, limit.signal)
    print({ level: 'info', text: `run ${run.id} of sync ${syncId} was told to stop` })
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    warn(`${name} could not be looked after (${error.message}) and may still be going: ${link}`)
  } finally {
    limit.dispose()
  }
}

/** The run that a trigger started whose answer main did not live to see. It may be listed late, so it is looked for a few times. */
async function lostRun({ syncId, baseline, since, full }: SavedRun, provider: Provider, signal: AbortSignal) {
  for (let look = 1; ; look += 1) {
    const history = await provider.history(syncId, signal)
    const known = history.findIndex(({ id }) => id === baseline)
    const run = chooseNew(known === -1 ? history : history.slice(0, known), NONE, since, full)
    if (run !== null || look === LOOKS) return run
    await clock.sleep(BETWEEN_LOOKS_MS, signal)
  }
}

function warn(text: string): void {
  print({ level: 'warning', text: plain(text) })
}

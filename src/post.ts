import { checkBaseUrl } from './address.ts'
import { expiring } from './core/clock.ts'
import { parseInputs } from './core/parse-inputs.ts'
import { hasEnded, type Provider, ProviderError } from './core/provider.ts'
import { readInputs } from './github/inputs.ts'
import { print } from './github/runner.ts'
import { readState, type SavedRun } from './github/state.ts'
import { Host } from './host.ts'
import { checkCertificates, createHttp } from './http.ts'
import { authorization, createProvider, factsOf, PROVIDERS } from './providers/index.ts'
import { plain } from './report/safe.ts'
import { systemClock as clock } from './system-clock.ts'

const CANCEL_MS = 30_000

// The second line of defence, at the end of the job: a main step that was stopped may have left runs that nobody watches.
// Nothing that happens here fails the job: its verdict stands.
checkCertificates(warn)
try {
  await post()
} catch (error) {
  warn(`the post step failed: ${error instanceof Error ? error.message : String(error)}`)
}

async function post(): Promise<void> {
  const open = readState(process.env).filter((run) => run.open)
  if (open.length === 0) return

  const parsed = parseInputs(readInputs(process.env).raw, PROVIDERS, checkBaseUrl, '')
  // Inputs that main accepted are refused only if the state is not main's.
  if (!parsed.ok)
    return warn('runs of this step may still be going, and the inputs to look after them are not there any more')
  const { inputs } = parsed
  const { id } = factsOf(inputs)
  const host = new Host(createHttp('post-transform-sync', clock.wall), {
    baseUrl: inputs.baseUrl,
    headers: authorization(inputs),
    clock,
    onDate: () => {},
  })
  const provider = createProvider(inputs, host)
  const ours = open.filter(({ syncId, runId }) => id.test(syncId) && (runId === null || id.test(runId)))
  const isCancelled = inputs.jobStatus === 'cancelled' && inputs.cancelOn.has('cancel')
  await Promise.all(ours.map((run) => lookAfter(run, isCancelled || run.unwanted, provider)))
}

async function lookAfter({ syncId, runId }: SavedRun, mayCancel: boolean, provider: Provider): Promise<void> {
  const link = provider.link(syncId)
  if (runId === null) return warn(`sync ${syncId} may have been triggered just before this step stopped: ${link}`)
  if (!mayCancel || provider.cancel === undefined)
    return warn(`run ${runId} of sync ${syncId} may still be going: ${link}`)
  const limit = expiring(clock, clock.now() + CANCEL_MS, new AbortController().signal)
  try {
    // Reading it first finds out the version of the API, and leaves a run alone that has ended meanwhile or is another sync's.
    const run = await provider.read(runId, limit.signal)
    if (run.syncId !== '' && run.syncId !== syncId)
      return warn(`run ${runId} is not a run of sync ${syncId}, so it is left alone`)
    if (hasEnded(run)) return print({ level: 'info', text: `run ${runId} of sync ${syncId} has ended meanwhile` })
    await provider.cancel(runId, limit.signal)
    print({ level: 'info', text: `run ${runId} of sync ${syncId} was told to stop` })
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    warn(`run ${runId} of sync ${syncId} could not be cancelled (${error.message}) and may still be going: ${link}`)
  } finally {
    limit.dispose()
  }
}

function warn(text: string): void {
  print({ level: 'warning', text: plain(text) })
}

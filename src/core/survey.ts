import type { Baseline, Tools } from './deliver.ts'
import type { RunHandle } from './input-values.ts'
import type { Verdict } from './judge.ts'
import { type Polled, reach } from './poll.ts'
import type { Sync, Trouble } from './provider.ts'
import { refusal, stopped, tooLate } from './verdicts.ts'

/** A sync as the provider shows it before anything is triggered, or why it cannot be run. */
export type Surveyed = { sync: Sync; baseline: Baseline } | { sync: Sync; verdict: Verdict; trouble: Trouble | null }

/**
 * Reads what there is to know of every sync. Where the provider refuses the token and shows no sync at all, none is to be
 * started, whatever else is wrong with one of them.
 */
export async function survey(ids: readonly string[], tools: Tools): Promise<Surveyed[]> {
  const items = await Promise.all(ids.map((id) => look(id, tools)))
  const refused = items.find((item) => 'trouble' in item && item.trouble !== null && OF_ALL.includes(item.trouble))
  if (refused === undefined || !('verdict' in refused) || items.some((item) => 'baseline' in item)) return items
  return items.map(({ sync }) => ({
    sync,
    trouble: refused.trouble,
    verdict: { ...refused.verdict, outcome: 'not_started' },
  }))
}

/** Trouble that is nobody's in particular. */
const OF_ALL: readonly Trouble[] = ['refused', 'retired', 'unreachable']

async function look(id: string, tools: Tools): Promise<Surveyed> {
  const { provider, clock } = tools
  // The history first: being able to read it is what the rest depends on, and it shows which version of the API to use.
  const history = await reach((cut) => provider.history(id, cut), tools)
  if (history.end !== 'done') return failed(id, history, tools)
  const readAt = clock.now()
  const sync = await reach((cut) => provider.describe(id, cut), tools)
  if (sync.end !== 'done') return failed(id, sync, tools)
  return { sync: sync.value, baseline: { runs: history.value, readAt } }
}

function failed(id: string, polled: Exclude<Polled<unknown>, { end: 'done' }>, tools: Tools): Surveyed {
  const sync = unnamed(id)
  if (polled.end === 'aborted') return { sync, trouble: null, verdict: stopped(tools) }
  if (polled.end === 'deadline')
    return { sync, trouble: null, verdict: tooLate('the deadline came before the sync could be read', polled.error) }
  const { trouble } = polled.error
  const outcome = trouble === 'unavailable' || trouble === 'unreachable' ? 'not_started' : 'failed'
  return { sync, trouble, verdict: refusal(outcome, 'the sync could not be read', polled.error) }
}

export function unnamed(id: string): Sync {
  return { id, name: id, destination: null, paused: false, source: null }
}

/** The run that a handle names, once it can be seen: the sync it belongs to, where that is not known yet. */
export async function syncOf({ runId, syncId }: RunHandle, tools: Tools): Promise<Sync> {
  // A name is a nicety here: the run itself is about to be watched, with all patience.
  const hasty = { ...tools, outageToleranceMs: 0 }
  // An id that is not known is empty: then the run stands for its sync.
  let id = syncId ?? ''
  if (syncId === null) {
    const run = await reach((cut) => tools.provider.read(runId, cut), hasty)
    if (run.end === 'done') id = run.value.syncId
  }
  const sync = id === '' ? null : await reach((cut) => tools.provider.describe(id, cut), hasty)
  return sync?.end === 'done' ? sync.value : { ...unnamed(id), name: id || `run ${runId}` }
}

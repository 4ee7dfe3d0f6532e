import type { Verdict } from '../core/judge.ts'
import { reach } from '../core/poll.ts'
import { refusal, stopped, tooLate } from '../core/verdicts.ts'
import type { WatchTools } from '../core/watch.ts'
import type { Rulings } from './rulings.ts'

/** More than any workspace has: a list that goes on for longer is not read to its end. */
const MOST_PAGES = 100

/**
 * The ids of the syncs that this dbt invocation feeds: those that the project names; under `lineage` also those whose source the
 * provider says to be a relation that was built, paused ones left out. Or why they could not be found.
 */
export async function discover(
  how: 'exposures' | 'lineage',
  rulings: Rulings,
  tools: Pick<WatchTools, 'provider' | 'clock' | 'deadline' | 'signal' | 'outageToleranceMs'>,
): Promise<string[] | Verdict> {
  const ids = rulings.declared()
  const { provider } = tools
  if (how === 'exposures') return ids
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const listed = await reach(async (cut) => await provider.list?.(page, cut), tools)
    if (listed.end === 'lost') return refusal('not_started', 'the syncs could not be listed', listed.error)
    if (listed.end === 'aborted') return stopped(tools)
    if (listed.end === 'deadline') return tooLate('the deadline came before the syncs were listed', listed.error)
    if (listed.value === undefined)
      return {
        outcome: 'not_started',
        reason: `${provider.name} cannot list syncs, so discover: lineage does not work with it`,
      }
    ids.push(...listed.value.syncs.filter((sync) => !sync.paused && rulings.reads(sync)).map(({ id }) => id))
    if (!listed.value.more) break
  }
  return [...new Set(ids)]
}

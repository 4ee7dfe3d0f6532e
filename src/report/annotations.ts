import { isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { number, plural } from './format.ts'
import { hintOf } from './hints.ts'
import { worstFirst } from './order.ts'
import type { Report } from './outputs.ts'
import { plain } from './safe.ts'
import { destinationOf, hasFlaws, nameOf, OUTCOMES, whyOf } from './wording.ts'

export interface Annotation {
  level: 'error' | 'warning' | 'notice'
  title: string
  text: string
}

/** GitHub shows ten annotations of a level and step: nine, and one that says how many more there are. */
const MOST = 9

/** What GitHub shows beside the workflow run: what is wrong with the step, and one annotation for each sync that is not simply good. */
export function annotationsOf({ conclusion, results, problems }: Report, details: boolean): Annotation[] {
  const isSkipped = conclusion === 'skipped'
  const all = [
    ...problems.map(
      (text): Annotation => ({
        level: isSkipped ? 'warning' : 'error',
        title: isSkipped ? 'Nothing was synced' : 'Step failed',
        text: plain(text),
      }),
    ),
    ...(isSkipped && results.length > 0 ? [nothingSynced(results)] : []),
    // Where the step never came to its syncs, its problem says it all.
    ...(problems.length > 0 ? [] : worstFirst(results).flatMap((result) => about(result, details))),
  ]
  return (['error', 'warning', 'notice'] as const).flatMap((level) =>
    limit(
      all.filter((one) => one.level === level),
      level,
    ),
  )
}

function limit(some: readonly Annotation[], level: Annotation['level']): Annotation[] {
  const rest = some.length - MOST
  if (rest <= 0) return [...some]
  return [...some.slice(0, MOST), { level, title: 'More', text: `and ${number(rest)} more: see the job summary` }]
}

/** Green, and yet nothing has arrived anywhere: that should be seen. */
function nothingSynced(results: readonly Result[]): Annotation {
  const [first] = worstFirst(results)
  const why = first === undefined ? '' : ` ${nameOf(first.sync)}: ${whyOf(first, false)}`
  return {
    level: 'warning',
    title: 'Nothing was synced',
    text: `${results.length === 1 ? 'The sync did not run' : `None of ${plural(results.length, 'sync')} ran`}.${why}`,
  }
}

function about(result: Result, details: boolean): Annotation[] {
  const level = levelOf(result)
  const { outcome, sync, url, ruling, tolerated } = result
  const forgiven = tolerated === null ? '' : ` (${tolerated})`
  const where = destinationOf(sync) === '' ? '' : ` → ${destinationOf(sync)}`
  const why = `${nameOf(sync)}${where}: ${whyOf(result, details)}${forgiven}`
  const own = {
    title: OUTCOMES[outcome].title,
    text: level === 'error' ? [why, hintOf(result), url].filter((line) => line !== '').join('\n') : why,
  }
  const notes = (ruling?.notes ?? []).map((note) => ({
    level: note.level,
    title: 'dbt',
    text: `${nameOf(sync)}: ${plain(note.text)}`,
  }))
  return level === null ? notes : [{ level, ...own }, ...notes]
}

function levelOf(result: Result): Annotation['level'] | null {
  const { outcome, tolerated } = result
  if (isRed(result)) return 'error'
  if (outcome === 'skipped' || tolerated === 'on-blocked: skip') return 'notice'
  return tolerated !== null || hasFlaws(result) ? 'warning' : null
}

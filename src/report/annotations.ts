import { COLORS } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { plural } from './format.ts'
import { nameOf, OUTCOMES, whyOf } from './wording.ts'

export interface Annotation {
  level: 'error' | 'warning' | 'notice'
  title: string
  text: string
}

/** GitHub shows ten annotations of a level and step: nine, and one that says how many more there are. */
const MOST = 9

/** What GitHub shows beside the workflow run: one annotation for each sync that is not simply good. */
export function annotationsOf(results: readonly Result[], details: boolean): Annotation[] {
  return (['error', 'warning', 'notice'] as const).flatMap((level) => {
    const some = results.filter((result) => levelOf(result) === level)
    const shown = some.slice(0, MOST).map((result) => ({
      level,
      title: OUTCOMES[result.outcome].title,
      text: `${nameOf(result.sync)}: ${whyOf(result, details)}${level === 'error' ? ` ${result.url}` : ''}`,
    }))
    const rest = some.length - shown.length
    return rest === 0
      ? shown
      : [
          ...shown,
          { level, title: 'More syncs', text: `and ${plural(rest, 'more sync', 'more syncs')}: see the job summary` },
        ]
  })
}

function levelOf({ outcome, run }: Result): Annotation['level'] | null {
  if (COLORS[outcome] === 'red') return 'error'
  if (outcome === 'warned' || (outcome === 'fresh' && (run?.counts.failed ?? 0) > 0)) return 'warning'
  return outcome === 'skipped' ? 'notice' : null
}

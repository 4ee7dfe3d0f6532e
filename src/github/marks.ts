import * as v from 'valibot'
import { CHANGE, FAILURES } from '../report/failure-issue.ts'
import type { Change, Entry } from '../report/failures.ts'
import { readMarker } from '../report/marker.ts'

/** What the failure issue and its comments remember, read back. People may have changed it: what makes no sense is left out. */

const short = v.pipe(v.string(), v.maxLength(500))
const Id = v.pipe(
  v.string(),
  // A sync, or a step: its workflow, job and name.
  v.regex(/^(?:[\w-]{1,50}\/[\w-]{1,100}(?:\/trigger)?|[^\r\n]{1,250}@)$/),
)
const Whole = v.object({
  id: Id,
  since: v.pipe(v.string(), v.regex(/^(\d{4}-\d\d-\d\d)?$/)),
  name: v.optional(short),
  outcome: v.optional(short),
  run: v.optional(short),
  why: v.optional(short),
  // It becomes a link.
  url: v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s()<>[\]"'\\]{1,500}$/))),
})
const Bare = v.pipe(
  Id,
  v.transform((id): Entry => ({ id, since: '' })),
)

/** A list in which what is no entry is left out. */
export const Entries = v.pipe(
  v.array(v.fallback(v.nullable(v.union([Whole, Bare])), null)),
  v.transform((entries): Entry[] => entries.filter((entry) => entry !== null)),
)
const Ids = v.pipe(
  v.array(v.fallback(v.nullable(Id), null)),
  v.transform((ids) => ids.filter((id) => id !== null)),
)

const IssueMark = v.object({ title: v.string(), bad: Entries, upTo: v.fallback(v.number(), 0) })
const ChangeMark = v.object({ by: v.string(), bad: Entries, good: Ids })

/** The list in the text of an issue, and up to which comment it is true; null where it is none of this title. */
export function readIssue(text: string, title: string): { bad: Entry[]; upTo: number } | null {
  const mark = v.safeParse(IssueMark, readMarker(FAILURES, text))
  return mark.success && mark.output.title === title ? mark.output : null
}

/** The change that a comment tells of; null where it tells of none. */
export function readChange(text: string): Change | null {
  const mark = v.safeParse(ChangeMark, readMarker(CHANGE, text))
  return mark.success ? mark.output : null
}

import * as v from 'valibot'
import { changeComment, type Entry, FAILURES, issueBody, merge, type Seen } from '../report/failure-issue.ts'
import { readMarker } from '../report/marker.ts'
import type { GitHub, Issue } from './api.ts'
import { GitHubError } from './trouble.ts'

/** How often a list is written anew because another job has written at the same time. */
const TRIES = 5

/** An issue of ours, and what its marker says. */
type Kept = Issue & { entries: Entry[] }

/**
 * Keeps the one open issue of this title: opens it with the first bad sync, tells it of every change, and closes it when nothing bad is
 * left. An issue has no way to be changed only if nobody else has changed it, so what was written is read again.
 */
export async function keepIssue(github: GitHub, title: string, seen: Seen): Promise<void> {
  const login = await github.login()
  const ours = async (): Promise<Kept[]> =>
    (await github.openIssues()).flatMap((issue) => {
      const entries = issue.login === login ? entriesOf(issue, title) : null
      return entries === null ? [] : [{ ...issue, entries }]
    })

  let [first, ...others] = await ours()
  if (first === undefined) {
    const { entries } = merge([], seen)
    if (entries.length === 0) return
    await create(github, title, issueBody(title, entries, seen), async () => (await ours()).length > 0)
    // Another run may have opened one in the same moment: both look now, and both keep the one with the lower number.
    ;[first, ...others] = await ours()
    if (first === undefined || others.length === 0) return
  }
  const inherited = others.flatMap(({ entries }) => entries)
  await update(github, title, first, inherited, seen)
  for (const { number } of others) {
    const body = `A duplicate of #${first.number}, opened by another run in the same moment. Its list goes on there.\n`
    await github.updateIssue(number, { body, state: 'closed', state_reason: 'not_planned' })
  }
}

async function create(github: GitHub, title: string, body: string, isThere: () => Promise<boolean>): Promise<void> {
  try {
    await github.createIssue(title, body)
  } catch (error) {
    // Where nobody knows whether it is there it is looked for, and never opened a second time.
    if (!(error instanceof GitHubError) || !error.uncertain || !(await isThere())) throw error
  }
}

async function update(
  github: GitHub,
  title: string,
  issue: Kept,
  inherited: readonly Entry[],
  seen: Seen,
): Promise<void> {
  const { number } = issue
  let told: ReturnType<typeof merge> | null = null
  let current: Kept | null = issue
  for (let attempt = 1; current !== null; attempt += 1) {
    const known = new Set(current.entries.map(({ id }) => id))
    const merged = merge([...current.entries, ...inherited.filter(({ id }) => !known.has(id))], seen)
    told ??= merged
    const { added, removed } = merged
    if (added.length + removed.length + inherited.length + seen.bad.length === 0) return
    const body = issueBody(title, merged.entries, seen)
    const isOver = merged.entries.length === 0
    await github.updateIssue(number, { body, ...(isOver ? { state: 'closed', state_reason: 'completed' } : {}) })
    if (isOver || attempt === TRIES) break
    const after: Issue = await github.issue(number)
    const entries = entriesOf(after, title)
    current = after.isOpen && entries !== null && !holds(entries, seen) ? { ...after, entries } : null
  }
  if (told !== null && told.added.length + told.removed.length > 0) {
    await github.createComment(number, changeComment(told, seen))
  }
}

/** Whether a list says what this run has seen. */
function holds(entries: readonly Entry[], { bad, good }: Seen): boolean {
  const ids = new Set(entries.map(({ id }) => id))
  return bad.every(({ id }) => ids.has(id)) && !good.some((id) => ids.has(id))
}

const short = v.pipe(v.string(), v.maxLength(500))
const Known = v.object({
  // A sync, or a step: its workflow and job, and the run.
  id: v.pipe(v.string(), v.regex(/^(?:[\w-]{1,50}\/[\w-]{1,100}|[^\r\n]{1,250}@[\d.]{1,40})$/)),
  since: v.pipe(v.string(), v.regex(/^(\d{4}-\d\d-\d\d)?$/)),
  name: v.optional(short),
  outcome: v.optional(short),
  why: v.optional(short),
  // It becomes a link.
  url: v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s()<>[\]"'\\]{1,500}$/))),
})
export const Entries = v.pipe(
  v.array(
    v.fallback(
      v.nullable(
        v.union([
          Known,
          v.pipe(
            v.string(),
            v.transform((id) => ({ id, since: '' })),
            Known,
          ),
        ]),
      ),
      null,
    ),
  ),
  v.transform((entries): Entry[] => entries.filter((entry) => entry !== null)),
)
const Marker = v.object({ title: v.string(), bad: Entries })

/**
 * The list in an issue with this title in its marker; null where it is another one. People may have changed it: what makes no sense is
 * left out.
 */
function entriesOf({ body }: Issue, title: string): Entry[] | null {
  const marker = v.safeParse(Marker, readMarker(FAILURES, body))
  if (!marker.success || marker.output.title !== title) return null
  return marker.output.bad
}

import { COLORS, isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { number, plural } from './format.ts'
import { markerOf } from './marker.ts'
import { messageOf, type Report } from './outputs.ts'
import { Page } from './page.ts'
import { markdown, plain } from './safe.ts'
import { nameOf, OUTCOMES, whyOf } from './wording.ts'

/** The kinds of the markers of such an issue, and of a comment that tells of a change. */
export const FAILURES = 'failures'
export const CHANGE = 'change'

/** Something that is not well: a sync, or the step where it never came to its syncs. */
export interface Entry {
  /** `census/8290`, with `/trigger` where it was not to be watched; for a step, what tells it from others, and `@`. */
  id: string
  /** The day (UTC) on which it was first seen; empty where that is not known any more. */
  since: string
  /** The rest is for people, and left out where there is no room. */
  name?: string | undefined
  outcome?: string | undefined
  why?: string | undefined
  url?: string | undefined
  /** Of a step: the attempt at a workflow run that has said so last. */
  run?: string | undefined
}

/** What a run of the step has seen. */
export interface Seen {
  bad: readonly Entry[]
  /** Ids of what was found to be well. */
  good: readonly string[]
  /** The step: where it has come to its syncs, what was said of it in earlier workflow runs is over. */
  step: string
  /** The workflow run, and its page. */
  run: string
  runUrl: string
}

export interface Place {
  /** Workflow, job and step. */
  step: string
  run: string
  runUrl: string
  /** Milliseconds since the epoch. */
  now: number
}

/**
 * What the report says of each sync. One that may be red, or that was left out on a policy that says nothing of its data, is neither good
 * nor bad. `mode: trigger` knows of triggers alone: they are on the list for themselves.
 */
export function seenOf(report: Report, mode: string, place: Place): Seen {
  const { step, run, runUrl } = place
  const { results, problems, conclusion } = report
  const idOf = ({ provider, sync }: Result) => `${provider}/${sync.id}${mode === 'trigger' ? '/trigger' : ''}`
  const red = results.filter(isRed)
  const bad = red.filter(({ sync }) => sync.id !== '').map((result) => entryOf(result, idOf(result), place))
  // A step that never came to its syncs, or that watches runs whose syncs are not known.
  const isLost = bad.length === 0 && (red.length > 0 || (results.length === 0 && conclusion === 'failure'))
  const why = red.length > 0 ? messageOf(report) : problems.join(' ')
  const good = results.filter((result) => result.sync.id !== '' && isWell(result, mode)).map(idOf)
  return { bad: isLost ? [itself(why, place)] : bad, good, step, run, runUrl }
}

/** What can be said where the step was killed before it had a result: the syncs whose runs it was watching are bad, or else it is. */
export function seenOfKilled(ids: readonly string[], place: Place): Seen {
  const { step, run, runUrl } = place
  const why = 'the step was stopped before it had a result'
  const bad = ids.map((id) => ({ id, since: dayOf(place), outcome: 'unknown', why, url: runUrl }))
  return { bad: bad.length === 0 ? [itself(why, place)] : bad, good: [], step, run, runUrl }
}

function itself(why: string, place: Place): Entry {
  const { step, run, runUrl } = place
  const [workflow, job] = step.split('/')
  const name = `the step in job ${job} of ${workflow}`
  return {
    id: `${step}@`,
    run,
    since: dayOf(place),
    name,
    outcome: 'not_started',
    why: plain(why, MOST_WHY),
    url: runUrl,
  }
}

function dayOf({ now }: Place): string {
  return new Date(now).toISOString().slice(0, 10)
}

const MOST_WHY = 200

function entryOf(result: Result, id: string, place: Place): Entry {
  return {
    id,
    since: dayOf(place),
    name: nameOf(result.sync),
    outcome: result.outcome,
    why: plain(whyOf(result, false), MOST_WHY),
    url: result.url,
  }
}

function isWell({ outcome, sync, ruling }: Result, mode: string): boolean {
  if (outcome === 'skipped') return sync.paused || ruling?.gate === 'not-built'
  if (outcome === 'triggered') return mode === 'trigger'
  return outcome !== 'planned' && COLORS[outcome] === 'green'
}

/** The list of an issue after what a run has seen. What it has not seen stays as it is: another run, or another job, will. */
export function merge(before: readonly Entry[], { bad, good, step, run }: Seen): Entry[] {
  const known = new Map(before.map((entry) => [entry.id, entry]))
  const well = new Set(good)
  const isOver = ({ id, run: saidBy }: Entry) => well.has(id) || (id === `${step}@` && saidBy !== run)
  const seen = new Set(bad.map(({ id }) => id))
  const left = before.filter((entry) => !seen.has(entry.id) && !isOver(entry))
  const now = bad.map((entry) => ({ ...entry, since: known.get(entry.id)?.since ?? entry.since }))
  return inOrder([...left, ...now])
}

/** What has become of a list: what is bad that was not, and the ids of what was and is not any more. */
export interface Change {
  bad: readonly Entry[]
  good: readonly string[]
}

/** What has changed between two lists. */
export function changeOf(before: readonly Entry[], after: readonly Entry[]): Change {
  const known = new Set(before.map(({ id }) => id))
  const left = new Set(after.map(({ id }) => id))
  return {
    bad: after.filter(({ id }) => !known.has(id)),
    good: before.map(({ id }) => id).filter((id) => !left.has(id)),
  }
}

/** The list after some changes, one after the other. */
export function fold(list: readonly Entry[], changes: readonly Change[]): Entry[] {
  const entries = new Map(list.map((entry) => [entry.id, entry]))
  for (const { bad, good } of changes) {
    for (const entry of bad) entries.set(entry.id, entries.get(entry.id) ?? entry)
    for (const id of good) entries.delete(id)
  }
  return inOrder([...entries.values()])
}

/** The oldest first. */
function inOrder(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.id < b.id ? -1 : 1))
}

/** GitHub takes 65,536 characters of an issue. Two thousand ids have room in the marker, and what is left is for people. */
const MOST_MARKER = 58_000
const MOST_BYTES = 20_000
const MOST_BOTH = 64_000

/**
 * The text of the issue. Its marker holds the whole list, with as much about each as there is room for, and up to which comment it is
 * true. What this run has seen of an entry is newer than what the list remembers.
 */
export function issueBody(
  title: string,
  list: readonly Entry[],
  upTo: number,
  { bad, runUrl }: Pick<Seen, 'bad' | 'runUrl'>,
): string {
  const news = new Map(bad.map((entry) => [entry.id, entry]))
  const entries = list.map((entry) => {
    const fresh = news.get(entry.id)
    // A run that could not even read the sync has only its id to call it by.
    const name = fresh?.name === undefined || isNameless(fresh) ? (entry.name ?? fresh?.name) : fresh.name
    return { ...entry, ...fresh, name, since: entry.since }
  })
  const marker = fitting(entries, (some) => markerOf(FAILURES, { title, upTo, bad: some }), MOST_MARKER)
  const page = new Page(Math.min(MOST_BYTES, MOST_BOTH - marker.length))
  page.add(`${headline(entries)}\n\n`)
  page.list(
    entries.map((entry) => ({ text: row(entry), syncs: 1 })),
    {
      share: 0.9,
      before: '| Sync | Since | Outcome | Why |\n|---|---|---|---|\n',
      after: '\n',
    },
  )
  page.add(
    `Last seen by [this workflow run](${runUrl}). The list is kept by the workflow, and the issue closes by itself once nothing is left in it. ` +
      'What is not run any more stays in it: then close it by hand, and what still fails opens a new one.\n\n',
  )
  return `${page.text}${marker}\n`
}

/** `sync 8290`. */
function isNameless({ id, name }: Entry): boolean {
  return name === `sync ${id.split('/')[1]}`
}

function headline(entries: readonly Entry[]): string {
  if (entries.length === 0) return 'All is well again.'
  const steps = entries.filter(({ id }) => id.endsWith('@')).length
  const syncs = entries.length - steps
  const parts = [
    syncs === 0 ? '' : `${plural(syncs, 'sync')} ${syncs === 1 ? 'does' : 'do'} not deliver`,
    steps === 0
      ? ''
      : `${plural(steps, 'step')} ${steps === 1 ? 'does' : 'do'} not do what ${steps === 1 ? 'it' : 'they'} should`,
  ]
  return `${parts.filter((part) => part !== '').join(', and ')}.`
}

function row({ id, since, name, outcome, why, url }: Entry): string {
  const shown = markdown(name ?? id, 200)
  const words = Object.entries(OUTCOMES).find(([word]) => word === outcome)?.[1]
  const cells = [
    url === undefined ? shown : `[${shown}](${url})`,
    // A narrow column does not break the line at these hyphens.
    since.replaceAll('-', '\u2011'),
    words === undefined ? '' : `${words.mark} ${words.words}`,
    markdown(why ?? '', MOST_WHY),
  ]
  return `| ${cells.join(' | ')} |\n`
}

/** An entry as it is remembered: with as much about it as there is room for, at last its id alone. */
export type Remembered = Entry | string

/** A text about entries with less and less about each, until it is short enough: every id is worth more than any reason. */
export function fitting(
  entries: readonly Entry[],
  write: (some: readonly Remembered[]) => string,
  most: number,
): string {
  const lesser: ((entry: Entry) => Remembered)[] = [
    (entry) => entry,
    ({ why: _, ...entry }) => entry,
    ({ id, since }) => ({ id, since }),
    ({ id }) => id,
  ]
  for (const less of lesser) {
    const text = write(entries.map(less))
    if (text.length <= most) return text
  }
  if (entries.length === 0) return write([])
  // What is left out comes back with the next run that sees it.
  return fitting(entries.slice(0, Math.floor(entries.length / 2)), write, most)
}

/** What has changed, for those who watch the issue; in its marker, for the next run. `before`: the list, with the names in it. */
export function changeComment(before: readonly Entry[], after: readonly Entry[], seen: Seen): string {
  const { bad, good } = changeOf(before, after)
  const recovered = before.filter(({ id }) => good.includes(id))
  const by = `${seen.step}@${seen.run}`
  const marker = fitting(bad, (some) => markerOf(CHANGE, { by, bad: some, good }), MOST_MARKER)
  const page = new Page(Math.min(MOST_BYTES, MOST_BOTH - marker.length))
  const part = (title: string, items: readonly string[]) =>
    page.list(
      items.map((item) => ({ text: `- ${item}\n`, syncs: 1 })),
      { share: 0.5, before: `${title}\n\n`, after: '\n' },
    )
  const nameOfEntry = ({ name, id }: Entry) => markdown(name ?? id, 200)
  part(
    '❌ **New in the list:**',
    bad.map((entry) => `${nameOfEntry(entry)}${entry.why === undefined ? '' : `: ${markdown(entry.why, MOST_WHY)}`}`),
  )
  part('✅ **Off the list:**', recovered.map(nameOfEntry))
  page.add(
    after.length === 0
      ? `Nothing is left in the list: [this workflow run](${seen.runUrl}) closes the issue.\n\n`
      : `Seen by [this workflow run](${seen.runUrl}). Left in the list: ${number(after.length)}.\n\n`,
  )
  return `${page.text}${marker}\n`
}

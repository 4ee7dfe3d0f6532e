import type { Mode } from '../core/inputs.ts'
import { isRed, type Outcome } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { DELIVERED, messageOf, type Report } from './outputs.ts'
import { plain } from './safe.ts'
import { nameOf, whyOf } from './wording.ts'

/** The list that the failure issue keeps: what is not well, how a run changes it, and what becomes of it where several do. */

/** Characters of a reason, wherever it is remembered or shown. */
export const MOST_WHY = 200

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
 * What the report says of each sync. One that may be red, or that was left out, which says nothing of its data, is neither good nor
 * bad. `mode: trigger` knows of triggers alone: they are on the list for themselves.
 */
export function seenOf(report: Report, mode: Mode, place: Place): Seen {
  const { step, run, runUrl } = place
  const { results, problems, conclusion } = report
  const idOf = ({ provider, sync }: Result) => idOfSync(provider, sync.id, mode)
  const red = results.filter(isRed)
  const bad = red.filter(({ sync }) => sync.id !== '').map((result) => entryOf(result, idOf(result), place))
  // A step that never came to its syncs, or that watches runs whose syncs are not known.
  const isLost = bad.length === 0 && (red.length > 0 || (results.length === 0 && conclusion !== 'skipped'))
  const why = red.length > 0 ? messageOf(report) : problems.join(' ')
  // `mode: wait` may watch several runs of one sync: one that is bad is enough.
  const first = bad.filter(({ id }, at) => bad.findIndex((other) => other.id === id) === at)
  const isBad = new Set(first.map(({ id }) => id))
  const well = results.filter((result) => result.sync.id !== '' && isWell(result, mode)).map(idOf)
  const good = [...new Set(well)].filter((id) => !isBad.has(id))
  return { bad: isLost ? [itself(why, place)] : first, good, step, run, runUrl }
}

/** A sync's place in the list. That it can be triggered and that it delivers are two things. */
export function idOfSync(provider: string, syncId: string, mode: Mode): string {
  return `${provider}/${syncId}${mode === 'trigger' ? '/trigger' : ''}`
}

/**
 * What can be said where the step was killed before it had a result: what had gone wrong by then, and the syncs whose runs it was
 * watching, are bad; or else it is.
 */
export function seenOfKilled(left: readonly { id: string; outcome: Outcome }[], place: Place): Seen {
  const { step, run, runUrl } = place
  const why = 'the step was stopped before it had a result'
  const bad = left.map(({ id, outcome }) => ({
    id,
    since: dayOf(place),
    outcome,
    why: outcome === 'unknown' ? why : 'the step was stopped before it could say why',
    url: runUrl,
  }))
  return { bad: bad.length === 0 ? [itself(why, place, 'unknown')] : bad, good: [], step, run, runUrl }
}

function itself(why: string, place: Place, outcome: Outcome = 'not_started'): Entry {
  const { step, run, runUrl } = place
  const [workflow, job, , index] = step.split('/')
  const name = `the step in job ${job} of ${workflow}${index === undefined ? '' : `, ${Number(index) + 1} of its matrix`}`
  return {
    id: `${step}@`,
    run,
    since: dayOf(place),
    name,
    outcome,
    why: plain(why, MOST_WHY),
    url: runUrl,
  }
}

function dayOf({ now }: Place): string {
  return new Date(now).toISOString().slice(0, 10)
}

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

function isWell({ outcome }: Result, mode: Mode): boolean {
  return mode === 'trigger' ? outcome === 'triggered' || outcome === 'fresh' : DELIVERED.includes(outcome)
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

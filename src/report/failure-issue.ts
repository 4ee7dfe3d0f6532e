import { changeOf, type Entry, MOST_WHY, type Seen } from './failures.ts'
import { number, plural } from './format.ts'
import { markerOf } from './marker.ts'
import { Page } from './page.ts'
import { markdown } from './safe.ts'
import { OUTCOMES } from './wording.ts'

/** The kinds of the markers of such an issue, and of a comment that tells of a change. */
export const FAILURES = 'failures'
export const CHANGE = 'change'

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
  const counted = (some: readonly Entry[]) => new Set(some.map(({ id }) => id.replace(TRIGGER, ''))).size
  const ofSyncs = entries.filter(({ id }) => !id.endsWith('@'))
  const syncs = counted(ofSyncs.filter(({ outcome }) => outcome !== 'unknown'))
  const uncertain = counted(ofSyncs) - syncs
  const parts = [
    syncs === 0 ? '' : `${plural(syncs, 'sync')} ${syncs === 1 ? 'does' : 'do'} not deliver`,
    uncertain === 0
      ? ''
      : `it is not known whether ${plural(uncertain, syncs > 0 ? 'other' : 'sync', syncs > 0 ? 'others' : 'syncs')} ${uncertain === 1 ? 'delivers' : 'deliver'}`,
    steps === 0
      ? ''
      : `${plural(steps, 'step')} ${steps === 1 ? 'does' : 'do'} not do what ${steps === 1 ? 'it' : 'they'} should`,
  ]
  const text = parts.filter((part) => part !== '').join(', and ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

const TRIGGER = /\/trigger$/

function labelOf({ id, name }: Pick<Entry, 'id' | 'name'>): string {
  return `${markdown(name ?? id, 200)}${TRIGGER.test(id) && name !== undefined ? ' (its trigger)' : ''}`
}

function row({ id, since, name, outcome, why, url }: Entry): string {
  const shown = labelOf({ id, name })
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
  part(
    '❌ **New in the list:**',
    bad.map((entry) => `${labelOf(entry)}${entry.why === undefined ? '' : `: ${markdown(entry.why, MOST_WHY)}`}`),
  )
  part('✅ **Off the list:**', recovered.map(labelOf))
  page.add(
    after.length === 0
      ? `Nothing is left in the list: [this workflow run](${seen.runUrl}) closes the issue.\n\n`
      : `Seen by [this workflow run](${seen.runUrl}). Left in the list: ${number(after.length)}.\n\n`,
  )
  return `${page.text}${marker}\n`
}

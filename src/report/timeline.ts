import type { Event } from '../core/events.ts'
import { isRed } from '../core/judge.ts'
import type { Run, Sync } from '../core/provider.ts'
import type { Result } from '../core/result.ts'
import { duration } from './format.ts'
import { CLASSES, classOf } from './lineage.ts'
import { mermaid, plain } from './safe.ts'
import { nameOf, OUTCOMES } from './wording.ts'

/** What a sync did for a while. Instants are milliseconds since the step began. */
export interface Span {
  what: 'waiting' | 'triggering' | 'queued' | 'running'
  /** In words, without how long it took. */
  words: string
  from: number
  to: number
}

/** The spans of every sync, by its id, or its name where it has no id. */
export type Spans = ReadonlyMap<string, readonly Span[]>

/**
 * Notes from the events of a step what each sync did when, as this step saw it: a provider says when a run was created, but not when it
 * began to work.
 */
export function createTimekeeper(now: () => number): { on(event: Event): void; spans: Spans } {
  const began = now()
  const spans = new Map<string, Span[]>()
  const close = (id: string) => {
    const last = spans.get(id)?.at(-1)
    if (last !== undefined) last.to = now() - began
  }
  const open = (id: string, what: Span['what'], words: string = what) => {
    const all = spans.get(id) ?? []
    close(id)
    if (all.at(-1)?.words === words) return
    all.push({ what, words, from: now() - began, to: now() - began })
    spans.set(id, all)
  }
  const on = (event: Event) => {
    switch (event.kind) {
      case 'waiting':
        return open(keyOf(event.sync), 'waiting', `waiting for run ${event.run.id}`)
      case 'intent':
        return open(keyOf(event.sync), 'triggering')
      case 'triggered':
        return open(keyOf(event.sync), 'queued')
      case 'changed': {
        // A run that is waited out is not the sync's own.
        const isOlder = spans.get(keyOf(event.sync))?.at(-1)?.what === 'waiting'
        return isOlder ? close(keyOf(event.sync)) : seen(keyOf(event.sync), event.run)
      }
      case 'settled':
        return close(keyOf(event.result.sync))
      default:
        return
    }
  }
  const seen = (id: string, { state, status }: Run) => {
    if (state === 'queued' || state === 'running') return open(id, state)
    if (state === 'unrecognized') return open(id, 'running', plain(status, 60))
    close(id)
  }
  return { on, spans }
}

/** A run whose sync is not known stands for it, by its name. */
function keyOf({ id, name }: Sync): string {
  return id || name
}

/** More rows than these nobody compares, and more bars nobody reads. */
const MOST_SYNCS = 20
const MOST_BARS = 60
/** In less time nothing happens that a picture would show. */
const SHORTEST_MS = 1000
/** Shows as nothing. A bar without a name is an error, and so may be one that begins with a word of the language, such as "click". */
const BLANK = '\u200b'
const ROOM = { useWidth: 978, leftPadding: 260, fontSize: 12, sectionFontSize: 12, barHeight: 24 }
const BARS_WIDTH = ROOM.useWidth - ROOM.leftPadding - 75
const LETTER_WIDTH = 6.5
/** The colours of the lineage. The words for a bar are those of the language: what is `done` has gone well here. */
const { good, flawed, bad, idle } = CLASSES
const COLORS = {
  ...{ taskBkgColor: idle, taskBorderColor: idle, doneTaskBkgColor: good, doneTaskBorderColor: good },
  ...{ activeTaskBkgColor: flawed, activeTaskBorderColor: flawed, critBkgColor: bad, critBorderColor: bad },
  // Every third row would have a stripe of yellow behind it.
  ...{ sectionBkgColor2: 'transparent' },
  ...{ taskTextColor: '#fff', taskTextDarkColor: '#fff', taskTextLightColor: '#fff' },
}
const TAGS = { good: 'done, ', flawed: 'active, ', bad: 'crit, ', idle: '' }
const INIT = { gantt: { ...ROOM, displayMode: 'compact' }, themeVariables: COLORS }

/**
 * A Mermaid gantt chart of what the syncs did when, those that took longest where there are many; empty where there is nothing to
 * compare. Times are written as a date without a time zone, which every reader's browser shows as they are.
 */
export function timelineOf(results: readonly Result[], spans: Spans): string {
  const rows = results.flatMap((result) => {
    const own = (spans.get(keyOf(result.sync)) ?? []).filter(({ from, to }) => to > from)
    return own.length === 0 ? [] : [{ result, spans: own }]
  })
  if (rows.length < 2) return ''
  const lengthOf = (all: readonly Span[]) => (all.at(-1)?.to ?? 0) - (all[0]?.from ?? 0)
  const isBad = ({ result }: (typeof rows)[number]) => Number(isRed(result))
  const telling = rows.toSorted((a, b) => isBad(b) - isBad(a) || lengthOf(b.spans) - lengthOf(a.spans))
  const chosen = new Set(telling.slice(0, MOST_SYNCS))
  const shown = rows.filter((row) => chosen.has(row))
  const end = Math.max(...shown.map((row) => row.spans.at(-1)?.to ?? 0))
  const start = Math.min(...shown.map((row) => row.spans[0]?.from ?? 0))
  const scale = BARS_WIDTH / (end - start)
  if (end - start < SHORTEST_MS) return ''
  const bars = shown.flatMap(({ result, spans: own }, row) => {
    // Of a sync that was triggered again and again, the last bars say how it ended.
    const last = own.slice(-Math.floor(MOST_BARS / shown.length))
    return [
      `section ${mermaid(`${OUTCOMES[result.outcome].mark} ${nameOf(result.sync)}`, 36)}`,
      ...last.map((span, at) => {
        const took = span.to - span.from
        const labels = [`${span.words} · ${duration(took)}`, `${span.what} · ${duration(took)}`, span.what].map(
          (label) => mermaid(label),
        )
        const label = labels.find(({ length }) => length * LETTER_WIDTH <= took * scale) ?? ''
        const color = at === last.length - 1 ? classOf(result) : 'idle'
        return `${BLANK}${label} : ${TAGS[color]}s${row}b${at}, ${time(span.from)}, ${time(span.to)}`
      }),
    ]
  })
  const which =
    shown.length < rows.length
      ? ` of ${shown.some(({ result }) => isRed(result)) ? 'what went wrong and ' : ''}what took longest`
      : ''
  const lines = [
    `%%{init: ${JSON.stringify(INIT)}}%%`,
    'gantt',
    'todayMarker off',
    'dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    `axisFormat ${end < 3_600_000 ? '%M:%S' : '%H:%M'}`,
  ]
  return [`### Timeline${which}`, '', '```mermaid', ...lines, ...bars, '```', ''].join('\n')
}

function time(ms: number): string {
  return new Date(Math.round(ms)).toISOString().slice(0, -1).replace('T', ' ')
}

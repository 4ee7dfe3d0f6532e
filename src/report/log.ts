import type { Event } from '../core/events.ts'
import { isRed } from '../core/judge.ts'
import type { Step } from '../core/plan.ts'
import { hasEnded, type Run, type Sync } from '../core/provider.ts'
import type { Result } from '../core/result.ts'
import type { Ruling } from '../core/ruling.ts'
import type { Forecast } from '../core/schedule.ts'
import { duration, elapsed, roughly } from './format.ts'
import { plain, redact } from './safe.ts'
import { destinationOf, durationOf, modelsOf, nameOf, OUTCOMES, recordsOf, whyOf, wordsOf } from './wording.ts'

export interface Line {
  level: 'info' | 'warning'
  text: string
}

export interface Log {
  on(event: Event): void
  /** Called now and then: tells what still goes on. */
  heartbeat(): void
  /** The provider asked for a wait of so many milliseconds. */
  pause(ms: number): void
  /** An outage has begun; `why` is a sentence of ours. */
  outage(why: string): void
}

export interface LogOptions {
  /** Provider messages as they come, with what they quote from records. */
  details: boolean
  /** False: runs are triggered, and not watched. */
  watches: boolean
  /** Monotonic milliseconds. */
  now(): number
  write(line: Line): void
}

/** A sync that says nothing for this long gets a line all the same. */
const HEARTBEAT_MS = 60_000

/** Tells the events of a step as lines, only when something changes. */
export function createLog({ details, watches, now, write }: LogOptions): Log {
  const began = now()
  const open = new Map<string, Entry>()
  const strangeWords = new Set<string>()
  const say = (text: string, level: Line['level'] = 'info') =>
    write({ level, text: `[${elapsed(now() - began)}] ${text}` })

  const track = (sync: Sync, state: string, more = '') => {
    const { since = now(), expected = null } = open.get(sync.id) ?? {}
    open.set(sync.id, { name: nameOf(sync), state, since, toldAt: now(), expected, waitsFor: null })
    say(`${nameOf(sync)}: ${state}${more}`)
  }
  /** Goes on with something else, whose time begins now. */
  const turn = (sync: Sync, state: string, expected: Forecast | null, waitsFor: string | null = null) =>
    open.set(sync.id, { name: nameOf(sync), state, since: now(), toldAt: now(), expected, waitsFor })

  /** Something was said about this sync just now. */
  const touch = (sync: Sync) => {
    const entry = open.get(sync.id)
    if (entry !== undefined) entry.toldAt = now()
  }

  const on = (event: Event) => {
    switch (event.kind) {
      case 'planned':
        return write({ level: 'info', text: planLine(event.sync, event.step, event.ruling) })
      case 'refused':
        return write({
          level: 'info',
          text: `${nameOf(event.result.sync)}: ${OUTCOMES[event.result.outcome].words}, ${whyOf(event.result, details)}`,
        })
      case 'intent':
      case 'dropped':
        return
      case 'triggered': {
        const { sync, runId, adopted, reason } = event
        // Since when a run of somebody else goes on, and so how much of it is left, is not told.
        const expected = adopted ? null : event.expected
        turn(sync, '', expected)
        const what = watches ? 'watching' : 'nothing to trigger, there is'
        const state = adopted ? `${what} run ${runId}: ${plain(reason)}` : `triggered run ${runId}`
        return track(sync, state, expected === null ? '' : `, which usually takes ${roughly(expected.usualMs)}`)
      }
      case 'waiting': {
        const state = `waiting: ${plain(event.reason)}`
        turn(event.sync, state, null, event.run.id)
        return say(`${nameOf(event.sync)}: ${state}`)
      }
      case 'changed': {
        // A run that is waited out is not the sync's own: what becomes of it is another matter.
        if (open.get(event.sync.id)?.waitsFor === event.run.id) {
          touch(event.sync)
          say(`${nameOf(event.sync)}: run ${event.run.id}, which is waited for: ${runLine(event.run)}`)
        } else track(event.sync, runLine(event.run))
        const word = plain(event.run.status, 60)
        if (event.run.state === 'unrecognized' && !strangeWords.has(word)) {
          strangeWords.add(word)
          say(
            `the status "${word}" is not known to this version: it counts neither as an end nor as success`,
            'warning',
          )
        }
        return
      }
      case 'unreadable': {
        touch(event.sync)
        const said =
          event.error.detail === null
            ? ''
            : `: ${plain(details ? event.error.detail : redact(event.error.detail), 200)}`
        return say(`${nameOf(event.sync)}: its run cannot be read for now: ${plain(event.error.message)}${said}`)
      }
      case 'readable':
        touch(event.sync)
        return say(`${nameOf(event.sync)}: its run can be read again, after ${duration(event.afterMs)}`)
      case 'again': {
        const { reason, message = null, detail = null } = event.verdict
        const retry = event.retry === null ? '' : `; retry ${event.retry.nth} of ${event.retry.of}`
        turn(event.sync, 'waiting to be triggered again', null)
        return say(`${nameOf(event.sync)}: again, because ${whyOf({ reason, message, detail }, details)}${retry}`)
      }
      case 'cancelled':
        return
      case 'cancelling':
        return say(`${nameOf(event.sync)}: telling the provider to cancel run ${event.runId}`)
      case 'settled':
        open.delete(event.result.sync.id)
        return say(`${nameOf(event.result.sync)}: ${resultLine(event.result, details)}`)
    }
  }

  const heartbeat = () => {
    const silent = [...open.values()].filter(({ toldAt }) => now() - toldAt >= HEARTBEAT_MS)
    for (const sync of silent) {
      sync.toldAt = now()
      say(`${sync.name}: still ${sync.state}, ${duration(now() - sync.since)} so far${outlook(sync, now())}`)
    }
  }
  const pause = (ms: number) => say(`the provider asks for a wait of ${roughly(ms)}: until then nothing is sent to it`)
  const outage = (why: string) => say(`${plain(why)}: the provider is asked again, less and less often`, 'warning')
  return { on, heartbeat, pause, outage }
}

interface Entry {
  name: string
  state: string
  /** Monotonic milliseconds, as `toldAt`. */
  since: number
  toldAt: number
  /** How long its run is going to take; null: nothing is known, or not since when it goes on. */
  expected: Forecast | null
  /** The run that is in its way. */
  waitsFor: string | null
}

function outlook({ expected, since }: Entry, now: number): string {
  if (expected === null) return ''
  const left = expected.usualMs - (now - since)
  if (left > 0) return `, about ${roughly(left)} left`
  const late = now - since > expected.longMs
  return late ? `, unusually long: it usually takes ${roughly(expected.usualMs)}` : ', about to end'
}

function planLine(sync: Sync, step: Step, ruling: Ruling | null): string {
  const where = destinationOf(sync) === '' ? '' : ` → ${destinationOf(sync)}`
  const line = `${nameOf(sync)}${where}: ${stepInWords(step)}`
  if (ruling === null) return line
  const feed = ruling.models === null ? plain(ruling.source) : `fed by ${modelsOf(ruling)}, ${plain(ruling.source)}`
  const told = step.do === 'settle' && step.verdict.reason === ruling.reason
  return `${line}\n    ${feed}${told || ruling.reason === '' ? '' : `; ${plain(ruling.reason)}`}`
}

/** What is going to happen to a sync, in words. */
export function stepInWords(step: Step): string {
  switch (step.do) {
    case 'settle':
      return `${OUTCOMES[step.verdict.outcome].words}, ${plain(step.verdict.reason)}`
    case 'adopt':
      return `watch run ${step.run.id}: ${plain(step.reason)}`
    case 'queue':
      return `wait, then trigger: ${plain(step.reason)}`
    case 'trigger':
      return `trigger${step.reason === null ? '' : `, ${plain(step.reason)}`}`
  }
}

function runLine(run: Run): string {
  const parts = [
    plain(run.status, 60),
    run.step === null || hasEnded(run) ? '' : plain(run.step, 120),
    recordsOf(run.counts),
  ]
  return parts.filter((part) => part !== '').join(' · ')
}

/** How every sync ended, a line each; nothing for one sync alone, whose end is what was said last. */
export function endingsOf(results: readonly Result[], details: boolean): Line[] {
  if (results.length < 2) return []
  return results.map((result) => ({ level: 'info', text: `${nameOf(result.sync)}: ${resultLine(result, details)}` }))
}

/** How a sync ended, in one line. */
export function resultLine(result: Result, details: boolean): string {
  const { outcome, run, tolerated } = result
  const took = run === null ? null : durationOf(run)
  const facts = [
    outcome === 'succeeded' || outcome === 'fresh' || outcome === 'warned' ? recordsOf(run?.counts ?? NO_COUNTS) : '',
    took === null ? '' : `took ${duration(took)}`,
  ].filter((fact) => fact !== '')
  // Of a plan the reason says what would be.
  const { mark } = wordsOf(result)
  const { words } = OUTCOMES[outcome]
  const isPlain = (outcome === 'succeeded' && result.reason === 'completed') || result.reason === words
  const why = isPlain ? '' : `: ${whyOf(result, details)}`
  const forgiven = tolerated === null ? '' : ` (${tolerated})`
  return `${mark} ${words}${forgiven}${why}${facts.length > 0 ? ` (${facts.join('; ')})` : ''} ${isRed(result) || result.runId !== null ? result.url : ''}`.trimEnd()
}

const NO_COUNTS = { processed: null, succeeded: null, failed: null, invalid: null }

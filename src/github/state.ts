import * as v from 'valibot'
import type { Event } from '../core/events.ts'
import { isRed, type Outcome } from '../core/judge.ts'
import { hasEnded } from '../core/provider.ts'
import { fitting } from '../report/failure-issue.ts'
import type { Seen } from '../report/failures.ts'
import type { Here } from './here.ts'
import { Entries } from './marks.ts'
import { saveState } from './runner.ts'

/** What the post step knows of a sync's run. Never anything secret: other steps can read and write the same file. */
export interface SavedRun {
  syncId: string
  runId: string | null
  /** Still going as far as main knew, and started by this step. */
  open: boolean
  /** Main wanted it cancelled, and may not have come to it. */
  unwanted: boolean
  /** The run that was newest before the trigger, and since when (provider's clock, ms) a run can be the trigger's. */
  baseline: string | null
  since: number
  full: boolean
  /** It may fail without the step being red. */
  mayFail: boolean
}

const RUN = 'run-'
/** How a sync ended that turns the step red. */
const RED = 'red-'
const Saved = v.object({
  syncId: v.string(),
  runId: v.nullable(v.string()),
  open: v.boolean(),
  unwanted: v.boolean(),
  baseline: v.nullable(v.string()),
  since: v.number(),
  full: v.boolean(),
  mayFail: v.boolean(),
})

/**
 * Keeps the post step informed: of a trigger before it is sent, of the run as soon as it is known, of its end. `signal`: aborts when
 * the step is told to stop.
 */
export function createStateKeeper(signal: AbortSignal, mayFail: (syncId: string) => boolean): (event: Event) => void {
  const runs = new Map<string, SavedRun>()
  const stopped = new Set<string>()
  const save = (run: SavedRun) => {
    runs.set(run.syncId, run)
    saveState(`${RUN}${run.syncId}`, run)
  }
  return (event) => {
    switch (event.kind) {
      case 'intent':
        return save({
          syncId: event.sync.id,
          runId: null,
          open: true,
          unwanted: false,
          baseline: event.baseline,
          since: event.since,
          full: event.full,
          mayFail: mayFail(event.sync.id),
        })
      case 'triggered': {
        const run = runs.get(event.sync.id)
        return run && event.cancellable ? save({ ...run, runId: event.runId }) : undefined
      }
      case 'dropped': {
        const run = runs.get(event.sync.id)
        return run && save({ ...run, open: false })
      }
      case 'cancelling': {
        const run = runs.get(event.sync.id)
        return run && save({ ...run, unwanted: true })
      }
      case 'cancelled':
        stopped.add(event.runId)
        return
      case 'settled': {
        const { outcome, run: seen, sync } = event.result
        if (isRed(event.result) && sync.id !== '') saveState(`${RED}${sync.id}`, outcome)
        const run = runs.get(sync.id)
        if (run === undefined) return
        // A step that is stopped has little time to look for the run of a trigger whose answer was lost: the post step looks again.
        if (run.runId === null) return save({ ...run, open: run.open && outcome === 'unknown' && signal.aborted })
        // A run that could not be stopped is left to the post step, which has more time.
        const goesOn = seen === null || !hasEnded(seen)
        const leftOver = goesOn && !stopped.has(run.runId)
        return save({ ...run, open: leftOver && (run.unwanted || outcome === 'cancelled') })
      }
    }
  }
}

/** The state as main left it. What does not look like ours is left out. */
export function readState(env: NodeJS.ProcessEnv): SavedRun[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith(`STATE_${RUN}`)) return []
    const saved = v.safeParse(Saved, parse(value))
    return saved.success ? [saved.output] : []
  })
}

const Red = v.picklist(['blocked', 'failed', 'cancelled', 'timed_out', 'unknown', 'not_started'])

/** What main knew to have gone wrong. */
export function readRed(env: NodeJS.ProcessEnv): { syncId: string; outcome: Outcome }[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith(`STATE_${RED}`)) return []
    const outcome = v.safeParse(Red, parse(value))
    return outcome.success ? [{ syncId: name.slice(`STATE_${RED}`.length), outcome: outcome.output }] : []
  })
}

const SEEN = 'seen'
const TOLD = 'told'
const BEGUN = 'begun'
/** The state comes back as one variable of the environment, of which Linux takes 128 KiB. Characters of up to three bytes. */
const MOST_SEEN = 40_000

/** Keeps what the failure issue is to be told for the post step, in case main is stopped before it has told it. */
export function saveSeen({ bad, good }: Seen): void {
  const whole = { bad, good }
  // What is bad is worth more than what is good, which the next run sees again.
  const short = () => JSON.parse(fitting(bad, (some) => JSON.stringify({ bad: some, good: [] }), MOST_SEEN))
  saveState(SEEN, JSON.stringify(whole).length <= MOST_SEEN ? whole : short())
}

/** Main has begun: where nothing else is saved, it was stopped before it had a result. */
export function saveBegun(): void {
  saveState(SEEN, BEGUN)
}

/** Main has done what there was to do. */
export function saveTold(): void {
  saveState(SEEN, TOLD)
}

const SavedSeen = v.object({ bad: Entries, good: v.array(v.string()) })

/** What main has left to be told; `told` where nothing is, or where its state could not be kept; null where main did not come to it. */
export function readSeen(env: NodeJS.ProcessEnv, { step, run, runUrl }: Here): Seen | 'told' | null {
  const saved = parse(env[`STATE_${SEEN}`])
  if (saved === TOLD || saved === null) return TOLD
  const seen = v.safeParse(SavedSeen, saved)
  return seen.success ? { ...seen.output, step, run, runUrl } : null
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return null
  }
}

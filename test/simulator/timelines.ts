/** Ready timelines, so that a test names an outcome instead of spelling out a life. */
import type { Counts, RunError, Timeline } from './timeline.ts'

/** A consistent set of counters from the few that matter: what is not invalid is sent, what is not rejected arrives. */
export function counted(known: Partial<Counts> = {}): Counts {
  const sourceRecords = known.sourceRecords ?? 120
  const sourceUpdates = known.sourceUpdates ?? sourceRecords
  const sourceDeletes = known.sourceDeletes ?? 0
  const invalid = known.invalid ?? 0
  const rejected = known.rejected ?? 0
  const sent = known.sent ?? sourceUpdates + sourceDeletes - invalid
  return {
    sourceRecords,
    sourceUpdates,
    sourceDeletes,
    invalid,
    sent,
    loaded: known.loaded ?? sent - rejected,
    rejected,
  }
}

/** Queued, at work, completed after `ms`. */
export function completesAfter(ms: number, counts: Partial<Counts> = {}): Timeline {
  const known = counted(counts)
  return [
    ...working(ms, known),
    { at: Math.round(ms * 0.85), step: 'Committing sync to warehouse' },
    { at: ms, status: 'completed', counts: known },
  ]
}

/** Queued, at work, failed after `ms`: the source is counted, the destination is not (documented sample). */
export function failsAfter(ms: number, error: Partial<RunError> = {}, counts: Partial<Counts> = {}): Timeline {
  const message = error.message ?? 'The destination did not accept the connection.'
  const { code = 'DESTINATION_ERROR', detail = message } = error
  return [...working(ms, counted(counts)), { at: ms, status: 'failed', error: { code, message, detail } }]
}

/** Starts to work and never ends. */
export function worksForever(): Timeline {
  return [
    { at: 0, status: 'queued' },
    { at: 1000, status: 'working', step: 'Loading data into destination service' },
  ]
}

/** What becomes of a run that meets an earlier one. Documented status; the moment and the null error are unknown. */
export function skipped(): Timeline {
  return [{ at: 0, status: 'skipped' }]
}

/** The same life, `speed` times as fast. */
export function atSpeed(timeline: Timeline, speed: number): Timeline {
  return timeline.map((step) => ({ ...step, at: Math.round(step.at / speed) }))
}

function working(ms: number, { sourceRecords, sourceUpdates, sourceDeletes, invalid }: Counts): Timeline {
  const counts = { sourceRecords, sourceUpdates, sourceDeletes, invalid }
  return [
    { at: 0, status: 'queued' },
    { at: Math.round(ms * 0.1), status: 'working', step: 'Checking source and destination configuration' },
    { at: Math.round(ms * 0.3), step: 'Unloading data from warehouse' },
    { at: Math.round(ms * 0.5), step: 'Loading data into destination service', counts },
  ]
}

/** What a run looks like at each instant of its life, as data. */

export interface Counts {
  /** Rows of the source object. */
  sourceRecords: number
  sourceUpdates: number
  sourceDeletes: number
  /** Rows never sent: their identifier is NULL or occurs twice. */
  invalid: number
  /** Records sent to the destination. */
  sent: number
  /** Records the destination took. */
  loaded: number
  /** Records the destination refused. */
  rejected: number
}

/** Documented: counters are null until the run knows them. */
export type KnownCounts = { readonly [Name in keyof Counts]: number | null }

export interface RunError {
  readonly code: string | null
  readonly message: string | null
  readonly detail: string | null
}

/** A change of a run. What a step leaves out stays as it was. */
export interface Step {
  /** Milliseconds after the creation of the run. */
  readonly at: number
  /** Any word, for the vendor adds statuses without notice (documented for 2023). */
  readonly status?: string
  /** The text of `current_step`. */
  readonly step?: string
  readonly counts?: Partial<Counts>
  /** Somebody cancelled the run in the vendor's own pages. */
  readonly canceled?: true
  readonly error?: RunError
  /** `false`: the run exists, but can be neither read nor listed yet. */
  readonly visible?: boolean
  /** `false`: the run can be read, but lists do not show it yet. */
  readonly listed?: boolean
  /** The run is gone for good: it cannot be read any more and blocks no other run. */
  readonly vanished?: true
}

export type Timeline = readonly Step[]

export interface RunState {
  readonly status: string
  readonly step: string | null
  readonly counts: KnownCounts
  readonly canceled: boolean
  readonly error: RunError | null
  readonly visible: boolean
  readonly listed: boolean
  readonly vanished: boolean
  readonly completedAfterMs: number | null
  readonly changedAfterMs: number
}

const UNKNOWN_COUNTS: KnownCounts = {
  sourceRecords: null,
  sourceUpdates: null,
  sourceDeletes: null,
  invalid: null,
  sent: null,
  loaded: null,
  rejected: null,
}

const NEW_RUN: RunState = {
  status: 'queued',
  step: null,
  counts: UNKNOWN_COUNTS,
  canceled: false,
  error: null,
  visible: true,
  listed: true,
  vanished: false,
  completedAfterMs: null,
  changedAfterMs: 0,
}

const SETTLED = ['completed', 'failed', 'skipped', 'cancelled', 'canceled']

/** The state after `elapsedMs` of a run's life. A timeline may go backwards, as a real run does when it is retried. */
export function stateAt(timeline: Timeline, elapsedMs: number): RunState {
  return timeline.filter((step) => step.at <= elapsedMs).reduce(afterStep, NEW_RUN)
}

/** Whether a run in this state no longer occupies its sync. A word nobody knows does not settle a run. */
export function isSettled(state: RunState): boolean {
  return state.vanished || state.canceled || SETTLED.includes(state.status)
}

/** Refuses a timeline that could only be a slip in a test. */
export function checkTimeline(timeline: Timeline): Timeline {
  let previous = 0
  for (const { at } of timeline) {
    if (!(at >= previous)) throw new Error(`Simulator: timeline steps must ascend, but ${at} follows ${previous}.`)
    previous = at
  }
  return timeline
}

function afterStep(state: RunState, step: Step): RunState {
  const status = step.status ?? state.status
  return {
    status,
    step: step.step ?? state.step,
    counts: { ...state.counts, ...step.counts },
    canceled: step.canceled ?? state.canceled,
    error: step.error ?? state.error,
    visible: step.visible ?? state.visible,
    listed: step.listed ?? state.listed,
    vanished: step.vanished ?? state.vanished,
    // Documented sample: `completed_at` is null on a failed run.
    completedAfterMs: status === 'completed' ? (state.completedAfterMs ?? step.at) : null,
    changedAfterMs: step.at,
  }
}

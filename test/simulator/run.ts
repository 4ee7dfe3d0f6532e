/** A run from outside: how one is started, what it looks like, how calls about it end. */
import type { RunState, Timeline } from './timeline.ts'

export type RunReason = 'api' | 'schedule' | 'manual' | 'dry-run'

export interface StartedRun {
  readonly reason?: RunReason
  readonly fullSync?: boolean
  /** On the clock of `now()`. May lie in the past (history) or the future (a schedule to come). */
  readonly createdAt?: number
  readonly timeline?: Timeline
  /** Whether the run takes part in "one at a time". Dry runs do not by default: unknown, so configurable. */
  readonly collides?: boolean
  /** The person behind a manual or dry run. */
  readonly startedBy?: string
}

/** A run as it is at the moment of asking. */
export interface RunView {
  readonly id: number
  readonly syncId: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly completedAt: number | null
  readonly reason: RunReason
  readonly startedBy: string
  readonly fullSync: boolean
  /** Created by a trigger call to this simulator, and not by anybody else. */
  readonly triggered: boolean
  readonly state: RunState
}

export type TriggerResult =
  | { readonly kind: 'run'; readonly run: RunView }
  | { readonly kind: 'refused'; readonly because: 'paused' | 'running' | 'full-sync-unsupported' }

export type CancelResult = 'cancelled' | 'already-settled' | 'refused' | 'missing'

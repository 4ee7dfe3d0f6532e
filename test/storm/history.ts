/** What happened in a trial: the action's report, beside what the simulator and the wire say. Plain data, so that a test can forge it. */
import type { Conclusion, Outcome } from '../../src/core/judge.ts'
import type { Operation, RunView } from '../simulator/index.ts'
import type { Trial } from './trial.ts'

export interface History {
  readonly trial: Trial
  /** Milliseconds since the epoch, as all times of the simulator's runs. Other times are milliseconds since then. */
  readonly began: number
  readonly ended: number
  /** Why there is no report: the step threw, or waited for ever. */
  readonly crash: string | null
  readonly conclusion: Conclusion | null
  readonly results: readonly Told[]
  readonly exchanges: readonly Exchange[]
  /** The runs of every sync when the step began. */
  readonly initially: ReadonlyMap<number, readonly RunView[]>
  /** What the simulator objects to. */
  readonly problems: readonly string[]
}

/** A result, and the truth at the instant when it was settled. */
export interface Told {
  readonly sync: number
  readonly outcome: Outcome
  readonly runId: string | null
  readonly adopted: boolean
  readonly settledAt: number | null
  readonly runs: readonly RunView[]
}

export interface Exchange {
  readonly operation: Operation | 'stray'
  /** Of the sync or of the run in the path; 0 where there is none. */
  readonly id: number
  readonly at: number
  /** What struck it, in a few words. */
  readonly trouble: string
  /** Whether the request reached the other side. */
  reached: boolean
  /** When the whole answer had come; null: none did. */
  answeredAt: number | null
  /** 0: no answer. */
  status: number
  /** Whether the answer says no: the provider has done nothing. */
  refused: boolean
  /** `Retry-After` of the answer, as the instant before which nothing may be sent. */
  notBefore: number | null
  /** Triggers: the runs of the sync just before, and the run that came of it. */
  before: readonly RunView[]
  created: RunView | null
  /** Lists of runs: those that the answer showed; null where it was no good answer. */
  shown: readonly number[] | null
}

import type { Hint } from './hint.ts'

/** What dbt's results say about a sync, for the core to act upon. */
export interface Ruling {
  /**
   * `open`: dbt vouches for the data; `closed`: something that the sync is fed by is not good; `elsewhere`: dbt built it, but not where
   * the sync reads; `not-built`: nothing of it is new; `broken`: what the project itself says of the sync makes no sense.
   */
  gate: 'open' | 'closed' | 'elsewhere' | 'not-built' | 'broken'
  /** One line that a person understands. */
  reason: string
  /** What the trouble is about, where it is not what dbt itself reports. */
  hint?: Hint
  /** Unique ids of what feeds the sync; null where that is not known. */
  models: string[] | null
  /** How the above is known, as words that go on after it; or why it is not known. */
  source: string
  /** What does not close the gate, but should be seen. */
  notes: Note[]
}

export interface Note {
  level: 'warning' | 'notice'
  text: string
}

export type GateMode = 'upstream' | 'direct' | 'strict' | 'off'

import type { Verdict } from './judge.ts'
import type { Step } from './plan.ts'
import type { ProviderError, Run, Sync } from './provider.ts'
import type { Result } from './result.ts'
import type { Ruling } from './ruling.ts'
import type { Forecast } from './schedule.ts'

/** What happens, as it happens. The log, the saved state and the summary subscribe to it. */
export type Event =
  | { kind: 'planned'; sync: Sync; step: Step; ruling: Ruling | null }
  /** A sync that cannot be run: it is told in the plan, and settled there. */
  | { kind: 'refused'; result: Result }
  /**
   * The last thing before a trigger request leaves. The run that was newest then, and the instant on the provider's clock, tell the
   * run that it starts from those before it.
   */
  | { kind: 'intent'; sync: Sync; baseline: string | null; since: number; full: boolean }
  | {
      kind: 'triggered'
      sync: Sync
      runId: string
      adopted: boolean
      cancellable: boolean
      reason: string
      /** How long the run is going to take; null: nothing is known of it. */
      expected: Forecast | null
    }
  /** The trigger that was about to leave has started nothing: it was not sent after all, or was refused. */
  | { kind: 'dropped'; sync: Sync }
  | { kind: 'waiting'; sync: Sync; run: Run; reason: string }
  /** The provider shows something new about a run. */
  | { kind: 'changed'; sync: Sync; run: Run }
  | { kind: 'unreadable'; sync: Sync; error: ProviderError }
  | { kind: 'readable'; sync: Sync; afterMs: number }
  /** The provider skipped the run, or it failed and this is a retry. */
  | { kind: 'again'; sync: Sync; verdict: Verdict; retry: { nth: number; of: number } | null }
  | { kind: 'cancelling'; sync: Sync; runId: string }
  /** The provider took the request to cancel. */
  | { kind: 'cancelled'; sync: Sync; runId: string }
  | { kind: 'settled'; result: Result }

export type Emit = (event: Event) => void

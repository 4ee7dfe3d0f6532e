import type { Hint } from './hint.ts'
import type { Judged, Outcome, Verdict } from './judge.ts'
import type { Provider, Run, Sync } from './provider.ts'
import type { Ruling } from './ruling.ts'

/** How a sync ended in this step. */
export interface Result extends Judged {
  provider: string
  sync: Sync
  /** What dbt said of its data; null where dbt was not asked. */
  ruling: Ruling | null
  /** Of a planned sync: how it would end if the step ran now, where it would come to no run. */
  foreseen: Outcome | null
  reason: string
  message: string | null
  detail: string | null
  /** What kind of trouble it is; null: none, or none that anybody can do something about. */
  hint: Hint | null
  /** What the provider advises against it, beyond what helps with any provider. */
  advice: string | null
  runId: string | null
  /** The run as it was last seen. */
  run: Run | null
  /** The run was not started by this step, or found again after its trigger's answer was lost. */
  adopted: boolean
  url: string
  /** Trigger requests that started, or may have started, a run. */
  attempts: number
  /** Looks at runs. */
  polls: number
}

export interface Trace {
  /** Every run that this step has started, or found in place of one. */
  own: readonly string[]
  runId: string | null
  run: Run | null
  adopted: boolean
  attempts: number
  polls: number
  /** How often in a row a trigger waited for so long that everything was decided anew. */
  waited: number
  /** What was read of runs that have ended, by their id: a list may go on showing them as they were before. */
  readonly ended: Map<string, Run>
  /** Runs of others that a list shows, and that are not there when they are asked for: they are in nobody's way. */
  readonly gone: Set<string>
}

export function newTrace(): Trace {
  return {
    own: [],
    runId: null,
    run: null,
    adopted: false,
    attempts: 0,
    polls: 0,
    waited: 0,
    ended: new Map(),
    gone: new Set(),
  }
}

export function resultOf(
  provider: Pick<Provider, 'name' | 'link' | 'advice'>,
  sync: Sync,
  verdict: Verdict,
  trace = newTrace(),
): Result {
  const { outcome, reason, message = null, detail = null, hint = null } = verdict
  return {
    provider: provider.name,
    sync,
    ruling: null,
    outcome,
    tolerated: null,
    foreseen: null,
    reason,
    message,
    detail,
    hint,
    advice: hint === null ? null : (provider.advice[hint] ?? null),
    url: provider.link(sync.id),
    runId: trace.runId,
    run: trace.run,
    adopted: trace.adopted,
    attempts: trace.attempts,
    polls: trace.polls,
  }
}

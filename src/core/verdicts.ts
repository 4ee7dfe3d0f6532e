import type { Verdict } from './judge.ts'
import type { ProviderError } from './provider.ts'

/** What the provider has said no to, or never answered. */
export function refusal(outcome: Verdict['outcome'], reason: string, error: ProviderError): Verdict {
  return { outcome, reason: `${reason}: ${error.message}`, message: error.detail, hint: error.hint }
}

/** Nothing was started before the deadline. `error`: what was in the way last. */
export function tooLate(reason: string, error: ProviderError | null): Verdict {
  if (error === null) return { outcome: 'not_started', reason, hint: 'too-late' }
  const refused = refusal('not_started', reason, error)
  return { ...refused, hint: refused.hint ?? 'too-late' }
}

/** Nothing was started when the step had to stop: the workflow was cancelled, or else, under `fail-fast`, another sync has failed. */
export function stopped({ signal }: { signal: AbortSignal }): Verdict {
  if (signal.aborted) return { outcome: 'cancelled', reason: 'the workflow was cancelled before the trigger' }
  return { outcome: 'not_started', reason: 'another sync failed before its turn (fail-fast)' }
}

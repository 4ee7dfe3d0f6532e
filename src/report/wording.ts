import { COLORS, type Outcome } from '../core/judge.ts'
import { type Counts, hasEnded, type Run, type Sync } from '../core/provider.ts'
import type { Result } from '../core/result.ts'
import type { Ruling } from '../core/ruling.ts'
import { number } from './format.ts'
import { plain, redact } from './safe.ts'

/** How an outcome is told: a mark, words, and the title of its annotation (titles are ours, never foreign text). */
export const OUTCOMES: Record<Outcome, { mark: string; words: string; title: string }> = {
  succeeded: { mark: '✅', words: 'succeeded', title: 'Sync succeeded' },
  warned: { mark: '⚠️', words: 'succeeded with warnings', title: 'Sync delivered, but not every record' },
  fresh: { mark: '✅', words: 'already fresh', title: 'Sync already fresh' },
  triggered: { mark: '✅', words: 'triggered', title: 'Sync triggered' },
  planned: { mark: '📝', words: 'planned', title: 'Sync planned' },
  skipped: { mark: '⏭️', words: 'skipped', title: 'Sync skipped' },
  blocked: { mark: '⛔', words: 'blocked', title: 'Sync blocked' },
  failed: { mark: '❌', words: 'failed', title: 'Sync failed' },
  cancelled: { mark: '🛑', words: 'cancelled', title: 'Sync cancelled' },
  timed_out: { mark: '⌛', words: 'timed out', title: 'Sync timed out' },
  unknown: { mark: '❓', words: 'unknown', title: 'Sync state unknown' },
  not_started: { mark: '⏹️', words: 'not started', title: 'Sync not started' },
}

/** It has delivered, in this step or before it, but not every record. */
export function hasFlaws({ outcome, run }: Pick<Result, 'outcome' | 'run'>): boolean {
  const { failed, invalid } = run?.counts ?? {}
  return outcome === 'warned' || (outcome === 'fresh' && ((failed ?? 0) > 0 || (invalid ?? 0) > 0))
}

/** How it went with a sync; of one that is only planned, whether it would come to its run. */
export function wordsOf(result: Pick<Result, 'outcome' | 'foreseen' | 'run'>): { mark: string; words: string } {
  const { outcome, foreseen } = result
  if (foreseen === null)
    return hasFlaws(result) ? { ...OUTCOMES[outcome], mark: OUTCOMES.warned.mark } : OUTCOMES[outcome]
  if (COLORS[foreseen] === 'red') return { mark: OUTCOMES[foreseen].mark, words: 'would not ship' }
  return foreseen === 'skipped' ? { mark: OUTCOMES.skipped.mark, words: 'would be skipped' } : OUTCOMES[outcome]
}

/** The outcome by which a sync stands or falls: of one that is only planned, the one that is foreseen. */
export function endOf({ outcome, foreseen }: Pick<Result, 'outcome' | 'foreseen'>): Outcome {
  return foreseen ?? outcome
}

/** Id and name of a sync, on one line. */
export function nameOf(sync: Sync): string {
  if (sync.name === sync.id) return `sync ${sync.id}`
  return `${sync.id} ${plain(sync.name, 120)}`.trimStart()
}

export function destinationOf(sync: Sync): string {
  return sync.destination === null ? '' : plain(sync.destination, 80)
}

/** `customers.v2` of `model.shop.customers.v2`: what comes before the name says little to somebody who knows the project. */
export function modelName(id: string): string {
  return plain(id.split('.').slice(2).join('.'), 80)
}

/** The models that feed a sync, in few words; empty where they are not known. */
export function modelsOf(ruling: Pick<Ruling, 'models'> | null): string {
  const names = (ruling?.models ?? []).map(modelName)
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${number(names.length - 3)} more`
}

/** Why it ended so, with the provider's message; `details` shows it as it came, row-level detail included. */
export function whyOf(result: Pick<Result, 'reason' | 'message' | 'detail'>, details: boolean): string {
  const said = [result.message, details ? result.detail : null].filter((text) => text !== null && text !== '')
  return [result.reason, ...said.map((text) => (details ? (text ?? '') : redact(text ?? '')))]
    .map((text) => plain(text))
    .map((text, at, all) => (at < all.length - 1 ? text.replace(/\.$/, '') : text))
    .join(': ')
}

export function recordsOf(counts: Counts): string {
  const parts: [number | null, string][] = [
    [counts.succeeded, 'accepted'],
    [counts.failed, 'rejected'],
    [counts.invalid, 'invalid'],
  ]
  const told = parts.filter(([count, word]) => count !== null && (count > 0 || word === 'accepted'))
  return told.map(([count, word]) => `${number(count ?? 0)} ${word}`).join(', ')
}

/** How long a run took, in milliseconds, on the provider's clock. */
export function durationOf(run: Run): number | null {
  if (run.createdAt === null || run.finishedAt === null || !hasEnded(run)) return null
  return Math.max(0, run.finishedAt - run.createdAt)
}

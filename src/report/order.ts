import { COLORS, isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'

/** What went well. */
export const GOOD = 4

/**
 * How bad a result is, the worst first: what is wrong by itself before what was stopped on account of something else, and what is
 * allowed to be red behind both.
 */
export function gravity(result: Result): number {
  const { outcome, tolerated } = result
  if (isRed(result)) return outcome === 'cancelled' || outcome === 'not_started' ? 1 : 0
  if (COLORS[outcome] === 'red' && tolerated !== null) return 2
  return outcome === 'warned' ? 3 : GOOD
}

/** The worst first; among equals the order of the list. */
export function worstFirst(results: readonly Result[]): Result[] {
  return results.toSorted((a, b) => gravity(a) - gravity(b))
}

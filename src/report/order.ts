import { COLORS, isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { endOf, hasFlaws } from './wording.ts'

/** What went well. */
export const GOOD = 4

/**
 * How bad a result is, the worst first: what is wrong by itself before what was stopped on account of something else, and what is
 * allowed to be red behind both.
 */
export function gravity(result: Result): number {
  const end = endOf(result)
  if (isRed(result)) return end === 'cancelled' || end === 'not_started' ? 1 : 0
  // Allowed to be, or only foreseen.
  if (COLORS[end] === 'red') return 2
  return hasFlaws(result) ? 3 : GOOD
}

/** The worst first; among equals the order of the list. */
export function worstFirst(results: readonly Result[]): Result[] {
  return results.toSorted((a, b) => gravity(a) - gravity(b))
}

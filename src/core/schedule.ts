/** When to look next: a pure function of the time since the first look was due and of the looks made. Milliseconds. */
export type Schedule = (elapsedMs: number, looks: number) => number

const FIRST_LOOK_MS = 1000

/**
 * Without knowledge of a run's length, waiting in proportion to a small power of what has passed keeps the lag small against
 * the run and the requests few: 2 s at first, 7 s after a minute, 23 s after an hour, never more than 30 s. The first look
 * comes early, so that a run that fails at once is seen at once.
 */
export const adaptive: Schedule = (elapsedMs, looks) =>
  looks === 0 ? FIRST_LOOK_MS : Math.min(30_000, Math.max(2000, 2000 * (elapsedMs / 1000) ** 0.3))

/** A fixed interval, with the early first look. */
export const every =
  (intervalMs: number): Schedule =>
  (_elapsedMs, looks) =>
    looks === 0 ? Math.min(FIRST_LOOK_MS, intervalMs) : intervalMs

/** The first look at once, the next ones as the back-off after a failure has it. */
export const immediately: Schedule = () => 0

/** For the look number `failures` after a failure in a row: 1, 2, 4 … 30 s. */
export function backoff(failures: number): number {
  return Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 10))
}

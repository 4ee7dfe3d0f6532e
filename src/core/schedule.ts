import type { Run } from './provider.ts'

/** When to look next: a function of the time since the run began and of the looks made. Milliseconds. */
export type Schedule = (elapsedMs: number, looks: number) => number

const FIRST_LOOK_MS = 1000

/**
 * Without knowledge of a run's length, waiting in proportion to a small power of what has passed keeps the lag small against
 * the run and the requests few: 2 s at first, 7 s after a minute, 23 s after an hour, never more than 30 s. The first look
 * comes early, so that a run that fails at once is seen at once.
 */
export const adaptive: Schedule = (elapsedMs, looks) =>
  looks === 0 ? FIRST_LOOK_MS : Math.min(30_000, Math.max(2000, 2000 * (elapsedMs / 1000) ** 0.3))

/** What a look costs: as much as this much lag (ms). It decides how close together looks are where the end is likely. */
const LOOK_MS = 60
/** How much less often than without knowledge a run is looked at before its end is likely. */
const PATIENCE = 1.8
/** The share of runs that are unlike all before them. */
const SURPRISES = 0.05
/** Durations are never taken to be more regular than this (standard deviation of their logarithm), however regular they were. */
const LEAST_SPREAD = 0.05

/** What the past durations of a sync say about the next one. */
export interface Forecast {
  /** As many runs take longer as shorter. Milliseconds. */
  usualMs: number
  /** One run in twenty takes longer. */
  longMs: number
  /** The exponent of the distribution: the larger, the more alike the durations. */
  shape: number
}

/** How long the runs took that went to their end and moved as much as the next one will: full ones or the others. Milliseconds. */
export function durationsOf(history: readonly Run[], full: boolean): number[] {
  return history.flatMap(({ state, movesData, full: wasFull, createdAt, finishedAt }) => {
    const isLike = state === 'succeeded' && movesData && wasFull === full
    return isLike && createdAt !== null && finishedAt !== null ? [finishedAt - createdAt] : []
  })
}

/** A forecast from three durations (ms) or more; null: there is too little to go by. */
export function forecast(durationsMs: readonly number[]): Forecast | null {
  const logs = durationsMs.filter((duration) => duration > 0).map(Math.log)
  if (logs.length < 3) return null
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1)
  // A few durations are closer together than all are.
  const spread = Math.max(LEAST_SPREAD, Math.sqrt(variance * (1 + 2 / logs.length)))
  const shape = Math.PI / Math.sqrt(3) / spread
  const usualMs = Math.exp(mean)
  return { usualMs, longMs: usualMs * 19 ** (1 / shape), shape }
}

/**
 * Looks often where the end is likely, and seldom where it is not. A look every `interval` costs LOOK_MS / interval in requests and
 * hazard * interval / 2 in lag, where the hazard is the chance per millisecond that a run which still goes on ends now. The sum is
 * least at interval = sqrt(2 * LOOK_MS / hazard). Durations are taken to be log-logistic, whose hazard is simple: of all runs the
 * share left = 1 / (1 + (t / usual) ** shape) goes on at t, and (1 - left) * shape / t of these end per millisecond. A run that
 * outlives them all is a surprise, which is left in the sum: so the hazard goes down again, and after a change of the durations
 * looks come as often as without knowledge.
 */
export function predictive({ usualMs, longMs, shape }: Forecast): Schedule {
  const interval = (elapsedMs: number) => {
    const t = Math.max(1, elapsedMs)
    const left = 1 / (1 + (t / usualMs) ** shape)
    const hazard = ((left / (left + SURPRISES)) * (1 - left) * shape) / t
    const base = adaptive(t, 1) * (t < longMs ? PATIENCE : 1)
    return 1 / Math.sqrt(1 / base ** 2 + hazard / (2 * LOOK_MS))
  }
  return (elapsedMs, looks) => {
    if (looks === 0) return FIRST_LOOK_MS
    let next = interval(elapsedMs)
    // Never right across the time in which the end is likely.
    for (let step = 0; step < 4; step += 1) next = Math.min(next, (next + interval(elapsedMs + next)) / 2)
    return Math.max(1000, next)
  }
}

/** A fixed interval, with the early first look. */
export const every =
  (intervalMs: number): Schedule =>
  (_elapsedMs, looks) =>
    looks === 0 ? Math.min(FIRST_LOOK_MS, intervalMs) : intervalMs

/** Spreads the looks of many syncs that began together: up to a tenth earlier or later. `random` is from 0 to 1. */
export const jittered =
  (schedule: Schedule, random: () => number): Schedule =>
  (elapsedMs, looks) =>
    schedule(elapsedMs, looks) * (0.9 + 0.2 * random())

/** For a run that began `ageMs` ago. */
export const aged =
  (schedule: Schedule, ageMs: number): Schedule =>
  (elapsedMs, looks) =>
    schedule(elapsedMs + ageMs, looks)

/** The first look at once, the next ones as the back-off after a failure has it. */
export const immediately: Schedule = () => 0

/** For the look number `failures` after a failure in a row: 1, 2, 4 … 30 s. */
export function backoff(failures: number): number {
  return Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 10))
}

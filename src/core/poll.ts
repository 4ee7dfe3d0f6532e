import { type Clock, expiring } from './clock.ts'
import { ProviderError } from './provider.ts'
import { backoff, immediately, type Schedule } from './schedule.ts'

export interface Patience {
  clock: Clock
  schedule: Schedule
  /** Monotonic milliseconds. */
  deadline: number
  signal: AbortSignal
  /** How long (ms) this trouble may last before it is the end; 0: it is the end at once. */
  tolerate(error: ProviderError): number
}

export type Polled<T> = { hasLooked: boolean; last: T | null; error: ProviderError | null } & (
  | { end: 'done'; value: T }
  /** The trouble lasted longer than is tolerated. */
  | { end: 'lost'; error: ProviderError }
  | { end: 'deadline' }
  | { end: 'aborted' }
)

/** The last look comes this long before the deadline, so that its answer is still in time. */
export const LAST_LOOK_MS = 500
/** The verdict comes no later than this after the deadline, whatever has still to be asked or told. */
export const LATEST_MS = 900

/**
 * The one loop that waits for a provider: looks until `until` is satisfied, the trouble outlasts the patience, the deadline
 * comes or the signal aborts. It knows neither syncs nor runs. `onLook` hears of every look, good or bad.
 */
export async function poll<T>(
  look: (signal: AbortSignal) => Promise<T>,
  until: (value: T) => boolean,
  patience: Patience,
  onLook: (seen: T | ProviderError) => void = () => {},
): Promise<Polled<T>> {
  const { clock, schedule, deadline, signal, tolerate } = patience
  const began = clock.now()
  const limit = expiring(clock, deadline, signal)
  let looks = 0
  let last: T | null = null
  /** Whether a look was ever good. */
  let hasLooked = false
  let error: ProviderError | null = null
  let failures = 0
  /** When the row of failures began that goes on. */
  let failingSince: number | null = null
  let missingSince: number | null = null
  let delay = schedule(0, 0)
  try {
    for (;;) {
      if (clock.now() >= deadline) return { end: 'deadline', hasLooked, last, error }
      await clock.sleep(Math.min(delay, Math.max(0, deadline - LAST_LOOK_MS - clock.now())), signal)
      if (signal.aborted) return { end: 'aborted', hasLooked, last, error }
      looks += 1
      const seen = await attempt(look, limit.signal)
      if (!(seen instanceof ProviderError)) {
        onLook(seen)
        hasLooked = true
        if (until(seen)) return { end: 'done', value: seen, hasLooked, last: seen, error: null }
        last = seen
        error = null
        failures = 0
        failingSince = null
        missingSince = null
        delay = schedule(clock.now() - began, looks)
      } else if (!limit.signal.aborted) {
        onLook(seen)
        error = seen
        failures += 1
        // Waiting as the provider asked is no part of a row of failures.
        failingSince = failingSince === null ? clock.now() : failingSince + seen.heldMs
        // Only an unbroken row of "no such thing" counts as one.
        if (seen.trouble !== 'missing') missingSince = null
        else missingSince = missingSince === null ? clock.now() : missingSince + seen.heldMs
        const left = tolerate(seen) - (clock.now() - (missingSince ?? failingSince))
        if (left <= 0) return { end: 'lost', error: seen, hasLooked, last }
        delay = Math.min(Math.ceil(left), Math.max(backoff(failures), schedule(clock.now() - began, looks)))
      }
      if (signal.aborted) return { end: 'aborted', hasLooked, last, error }
      if (clock.now() >= deadline - LAST_LOOK_MS) return { end: 'deadline', hasLooked, last, error }
    }
  } finally {
    limit.dispose()
  }
}

async function attempt<T>(look: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T | ProviderError> {
  try {
    return await look(signal)
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
}

/** A read that everything else has to wait for: asks at once, and again only while the provider is unavailable. */
export function reach<T>(
  look: (signal: AbortSignal) => Promise<T>,
  tools: { clock: Clock; deadline: number; signal: AbortSignal; outageToleranceMs: number },
): Promise<Polled<T>> {
  return poll(look, () => true, {
    ...tools,
    schedule: immediately,
    tolerate: (error) => (error.trouble === 'unavailable' ? tools.outageToleranceMs : 0),
  })
}

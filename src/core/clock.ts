/** Time, as the core sees it. The shell passes the real one, tests a virtual one. */
export interface Clock {
  /** Monotonic milliseconds: for deadlines, delays and durations. Unrelated to any calendar. */
  now(): number
  /** This machine's wall clock, in milliseconds since the epoch. It may be wrong and may jump. */
  wall(): number
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts. It never rejects: ask the signal afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A signal that aborts at `deadline` (monotonic ms) or with `signal`; `dispose` stops the timer behind it. */
export function expiring(
  clock: Clock,
  deadline: number,
  signal: AbortSignal,
): { signal: AbortSignal; dispose(): void } {
  const expired = new AbortController()
  const disposed = new AbortController()
  void clock.sleep(Math.max(0, deadline - clock.now()), AbortSignal.any([signal, disposed.signal])).then(() => {
    if (!disposed.signal.aborted && !signal.aborted) expired.abort()
  })
  return { signal: AbortSignal.any([signal, expired.signal]), dispose: () => disposed.abort() }
}

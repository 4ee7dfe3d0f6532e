/** Time, as the core sees it. The shell passes the real one, tests a virtual one. */
export interface Clock {
  /** Monotonic milliseconds: for deadlines, delays and durations. Unrelated to any calendar. */
  now(): number
  /** This machine's wall clock, in milliseconds since the epoch. It may be wrong and may jump. */
  wall(): number
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts. It never rejects: ask the signal afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Made once: a reason of its own for every signal would carry a stack. */
const OVER = new Error('over')

/**
 * A signal that aborts at `deadline` (monotonic ms), with `signal`, or when it is disposed of. There is one for every request, so it
 * leaves nothing behind, as the signals of `AbortSignal.any` and `AbortSignal.timeout` do until the next collection of garbage.
 */
export function expiring(
  clock: Clock,
  deadline: number,
  signal: AbortSignal,
): { signal: AbortSignal; dispose(): void } {
  const limit = new AbortController()
  const end = () => {
    signal.removeEventListener('abort', end)
    limit.abort(OVER)
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end)
  void clock.sleep(Math.max(0, deadline - clock.now()), limit.signal).then(end)
  return { signal: limit.signal, dispose: end }
}

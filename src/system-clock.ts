import type { Clock } from './core/clock.ts'

/** A timer of Node.js takes at most this many milliseconds; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  async sleep(ms, signal) {
    let left = ms
    do {
      if (signal?.aborted) return
      await nap(Math.min(left, LONGEST_TIMER_MS), signal)
      left -= LONGEST_TIMER_MS
    } while (left > 0)
  },
}

function nap(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
}

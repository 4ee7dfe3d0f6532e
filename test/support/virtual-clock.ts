import type { Clock } from '../../src/core/clock.ts'

/** A clock that stands still until everything waits, and then jumps to the next timer: hours pass in no time, always the same way. */
export class VirtualClock implements Clock {
  readonly #start: number
  #time = 0
  #timers: { at: number; order: number; ring: () => void }[] = []
  #order = 0
  /** Every sleep that was asked for, in milliseconds. */
  readonly slept: number[] = []

  constructor(start = Date.UTC(2026, 10, 24, 3, 0, 0)) {
    this.#start = start
  }

  now(): number {
    return this.#time
  }

  wall(): number {
    return this.#start + this.#time
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms)
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = { at: this.#time + Math.max(0, ms), order: this.#order++, ring: resolve }
      this.#timers.push(timer)
      signal?.addEventListener('abort', () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        resolve()
      })
    })
  }

  /** Runs until the promise settles. Throws where it never would: nobody sleeps, and nothing moves. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const watched = promise.finally(() => {
      settled = true
    })
    watched.catch(() => {})
    for (;;) {
      // Promises and immediates first: time passes only for those who wait for it.
      await new Promise((resolve) => setImmediate(resolve))
      if (settled) return await watched
      const next = this.#timers.sort((a, b) => a.at - b.at || a.order - b.order).shift()
      if (next === undefined) throw new Error('everything waits, and no timer is set')
      this.#time = next.at
      next.ring()
    }
  }

  /** Calls back at an instant, in milliseconds from the start. */
  at(ms: number, callback: () => void): void {
    this.#timers.push({ at: ms, order: this.#order++, ring: callback })
  }
}

import type { Clock } from '../../src/core/clock.ts'

/** A clock that stands still until everything waits, and then jumps to the next timer: hours pass in no time, always the same way. */
export class VirtualClock implements Clock {
  readonly #start: number
  #time = 0
  /** The next one to ring is the last. */
  readonly #timers: Timer[] = []
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
      const timer = this.#set(Math.max(0, ms), () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      })
      const stop = () => {
        timer.isOff = true
        resolve()
      }
      signal?.addEventListener('abort', stop)
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
      let next = this.#timers.pop()
      while (next?.isOff) next = this.#timers.pop()
      if (next === undefined) throw new Error('everything waits, and no timer is set')
      this.#time = next.at
      next.ring()
    }
  }

  /** Calls back at an instant, in milliseconds from the start. */
  at(ms: number, callback: () => void): void {
    this.#set(ms - this.#time, callback)
  }

  #set(ms: number, ring: () => void): Timer {
    const timer: Timer = { at: this.#time + ms, order: this.#order++, ring, isOff: false }
    // Behind every timer that rings later, or at the same instant and was set later.
    let [from, to] = [0, this.#timers.length]
    while (from < to) {
      const middle = (from + to) >> 1
      const other = this.#timers[middle]
      if (other !== undefined && (other.at > timer.at || (other.at === timer.at && other.order > timer.order)))
        from = middle + 1
      else to = middle
    }
    this.#timers.splice(from, 0, timer)
    return timer
  }
}

interface Timer {
  at: number
  order: number
  ring(): void
  isOff: boolean
}

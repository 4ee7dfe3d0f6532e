/** Requests counted in windows of an hour, REST and GraphQL each for itself. */
import type { HeaderFields } from '../simulator/exchange.ts'

const WINDOW_MS = 3_600_000

interface Window {
  readonly resetAt: number
  used: number
}

export interface Taken {
  readonly headers: HeaderFields
  readonly exceeded: boolean
}

export class RateLimit {
  readonly #limit: number
  readonly #clock: () => number
  readonly #windows = new Map<string, Window>()

  constructor(limit: number, clock: () => number) {
    this.#limit = limit
    this.#clock = clock
  }

  take(resource: 'core' | 'graphql'): Taken {
    const window = this.#window(resource)
    const exceeded = window.used >= this.#limit
    if (!exceeded) window.used += 1
    return { exceeded, headers: limitHeaders(resource, this.#limit, window.used, window.resetAt) }
  }

  #window(resource: string): Window {
    const now = this.#clock()
    const known = this.#windows.get(resource)
    if (known !== undefined && now < known.resetAt) return known
    const next = { resetAt: now + WINDOW_MS, used: 0 }
    this.#windows.set(resource, next)
    return next
  }
}

/** `resetAt` in milliseconds; on the wire it is in seconds. */
export function limitHeaders(resource: string, limit: number, used: number, resetAt: number): HeaderFields {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(limit - used),
    'x-ratelimit-reset': String(Math.ceil(resetAt / 1000)),
    'x-ratelimit-used': String(used),
    'x-ratelimit-resource': resource,
  }
}

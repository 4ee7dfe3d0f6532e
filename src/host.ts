import pLimit from 'p-limit'
import type { Clock } from './core/clock.ts'
import { ProviderError } from './core/provider.ts'
import { type Http, type Reply, TransportError, unlessAborted } from './http.ts'
import { retryAfterMs } from './retry-after.ts'

export interface HostOptions {
  baseUrl: string
  headers: Readonly<Record<string, string>>
  clock: Clock
  /** Hears of every answer that has a `Date`: all three in milliseconds since the epoch, the last two on this machine's clock. */
  onDate(date: number, sentAt: number, receivedAt: number): void
}

const READ_MS = 30_000
/** A trigger may take its time: giving up on it early makes its outcome uncertain. */
const WRITE_MS = 60_000
const MOST_IN_FLIGHT = 32

/**
 * One provider host, shared by all syncs: so many requests in flight, and one gate that `Retry-After` closes for everybody. After a
 * 429 half as many are let through, and more again with every answer.
 */
export class Host {
  readonly #http: Http
  readonly #options: HostOptions
  readonly #lane = pLimit(MOST_IN_FLIGHT)
  #allowed = MOST_IN_FLIGHT
  /** Refusals in a row. */
  #throttled = 0
  /** When the last of them came; monotonic milliseconds. */
  #refusedAt = 0
  /** Monotonic milliseconds. */
  #opensAt = 0

  constructor(http: Http, options: HostOptions) {
    this.#http = http
    this.#options = options
  }

  /** A read. Waits out every 429. Throws ProviderError where no answer comes; what an answer means is for the provider to say. */
  async get(path: string, signal: AbortSignal): Promise<Reply> {
    for (;;) {
      const reply = await this.getOnce(path, signal, READ_MS)
      if (reply.status !== 429) return reply
    }
  }

  /** A read of something that can be done without: asked for once, whatever comes back. Throws ProviderError. */
  async getOnce(path: string, signal: AbortSignal, timeoutMs: number): Promise<Reply> {
    try {
      return await this.#send('GET', path, signal, timeoutMs)
    } catch (error) {
      if (error instanceof TransportError) throw new ProviderError('unavailable', error.message, { cause: error })
      throw error
    }
  }

  /** A write, sent once. Throws TransportError. */
  async post(path: string, signal: AbortSignal): Promise<Reply> {
    return await this.#send('POST', path, signal, WRITE_MS)
  }

  /** How long (ms) the gate stays closed. */
  get closedForMs(): number {
    return Math.max(0, this.#opensAt - this.#options.clock.now())
  }

  async #send(method: 'GET' | 'POST', path: string, signal: AbortSignal, timeoutMs: number): Promise<Reply> {
    const { baseUrl, headers, clock, onDate } = this.#options
    let sent = false
    const exchange = () =>
      this.#lane(async () => {
        while (this.closedForMs > 0 && !signal.aborted) await clock.sleep(this.closedForMs, signal)
        const sentAt = clock.now()
        sent = !signal.aborted
        const reply = await this.#http.send({ method, url: baseUrl + path, headers, timeoutMs, signal })
        const date = Date.parse(reply.headers.date ?? '')
        if (!Number.isNaN(date)) onDate(date, reply.sentAt, reply.receivedAt)
        this.#learn(reply, sentAt)
        return reply
      })
    try {
      return await unlessAborted(signal, exchange)
    } catch (error) {
      if (error instanceof TransportError || !signal.aborted) throw error
      throw new TransportError('the request was stopped', sent, error)
    }
  }

  #learn(reply: Reply, sentAt: number): void {
    const { clock } = this.#options
    if (reply.status !== 429) {
      this.#throttled = 0
      this.#allowed = Math.min(MOST_IN_FLIGHT, this.#allowed + 1 / this.#allowed)
    } else if (sentAt >= this.#refusedAt) {
      this.#throttled += 1
      this.#allowed = Math.max(1, Math.floor(this.#allowed / 2))
      // What was on its way by now is part of the same refusal.
      this.#refusedAt = clock.now()
    }
    this.#lane.concurrency = Math.floor(this.#allowed)
    const asked = retryAfterMs(reply.headers, clock.wall()) ?? 0
    // "At once" from a server that is throttling is no answer either.
    const pause = asked > 0 || reply.status !== 429 ? asked : Math.min(90_000, 1000 * 2 ** (this.#throttled - 1))
    const closed = reply.status === 429 || reply.status === 503 ? pause : 0
    this.#opensAt = Math.max(this.#opensAt, clock.now() + closed)
  }
}

import pLimit from 'p-limit'
import type { Clock } from './core/clock.ts'
import { ProviderError } from './core/provider.ts'
import { type Http, type Reply, type Request, TransportError, unlessAborted } from './http.ts'
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
const MOST_IN_FLIGHT = 16
/** So many failures in a row, whoever has them, are an outage of the host: then one request at a time finds out whether it is over. */
const OUTAGE = 5
const LONGEST_PROBE_MS = 40_000
const NEVER = new AbortController().signal

/**
 * One provider host, shared by all syncs: so many requests in flight, and one gate that `Retry-After` closes for everybody. After a
 * 429 half as many are let through, and more again with every answer. During an outage one request asks for all of them, so that
 * hundreds of syncs do not make it worse.
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
  /** Failures in a row, of the network and of the host itself. */
  #failures = 0
  /** The request that finds out whether the outage is over, while it is under way. */
  #probe: Promise<void> | null = null
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

  /** A write, sent once. `hold` stops it only as long as it has not left. Throws TransportError. */
  async post(path: string, signal: AbortSignal, hold = NEVER): Promise<Reply> {
    return await this.#send('POST', path, signal, WRITE_MS, hold)
  }

  /** How long (ms) the gate stays closed. */
  get closedForMs(): number {
    return Math.max(0, this.#opensAt - this.#options.clock.now())
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    timeoutMs: number,
    hold = NEVER,
  ): Promise<Reply> {
    const { baseUrl, headers } = this.#options
    let sent = false
    const stop = new AbortController()
    const onHold = () => {
      if (!sent) stop.abort()
    }
    // Only where there is something to hold: a signal for every look of a long step would add up.
    const waiting = hold === NEVER ? signal : AbortSignal.any([signal, stop.signal])
    const ask = async (): Promise<Reply> => {
      for (;;) {
        const { isProbe, leave } = await this.#enter(waiting)
        try {
          const reply = await this.#lane(async () => {
            // The gate may have been closed while this one waited for its turn.
            if (this.#isClosedTo(isProbe) && !waiting.aborted) return null
            if (waiting.aborted) throw new TransportError('the request was stopped before it was sent', false)
            sent = true
            return await this.#exchange({ method, url: baseUrl + path, headers, timeoutMs, signal }, isProbe)
          })
          if (reply !== null) return reply
        } finally {
          leave()
        }
      }
    }
    hold.addEventListener('abort', onHold)
    if (hold.aborted) onHold()
    try {
      return await unlessAborted(waiting, ask)
    } catch (error) {
      if (error instanceof TransportError || !waiting.aborted) throw error
      throw new TransportError('the request was stopped', sent, error)
    } finally {
      hold.removeEventListener('abort', onHold)
    }
  }

  #isClosedTo(isProbe: boolean): boolean {
    return this.closedForMs > 0 || (this.#failures >= OUTAGE && !isProbe)
  }

  /** Waits at the gate. Throws TransportError where another request has just found that the outage goes on. */
  async #enter(signal: AbortSignal): Promise<{ isProbe: boolean; leave(): void }> {
    const { clock } = this.#options
    const known = this.#failures
    for (;;) {
      if (this.closedForMs > 0 && !signal.aborted) await clock.sleep(this.closedForMs, signal)
      else if (!this.#isClosedTo(false) || signal.aborted) return { isProbe: false, leave: () => {} }
      else if (this.#probe !== null) await this.#probe
      else {
        const probe = Promise.withResolvers<void>()
        this.#probe = probe.promise
        const leave = () => {
          this.#probe = null
          probe.resolve()
        }
        return { isProbe: true, leave }
      }
      if (this.#failures >= OUTAGE && this.#failures > known) {
        throw new TransportError('the provider is not available, as another request found', false)
      }
    }
  }

  async #exchange(request: Request, isProbe: boolean): Promise<Reply> {
    const { clock, onDate } = this.#options
    const sentAt = clock.now()
    try {
      const reply = await this.#http.send(request)
      const date = Date.parse(reply.headers.date ?? '')
      if (!Number.isNaN(date)) onDate(date, reply.sentAt, reply.receivedAt)
      if (reply.status >= 500) this.#fail(isProbe)
      else this.#failures = 0
      this.#learn(reply, sentAt)
      return reply
    } catch (error) {
      if (error instanceof TransportError && !request.signal.aborted) this.#fail(isProbe)
      throw error
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
    if (reply.status === 429 || reply.status === 503) this.#closeFor(pause)
  }

  /** Before an outage every failure counts; within one only that of the request that asks for all. */
  #fail(isProbe: boolean): void {
    if (this.#failures >= OUTAGE && !isProbe) return
    this.#failures += 1
    if (this.#failures >= OUTAGE) this.#closeFor(Math.min(LONGEST_PROBE_MS, 1000 * 2 ** (this.#failures - OUTAGE)))
  }

  #closeFor(ms: number): void {
    this.#opensAt = Math.max(this.#opensAt, this.#options.clock.now() + ms)
  }
}

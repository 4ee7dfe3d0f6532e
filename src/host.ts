import pLimit from 'p-limit'
import type { Clock } from './core/clock.ts'
import { ProviderError } from './core/provider.ts'
import { type Http, type Reply, type Request, TransportError, unlessAborted } from './http.ts'
import { retryAfterMs } from './retry-after.ts'

export interface HostOptions {
  baseUrl: string
  headers: Readonly<Record<string, string>>
  clock: Clock
  /** Taken out of every answer: a provider may repeat them in its messages. */
  secrets: readonly string[]
  /** Until when (monotonic ms) answers are of use: shortly before, an outage is looked into once more. */
  deadline?: number
  /** Hears of every answer that has a `Date`: all three in milliseconds since the epoch, the last two on this machine's clock. */
  onDate(date: number, sentAt: number, receivedAt: number): void
  /** Hears when the host asks for a wait that somebody who reads the log would wonder about. Milliseconds. */
  onPause(ms: number): void
  /** Hears that an outage begins, and of what. */
  onOutage?(why: string): void
}

const READ_MS = 30_000
/** A trigger may take its time: giving up on it early makes its outcome uncertain. */
const WRITE_MS = 60_000
const MOST_IN_FLIGHT = 16
/** So many failures in a row, whoever has them, are an outage of the host: then one request at a time finds out whether it is over. */
const OUTAGE = 5
const LONGEST_PROBE_MS = 40_000
/** So long before the deadline an outage is looked into for the last time: if it is over, everybody's last look is still in time. */
const LAST_PROBE_MS = 2000
const LONG_PAUSE_MS = 10_000
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
  /** What the last failure was. */
  #away = { why: '', hasAnswered: false }
  #hasAnswered = false
  /** The request that finds out whether the outage is over, while it is under way. */
  #probe: Promise<void> | null = null
  /** Until when the host asked for patience, and until when nobody tries whether its outage is over; monotonic milliseconds. */
  #opensAt = 0
  #outUntil = 0
  /** As far as it was a 429 that asked for it: that is no outage. */
  #throttledUntil = 0

  constructor(http: Http, options: HostOptions) {
    this.#http = http
    this.#options = options
  }

  /** A read. Waits out every 429. Throws ProviderError where no answer comes; what an answer means is for the provider to say. */
  async get(path: string, signal: AbortSignal): Promise<Reply> {
    let heldMs = 0
    for (;;) {
      try {
        const reply = await this.#send('GET', path, signal, READ_MS)
        heldMs += reply.heldMs ?? 0
        if (reply.status !== 429) return { ...reply, heldMs }
      } catch (error) {
        if (error instanceof TransportError) throw troubleOf(error, heldMs + error.heldMs)
        throw error
      }
    }
  }

  /** A read of something that can be done without: asked for once, whatever comes back. Throws ProviderError. */
  async getOnce(path: string, signal: AbortSignal, timeoutMs: number): Promise<Reply> {
    try {
      return await this.#send('GET', path, signal, timeoutMs)
    } catch (error) {
      if (error instanceof TransportError) throw troubleOf(error)
      throw error
    }
  }

  /** A write, sent once. `hold` stops it only as long as it has not left. Throws TransportError. */
  async post(path: string, signal: AbortSignal, hold = NEVER): Promise<Reply> {
    return await this.#send('POST', path, signal, WRITE_MS, { hold, isUrgent: false })
  }

  /** A write that has no time to wait for the end of an outage. Throws TransportError. */
  async postNow(path: string, signal: AbortSignal): Promise<Reply> {
    return await this.#send('POST', path, signal, WRITE_MS, { hold: NEVER, isUrgent: true })
  }

  /** How long (ms) the gate stays closed. */
  get closedForMs(): number {
    return this.#msUntil(Math.max(this.#opensAt, this.#outUntil))
  }

  #msUntil(instant: number): number {
    return Math.max(0, instant - this.#options.clock.now())
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    timeoutMs: number,
    { hold, isUrgent } = { hold: NEVER, isUrgent: false },
  ): Promise<Reply> {
    const { baseUrl, headers } = this.#options
    let sent = false
    const wait = { heldMs: 0 }
    const stop = new AbortController()
    const onHold = () => {
      if (!sent) stop.abort()
    }
    // Only where there is something to hold: a signal for every look of a long step would add up.
    const waiting = hold === NEVER ? signal : AbortSignal.any([signal, stop.signal])
    const ask = async (): Promise<Reply> => {
      for (;;) {
        const { isFree, leave } = await this.#enter(waiting, isUrgent, wait)
        try {
          const reply = await this.#lane(async () => {
            // The gate may have been closed while this one waited for its turn.
            if (this.#isClosedTo(isFree) && !waiting.aborted) return null
            if (waiting.aborted) throw new TransportError('the request was stopped before it was sent', false)
            sent = true
            return await this.#exchange({ method, url: baseUrl + path, headers, timeoutMs, signal }, isFree)
          })
          if (reply !== null) return { ...reply, heldMs: wait.heldMs }
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
      if (error instanceof TransportError) error.heldMs = wait.heldMs
      if (error instanceof TransportError || !waiting.aborted) throw error
      throw new TransportError('the request was stopped', sent, error)
    } finally {
      hold.removeEventListener('abort', onHold)
    }
  }

  /** `isFree`: an outage is no reason for this one to wait. */
  #isClosedTo(isFree: boolean): boolean {
    return this.#msUntil(this.#opensAt) > 0 || (this.#failures >= OUTAGE && !isFree)
  }

  /**
   * Waits at the gate, and notes in `wait` how long because of a 429. Throws TransportError where another request has just found that
   * the outage goes on.
   */
  async #enter(
    signal: AbortSignal,
    isUrgent: boolean,
    wait: { heldMs: number },
  ): Promise<{ isFree: boolean; leave(): void }> {
    const { clock } = this.#options
    const known = this.#failures
    for (;;) {
      const closedForMs = isUrgent ? this.#msUntil(this.#opensAt) : this.closedForMs
      if (closedForMs > 0 && !signal.aborted) {
        wait.heldMs += this.#msUntil(this.#throttledUntil)
        await clock.sleep(closedForMs, signal)
      } else if (!this.#isClosedTo(isUrgent) || signal.aborted) return { isFree: isUrgent, leave: () => {} }
      else if (this.#probe !== null) await this.#probe
      else {
        const probe = Promise.withResolvers<void>()
        this.#probe = probe.promise
        const leave = () => {
          this.#probe = null
          probe.resolve()
        }
        return { isFree: true, leave }
      }
      if (!isUrgent && this.#failures >= OUTAGE && this.#failures > known) {
        throw new Away(this.#away.why, this.#away.hasAnswered)
      }
    }
  }

  async #exchange(request: Request, isFree: boolean): Promise<Reply> {
    const { clock, onDate, secrets } = this.#options
    const sentAt = clock.now()
    try {
      const reply = await this.#http.send(request)
      const date = Date.parse(reply.headers.date ?? '')
      if (!Number.isNaN(date)) onDate(date, reply.sentAt, reply.receivedAt)
      if (reply.status >= 500) this.#fail(isFree, `the provider is not available (HTTP ${reply.status})`, true)
      else this.#failures = 0
      this.#hasAnswered = true
      this.#learn(reply, sentAt)
      return { ...reply, text: withoutSecrets(reply.text, secrets) }
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (!request.signal.aborted) this.#fail(isFree, error.message, error.sent)
      // What was set up well enough before is not set up wrongly: a name server, for example, may lose a name for a moment.
      throw error.lasting && this.#hasAnswered ? new TransportError(error.message, error.sent, error) : error
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
    if (reply.status === 429) this.#throttledUntil = this.#opensAt
  }

  /** Before an outage every failure counts; within one only that of the request that asks for all. */
  #fail(isFree: boolean, why: string, hasAnswered: boolean): void {
    if (this.#failures >= OUTAGE && !isFree) return
    this.#failures += 1
    this.#away = { why, hasAnswered }
    if (this.#failures === OUTAGE) this.#options.onOutage?.(why)
    if (this.#failures < OUTAGE) return
    const { clock, deadline = Number.POSITIVE_INFINITY } = this.#options
    const next = clock.now() + Math.min(LONGEST_PROBE_MS, 1000 * 2 ** (this.#failures - OUTAGE))
    const last = deadline - LAST_PROBE_MS
    this.#outUntil = clock.now() < last ? Math.min(next, last) : next
  }

  #closeFor(ms: number): void {
    const opensAt = this.#options.clock.now() + ms
    // Every request that was on its way may be told the same.
    if (ms >= LONG_PAUSE_MS && opensAt - this.#opensAt > LONG_PAUSE_MS / 2) this.#options.onPause(ms)
    this.#opensAt = Math.max(this.#opensAt, opensAt)
  }
}

/** A request that was not sent, because others have just found that it would come to nothing. */
class Away extends TransportError {
  /** Something has answered, or taken the request at least. */
  readonly hasAnswered: boolean
  constructor(why: string, hasAnswered: boolean) {
    super(why, false)
    this.hasAnswered = hasAnswered
  }
}

/** What it means for a read, or a trigger that has not left, that no answer came. */
export function troubleOf(error: TransportError, heldMs = 0): ProviderError {
  const trouble = error.lasting ? 'unreachable' : 'unavailable'
  // Where not even a connection comes about, the fault is as likely on this side.
  const isOutThere = error.sent || (error instanceof Away && error.hasAnswered)
  return new ProviderError(trouble, error.message, {
    cause: error,
    heldMs,
    ...(isOutThere ? {} : { hint: 'unreachable' }),
  })
}

/** A body in which none of the secrets stands, in whatever way JSON may write it. */
function withoutSecrets(body: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [secret, inJson(secret)])
  return forms.reduce((text, form) => text.replaceAll(form, '***'), plainly(body))
}

/** JSON with its escapes undone where it can do without: `\/`, and `\u0041` for a letter. What it says is the same. */
function plainly(json: string): string {
  return json.replace(/\\(?:u00([2-7][\da-f])|.)/gis, (pair, code?: string) => {
    if (code !== undefined) return inJson(String.fromCharCode(Number.parseInt(code, 16)))
    return pair === '\\/' ? '/' : pair
  })
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

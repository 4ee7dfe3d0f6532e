import type { RequestOptions } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { HttpClient, type HttpClientResponse } from '@actions/http-client'
import { describe, isLasting, mayHaveBeenSent, prepareConnections } from './connections.ts'

export interface Request {
  method: 'GET' | 'POST'
  url: string
  headers: Readonly<Record<string, string>>
  /** For the whole exchange, from connecting to the last byte of the body. */
  timeoutMs: number
  signal: AbortSignal
}

export interface Reply {
  status: number
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  text: string
  /** How long (ms) the host had asked the request to wait. */
  heldMs?: number
  /** This machine's wall clock, milliseconds since the epoch. */
  sentAt: number
  receivedAt: number
}

export interface Http {
  /** Sends one request, once: no redirect is followed and nothing is repeated. Throws TransportError. */
  send(request: Request): Promise<Reply>
}

/**
 * No whole answer came. `sent` is false only where the request certainly did not reach the other side; `lasting` is true where
 * waiting does not help: something has to be set up first.
 */
export class TransportError extends Error {
  override readonly name = 'TransportError' as const
  readonly sent: boolean
  readonly lasting: boolean
  /** How long (ms) the host had asked the request to wait before that. */
  heldMs = 0
  constructor(message: string, sent: boolean, cause?: unknown, lasting = false) {
    super(message, { cause })
    this.sent = sent
    this.lasting = lasting
  }
}

/** Enough for a page of a hundred runs many times over; a larger answer is not one of ours. Bytes after decompression. */
const MOST_BYTES = 8 * 1024 * 1024
/** As many as a host has requests in flight: one that waits for a socket would only seem to be sent. */
const MOST_SOCKETS = 16
/** Only an idle socket ends here; every request has its own time-out. */
const SOCKET_IDLE_MS = 300_000

/**
 * The one adapter over @actions/http-client, which brings proxies and keep-alive. Its own body reader never settles when a body
 * is dropped or stalls, its JSON helpers lose the headers of errors, and it follows redirects with the token: so only its
 * `request` is used, with the body read here.
 */
export function createHttp(userAgent: string, wall: () => number): Http {
  // http-client has no way to pass a signal, but gives its handlers the options of node:http, which has one. `request` prepares
  // them before its first await, so the signal set just before the call is the one of that call.
  let signalOfNext: AbortSignal | undefined
  const passSignal = {
    prepareRequest: (options: RequestOptions) => {
      if (signalOfNext !== undefined) options.signal = signalOfNext
      prepareConnections(options.agent, () => signalOfNext)
      // It takes the brackets of an IPv6 address for a part of its name.
      if (options.host?.startsWith('[')) options.host = options.host.slice(1, -1)
    },
    canHandleAuthentication: () => false,
    handleAuthentication: () => Promise.reject(new Error('no handler answers authentication challenges')),
  }
  const options = {
    allowRedirects: false,
    allowRetries: false,
    socketTimeout: SOCKET_IDLE_MS,
    maxSockets: MOST_SOCKETS,
  }
  const clients = {
    GET: new HttpClient(userAgent, [passSignal], { ...options, keepAlive: true }),
    // A kept connection may be closed by the other side just as it is used again: a trigger lost that way could not be told
    // from one that was received. So each POST gets a connection of its own.
    POST: new HttpClient(userAgent, [passSignal], { ...options, keepAlive: false }),
  }
  return {
    async send({ method, url, headers, timeoutMs, signal }) {
      if (signal.aborted) throw new TransportError('the request was not sent: stopped', false)
      const either = new AbortController()
      const stop = () => either.abort(OVER)
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        stop()
      }, timeoutMs)
      signal.addEventListener('abort', stop)
      const sentAt = wall()
      try {
        signalOfNext = either.signal
        const asked = clients[method].request(method, url, method === 'POST' ? '' : null, {
          accept: 'application/json',
          'accept-encoding': 'gzip, deflate, br',
          ...headers,
        })
        // node:http acts on the signal only once it has a socket, and never after a switch of protocols: so it is heard here, too.
        return await unlessAborted(either.signal, async () => {
          const response = await asked
          const text = await readBody(response)
          return {
            status: response.message.statusCode ?? 0,
            headers: headersOf(response),
            text,
            sentAt,
            receivedAt: wall(),
          }
        })
      } catch (error) {
        if (signal.aborted) throw new TransportError('the request was stopped', true, error)
        if (isLate) throw new TransportError(`no answer within ${timeoutMs / 1000} s`, true, error)
        throw new TransportError(describe(error), mayHaveBeenSent(error), error, isLasting(error))
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
      }
    },
  }
}

/** Made once: a reason of its own for every signal would carry a stack. */
const OVER = new Error('over')
/** What the work comes to, or a rejection as soon as the signal aborts. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([work(), stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function readBody({ message }: HttpClientResponse): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      size += chunk.length
      if (size > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES / 1024 / 1024} MiB`)
      chunks.push(chunk)
    }
  }
  const isEmpty = message.statusCode === 204 || message.statusCode === 304 || message.headers['content-length'] === '0'
  const encoding = (isEmpty ? undefined : message.headers['content-encoding']?.trim().toLowerCase()) ?? 'identity'
  const decoder = DECODERS.get(encoding)
  if (decoder !== undefined) await pipeline(message, decoder(), collect)
  else if (encoding === 'identity' || encoding === '') await pipeline(message, collect)
  else {
    message.destroy()
    throw new Error('the answer has an unknown content encoding')
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

const DECODERS = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

function headersOf({ message }: HttpClientResponse): Record<string, string> {
  return Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}

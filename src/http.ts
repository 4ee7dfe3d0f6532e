import { Agent, type RequestOptions, request } from 'node:http'
import { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { TLSSocket } from 'node:tls'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { HttpClient, type HttpClientResponse } from '@actions/http-client'

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
/** Sockets that are kept for the next read. Most runs are looked at seldom: more would stay idle. */
const MOST_IDLE = 4
const CONNECT_MS = 10_000
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
      if (options.agent instanceof Agent) prepareAgent(options.agent)
      else prepareTunnel(options.agent, () => signalOfNext)
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
const prepared = new WeakSet<object>()
/** The errors of connections that had not come about. */
const early = new WeakSet<Error>()

/** Gives up on a connection that does not come about: as long as there is none, nothing can have been sent. */
function prepareAgent(agent: Agent): void {
  if (prepared.has(agent)) return
  prepared.add(agent)
  agent.maxFreeSockets = MOST_IDLE
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const stream = connect(options, callback)
    if (stream instanceof Socket) {
      const timer = setTimeout(() => stream.destroy(tooLate()), CONNECT_MS)
      const onError = (error: Error) => early.add(error)
      const done = () => {
        clearTimeout(timer)
        stream.off('error', onError)
      }
      stream.once('error', onError)
      // A connection is of use only once the certificate has been checked.
      stream.once(stream instanceof TLSSocket ? 'secureConnect' : 'connect', done).once('close', done)
    }
    return stream
  }
}

/** The same for the tunnel through a proxy, whose CONNECT hears neither of a time-out nor of a signal by itself. */
function prepareTunnel(agent: unknown, signalOf: () => AbortSignal | undefined): void {
  if (typeof agent !== 'object' || agent === null || prepared.has(agent)) return
  if (!('request' in agent) || agent.request !== request) return
  prepared.add(agent)
  const open = (options: RequestOptions) => {
    const connect = request(options)
    const signal = signalOf()
    const timer = setTimeout(() => connect.destroy(tooLate()), CONNECT_MS)
    const stop = () => connect.destroy()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
    signal?.addEventListener('abort', stop)
    return connect.once('connect', done).once('close', done)
  }
  Object.assign(agent, { request: open })
}

function tooLate(): Error {
  return Object.assign(new Error(`no connection within ${CONNECT_MS / 1000} s`), { syscall: 'connect' })
}

/**
 * Checks certificates whatever the environment says: without it the token would be given to anybody on the way. A company's own
 * authority is made known with NODE_EXTRA_CA_CERTS instead.
 */
export function checkCertificates(warn: (text: string) => void, env = process.env): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return
  // Read anew at every connection, also at those through a proxy.
  delete env.NODE_TLS_REJECT_UNAUTHORIZED
  warn(
    'NODE_TLS_REJECT_UNAUTHORIZED=0 is not followed: it would show the token to whoever is on the way. Make your authority known with NODE_EXTRA_CA_CERTS.',
  )
}

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

/**
 * Failures to find, reach or trust the other side come before the first byte of the request. An error of TLS itself may also come
 * later, so it proves nothing.
 */
function mayHaveBeenSent(error: unknown): boolean {
  if (!(error instanceof Error)) return true
  const { code, syscall } = details(error)
  // An AggregateError is what connecting to several addresses of a host comes to.
  const before =
    syscall === 'connect' || syscall === 'getaddrinfo' || UNREACHABLE.test(code) || error instanceof AggregateError
  return !(
    early.has(error) ||
    before ||
    UNTRUSTED.test(code) ||
    TUNNEL.test(error.message) ||
    BEFORE_TLS.test(error.message)
  )
}

/** What no waiting mends: a certificate that is not trusted, a host that does not exist, a proxy that wants a password. */
function isLasting(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = details(error)
  return UNTRUSTED.test(code) || code === 'ENOTFOUND' || TUNNEL.exec(error.message)?.[1] === '407'
}

const UNREACHABLE = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/
const UNTRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/
/** What node says of a connection, also one through a tunnel, that is closed during the handshake. */
const BEFORE_TLS = /before secure TLS connection was established/
/** What the tunnel of http-client says when the proxy does not answer its CONNECT with 200. */
const TUNNEL = /^tunneling socket could not be established, (?:statusCode=(\d+)|cause=)/

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed'
  const { code } = details(error)
  const tunnel = TUNNEL.exec(error.message)
  if (tunnel !== null) return `the proxy did not connect${tunnel[1] === undefined ? '' : ` (HTTP ${tunnel[1]})`}`
  if (code === 'ENOTFOUND') return 'the host name is not known (ENOTFOUND)'
  if (code === 'ECONNREFUSED') return 'the connection was refused (ECONNREFUSED)'
  if (code === 'ECONNRESET') return 'the connection was closed before the whole answer had come (ECONNRESET)'
  if (UNTRUSTED.test(code)) {
    return `the certificate is not trusted (${code}); a company's own authority is added with the environment variable NODE_EXTRA_CA_CERTS`
  }
  return code === '' ? error.message : `${error.message} (${code})`
}

function details(error: Error): { code: string; syscall: string } {
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return { code: 'code' in error ? text(error.code) : '', syscall: 'syscall' in error ? text(error.syscall) : '' }
}

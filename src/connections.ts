import { Agent, type RequestOptions, request } from 'node:http'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Sockets that are kept for the next read. Most runs are looked at seldom: more would stay idle. */
const MOST_IDLE = 4
const CONNECT_MS = 10_000

const prepared = new WeakSet<object>()
/** The errors of connections that had not come about. */
const early = new WeakSet<Error>()

/**
 * Makes an agent of http-client give up on a connection that does not come about, after ten seconds or with the signal of the
 * request: as long as there is none, nothing can have been sent.
 */
export function prepareConnections(agent: unknown, signalOf: () => AbortSignal | undefined): void {
  if (agent instanceof Agent) prepareAgent(agent)
  else prepareTunnel(agent, signalOf)
}

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

/** The CONNECT of a tunnel through a proxy hears neither of a time-out nor of a signal by itself. */
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

/**
 * Failures to find, reach or trust the other side come before the first byte of the request. An error of TLS itself may also come
 * later, so it proves nothing.
 */
export function mayHaveBeenSent(error: unknown): boolean {
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
export function isLasting(error: unknown): boolean {
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

export function describe(error: unknown): string {
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

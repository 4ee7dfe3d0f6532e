/** The simulator on a real port. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import type { SimulatedRequest } from './exchange.ts'
import type { Delivery, SentResponse } from './faults.ts'
import type { LoggedRequest, Simulator } from './simulator.ts'

export interface ServeOptions {
  readonly port?: number
  readonly host?: string
  /** Called for every request, before its answer leaves. */
  readonly onRequest?: (request: LoggedRequest) => void
}

export interface RunningServer extends AsyncDisposable {
  /** Without a slash at the end, as a `base-url` is written. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export async function serve(simulator: Simulator, options: ServeOptions = {}): Promise<RunningServer> {
  const { onRequest, ...place } = options
  return await listen((request) => {
    const delivery = simulator.handle(request)
    const logged = simulator.requests.at(-1)
    if (logged !== undefined) onRequest?.(logged)
    return delivery
  }, place)
}

/** Anything that says what is to become of a request, on a real port. */
export async function listen(
  handle: (request: SimulatedRequest) => Delivery,
  { port = 0, host = '127.0.0.1' }: Pick<ServeOptions, 'port' | 'host'> = {},
): Promise<RunningServer> {
  const closing = new AbortController()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A wait cut short by close(), or a client that left before its request was whole: there is nobody to tell.
      if (closing.signal.aborted || !request.complete) return
      response.destroy()
      throw error
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const delivery = handle({ method, url, headers, body: await text(request) })
    if (delivery.delayMs > 0) await wait(delivery.delayMs, undefined, { signal: closing.signal })
    await act(delivery, response, closing.signal)
  }

  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Simulator: the server has no port.')

  async function close(): Promise<void> {
    if (closing.signal.aborted) return
    closing.abort()
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  const name = host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${address.port}`, port: address.port, close, [Symbol.asyncDispose]: close }
}

async function act(delivery: Delivery, response: ServerResponse, signal: AbortSignal): Promise<void> {
  switch (delivery.kind) {
    case 'hang':
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'raw':
      response.socket?.end(delivery.text)
      return
    case 'response':
      response.end(begin(delivery, response, 'declared'))
      return
    case 'truncated':
      sendHalf(delivery, response)
      return
    case 'trickled':
      await trickle(delivery, response, signal)
      return
  }
}

/** Writes the head and returns the body. */
function begin(sent: SentResponse, response: ServerResponse, length: 'declared' | 'undeclared'): Buffer {
  const body = sent.bytes === undefined ? Buffer.from(sent.body) : Buffer.from(sent.bytes)
  // The simulator dates its responses itself, by its own clock.
  response.sendDate = false
  response.statusCode = sent.status
  for (const [name, value] of Object.entries(sent.headers)) {
    if (value !== undefined) response.setHeader(name, value)
  }
  if (length === 'undeclared') {
    response.removeHeader('content-length')
    response.removeHeader('transfer-encoding')
    response.setHeader('connection', 'close')
  } else if (body.length > 0 && !response.hasHeader('content-length')) response.setHeader('content-length', body.length)
  return body
}

function sendHalf(delivery: Extract<Delivery, { kind: 'truncated' }>, response: ServerResponse): void {
  const body = begin(delivery, response, delivery.length)
  const half = body.subarray(0, Math.floor(body.length / 2))
  if (delivery.length === 'undeclared') response.end(half)
  else response.write(half, () => response.socket?.end())
}

async function trickle(
  delivery: Extract<Delivery, { kind: 'trickled' }>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  for (const byte of begin(delivery, response, 'declared')) {
    if (response.destroyed) return
    response.write(Buffer.of(byte))
    await wait(delivery.everyMs, undefined, { signal })
  }
  response.end()
}

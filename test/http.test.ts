import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createHttp, type Request, TransportError } from '../src/http.ts'

const MIB = 1024 * 1024

/** A server of its own for each test. It counts connections and keeps the requests it received. */
async function serving(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = []
  const listener: RequestListener = (request, response) => {
    requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers })
    answer(response, request)
  }
  const server = createServer(listener)
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const http = createHttp('test', Date.now)

function ask(url: string, overrides: Partial<Request> = {}) {
  const { signal } = new AbortController()
  return http.send({
    method: 'GET',
    url,
    headers: { authorization: 'Bearer t' },
    timeoutMs: 5000,
    signal,
    ...overrides,
  })
}

async function failure(asked: Promise<unknown>): Promise<TransportError> {
  const error = await asked.then(
    (reply) => new Error(`it was answered: ${JSON.stringify(reply).slice(0, 200)}`),
    (error: unknown) => error,
  )
  if (error instanceof TransportError) return error
  throw error
}

describe('an answer', () => {
  test('comes whole, with status, lower-case headers and both times', async () => {
    await using server = await serving((response) => {
      response.writeHead(404, { 'X-Request-Id': 'r1', 'Retry-After': '5' }).end('{"status":404}')
    })
    const before = Date.now()
    const reply = await ask(server.url)
    expect(reply).toMatchObject({
      status: 404,
      text: '{"status":404}',
      headers: { 'x-request-id': 'r1', 'retry-after': '5' },
    })
    expect(reply.sentAt).toBeGreaterThanOrEqual(before)
    expect(reply.receivedAt).toBeGreaterThanOrEqual(reply.sentAt)
    expect(server.requests).toMatchObject([
      { method: 'GET', headers: { authorization: 'Bearer t', accept: 'application/json', 'user-agent': 'test' } },
    ])
  })

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['GZIP', gzipSync],
    ['identity', (text: string) => Buffer.from(text)],
  ] as const)('is decoded: %s', async (encoding, encode) => {
    await using server = await serving((response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(encode('{"ä":1}')),
    )
    expect((await ask(server.url)).text).toBe('{"ä":1}')
  })

  test('keeps characters whose bytes come apart, and drops a byte order mark', async () => {
    const bytes = Buffer.from('\ufeff{"name":"東京 🚀"}')
    await using server = await serving((response) => {
      response.write(bytes.subarray(0, 14))
      setTimeout(() => response.end(bytes.subarray(14)), 20)
    })
    expect((await ask(server.url)).text).toBe('{"name":"東京 🚀"}')
  })

  test('is text whatever its bytes are', async () => {
    await using server = await serving((response) => response.end(Buffer.from([0xff, 0xfe, 0x00, 0x41])))
    expect((await ask(server.url)).text).toContain('A')
  })

  test.each([301, 302, 303, 307, 308])(
    'that redirects (%i) is not followed, and the token goes nowhere',
    async (status) => {
      await using other = await serving((response) => response.end('{}'))
      for (const location of ['/elsewhere', `${other.url}/x`]) {
        await using server = await serving((response) => response.writeHead(status, { location }).end())
        for (const method of ['GET', 'POST'] as const) expect((await ask(server.url, { method })).status).toBe(status)
        expect(server.requests).toHaveLength(2)
      }
      expect(other.requests).toEqual([])
    },
  )

  test.each([502, 503, 504, 429])('with status %i is not asked for again', async (status) => {
    await using server = await serving((response) => response.writeHead(status).end())
    expect((await ask(server.url)).status).toBe(status)
    expect(server.requests).toHaveLength(1)
  })
})

describe('an answer that is not whole', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['reset before the headers', (response) => response.socket?.resetAndDestroy()],
    ['closed before the headers', (response) => response.socket?.destroy()],
    [
      'dropped before its declared length',
      (response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"data":', () => response.socket?.destroy())
      },
    ],
    [
      'dropped in the middle of its chunks',
      (response) => {
        response.write('{"data":', () => response.socket?.destroy())
      },
    ],
    [
      'reset in the middle of its body',
      (response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"data":', () => response.socket?.resetAndDestroy())
      },
    ],
    [
      'not what its encoding says',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('{"data":1}'),
    ],
    [
      'cut within its compression',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"data":1}').subarray(0, 15)),
    ],
    ['in an encoding nobody asked for', (response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x')],
  ])('%s', async (_name, answer) => {
    await using server = await serving(answer)
    expect(await failure(ask(server.url, { method: 'POST' }))).toMatchObject({ sent: true })
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['headers', () => {}],
    ['body', (response) => response.write('{"data":')],
  ])('a server that never sends its %s is given up after the time-out', async (_name, answer) => {
    await using server = await serving(answer)
    expect(await failure(ask(server.url, { timeoutMs: 100 }))).toMatchObject({
      sent: true,
      message: 'no answer within 0.1 s',
    })
  })

  test('a body that trickles is given up, too: the time-out is for the whole', async () => {
    await using server = await serving((response) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    })
    expect(await failure(ask(server.url, { timeoutMs: 150 }))).toMatchObject({ sent: true })
  })

  test('garbage instead of HTTP', async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    expect(await failure(ask(`http://127.0.0.1:${port}`))).toMatchObject({ sent: true })
    server.close()
  })
})

describe('an answer that is too large', () => {
  test('ends at 8 MiB', async () => {
    await using server = await serving((response) => response.end(Buffer.alloc(9 * MIB, 32)))
    expect((await failure(ask(server.url))).message).toContain('larger than 8 MiB')
    await using fitting = await serving((response) => response.end(Buffer.alloc(8 * MIB, 32)))
    expect((await ask(fitting.url)).text).toHaveLength(8 * MIB)
  })

  test('ends at 8 MiB of what it decompresses to', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB))
    await using server = await serving((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    expect((await failure(ask(server.url))).message).toContain('larger than 8 MiB')
  })
})

describe('connections', () => {
  test('are kept for reads, and new for each write', async () => {
    await using server = await serving((response) => response.end('{}'))
    for (let count = 0; count < 3; count += 1) await ask(server.url)
    expect(server.connections()).toBe(1)
    for (let count = 0; count < 3; count += 1) await ask(server.url, { method: 'POST' })
    expect(server.connections()).toBe(4)
    expect(
      server.requests.filter(({ method }) => method === 'POST').map(({ headers }) => headers['content-length']),
    ).toEqual(['0', '0', '0'])
  })

  test('that are refused, or to names that nobody knows, carried nothing', async () => {
    const { port } = await serving((response) => response.end()).then(async (server) => {
      await server[Symbol.asyncDispose]()
      return server
    })
    const refused = await failure(ask(`http://127.0.0.1:${port}`, { method: 'POST' }))
    expect(refused).toMatchObject({ sent: false, message: expect.stringContaining('ECONNREFUSED') })
    const unknown = await failure(ask('http://no-such-host.invalid', { method: 'POST' }))
    expect(unknown).toMatchObject({ sent: false })
  })

  test('to a server that speaks no TLS carried nothing that anybody could read', async () => {
    await using server = await serving((response) => response.end())
    await failure(ask(server.url.replace('http:', 'https:'), { method: 'POST' }))
    expect(server.requests).toEqual([])
  })
})

describe('stopping', () => {
  test('before a request is sent: nothing arrives', async () => {
    await using server = await serving((response) => response.end())
    expect(await failure(ask(server.url, { signal: AbortSignal.abort() }))).toMatchObject({ sent: false })
    expect(server.requests).toEqual([])
  })

  test.each(['headers', 'body'])('while waiting for the %s: at once, and the connection is closed', async (part) => {
    const stop = new AbortController()
    let closed: Promise<unknown> = Promise.resolve()
    await using server = await serving((response) => {
      closed = once(response, 'close')
      if (part === 'body') response.write('{"data":')
      setTimeout(() => stop.abort(), 50)
    })
    expect(await failure(ask(server.url, { signal: stop.signal, timeoutMs: 60_000 }))).toMatchObject({
      sent: true,
      message: 'the request was stopped',
    })
    await closed
  })

  test('one of several requests leaves the others alone', async () => {
    const stop = new AbortController()
    const waiting: ServerResponse[] = []
    await using server = await serving((response, request) => {
      waiting.push(response)
      if (waiting.length < 3) return
      stop.abort()
      setTimeout(() => {
        for (const other of waiting) other.end(`{"path":"${request.url}"}`)
      }, 50)
    })
    const others = [ask(`${server.url}/1`), ask(`${server.url}/3`)]
    const stopped = failure(ask(`${server.url}/2`, { signal: stop.signal }))
    expect((await stopped).message).toBe('the request was stopped')
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200])
  })
})

import { spawn } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHttp, type Request, TransportError } from '../src/http.ts'
import { ROOT } from './runner/runner.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Heard {
  method: string | undefined
  url: string | undefined
  headers: IncomingMessage['headers']
  body: string
  /** The port of the other end: one for each connection. */
  from: number | undefined
}

/** A server that answers as it is told, faults included, and remembers what came. */
async function listening(answer: Answer) {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers, socket } = request
      heard.push({ method, url, headers, body, from: socket.remotePort })
      answer(request, response)
    })
  })
  return { heard, server, ...(await opened(server)) }
}

/** A server that says whatever bytes it is given as soon as a whole request has come. */
async function saying(...lines: string[]) {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => String(chunk).endsWith('\r\n\r\n') && socket.write(lines.join('\r\n')))
  })
  return await opened(server)
}

async function opened(server: Server) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  await using server = await opened(createTcpServer())
  return server.port
}

function client() {
  const http = createHttp('test-agent', () => 1_000_000)
  return (url: string, overrides: Partial<Request> = {}) =>
    http.send({
      method: 'GET',
      url,
      headers: {},
      timeoutMs: 600_000,
      signal: new AbortController().signal,
      ...overrides,
    })
}

/** What a request failed with; a reply is not a failure. */
async function failureOf(reply: Promise<unknown>): Promise<TransportError> {
  const error = await reply.then(
    () => new Error('a reply came'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof TransportError)) throw error
  return error
}

const METHODS = ['GET', 'POST'] as const

beforeEach(() => {
  // A proxy of the machine that runs the tests has nothing to do with them.
  for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'])
    vi.stubEnv(name, '')
})
afterEach(() => vi.unstubAllEnvs())

describe('a request', () => {
  test('carries the headers given and those of a JSON client, and a POST an empty body', async () => {
    await using server = await listening((_, response) => response.end('{}'))
    const send = client()
    await send(`${server.url}/a?b=c`, { headers: { authorization: 'Bearer x' } })
    await send(`${server.url}/d`, { method: 'POST' })
    const [get, post] = server.heard
    expect(get).toMatchObject({
      method: 'GET',
      url: '/a?b=c',
      body: '',
      headers: {
        authorization: 'Bearer x',
        accept: 'application/json',
        'accept-encoding': 'gzip, deflate, br',
        'user-agent': expect.stringMatching(/^test-agent/),
      },
    })
    expect(get?.headers).not.toHaveProperty('content-length')
    expect(post).toMatchObject({ method: 'POST', url: '/d', body: '', headers: { 'content-length': '0' } })
    // The one before it had a token; this one was given none.
    expect(post?.headers.authorization).toBeUndefined()
  })

  test('uses one connection for all GETs and a new one for every POST', async () => {
    await using server = await listening((_, response) => response.end('{}'))
    const send = client()
    for (const method of ['GET', 'GET', 'POST', 'POST', 'GET', 'POST'] as const) await send(server.url, { method })
    const from = (method: string) => server.heard.filter((one) => one.method === method).map((one) => one.from)
    expect(new Set(from('GET')).size).toBe(1)
    expect(new Set([...from('POST'), ...from('GET')]).size).toBe(4)
  })

  test('uses sixteen connections at most, and keeps four of them for later', async () => {
    const held: (() => void)[] = []
    let closed = 0
    const full = Promise.withResolvers<void>()
    const twelve = Promise.withResolvers<void>()
    await using server = await listening((_, response) => {
      held.push(() => response.end('{}'))
      if (held.length === 16) full.resolve()
      if (held.length > 16) response.end('{}')
    })
    server.server.on('connection', (socket) => {
      socket.on('close', () => {
        closed += 1
        if (closed === 12) twelve.resolve()
      })
    })
    const send = client()
    const asked = Array.from({ length: 40 }, (_, index) => send(`${server.url}/${index}`))
    await full.promise
    expect(held).toHaveLength(16)
    for (const letGo of held.splice(0, 16, ...Array(16).fill(() => {}))) letGo()
    await Promise.all(asked)
    await twelve.promise
    expect(new Set(server.heard.map(({ from }) => from)).size).toBe(16)
    expect(closed).toBe(12)
  })

  test('takes a new connection where the server has closed the idle one', async () => {
    const closed: Promise<unknown>[] = []
    await using server = await listening((request, response) => {
      closed.push(once(request.socket, 'close'))
      response.end('{}', () => request.socket.end())
    })
    const send = client()
    await send(server.url)
    await closed[0]
    expect((await send(server.url)).status).toBe(200)
    expect(new Set(server.heard.map((one) => one.from)).size).toBe(2)
  })

  test('to an IPv6 address does not look for a host of that name', async () => {
    // Whether the machine has IPv6 or not: what fails is the connection.
    const error = await failureOf(client()(`http://[::1]:${await freePort()}`))
    expect(error.message).toMatch(/ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH|EAFNOSUPPORT/)
  })
})

describe('a reply', () => {
  test.each([200, 204, 205, 400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504])(
    'with status %i comes with its status, headers and body',
    async (status) => {
      await using server = await listening((_, response) => {
        response.writeHead(status, { 'Retry-After': '7', 'X-Shouted': 'YES' }).end(status === 204 ? '' : '{"a":1}')
      })
      for (const method of METHODS) {
        const reply = await client()(server.url, { method })
        expect(reply).toMatchObject({ status, headers: { 'retry-after': '7', 'x-shouted': 'YES' } })
        expect(reply.text).toBe(status === 204 ? '' : '{"a":1}')
      }
      expect(server.heard).toHaveLength(2)
    },
  )

  test('with a header that occurs twice has both values, joined', async () => {
    await using server = await listening((_, response) => {
      response.writeHead(200, [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Two', '1'],
        ['X-Two', '2'],
      ])
      response.end()
    })
    expect((await client()(server.url)).headers).toMatchObject({ 'set-cookie': 'a=1, b=2', 'x-two': '1, 2' })
  })

  test('with two Retry-After has the first of them', async () => {
    await using server = await saying(
      'HTTP/1.1 429 No',
      'Retry-After: 5',
      'retry-after: 10',
      'content-length: 0',
      '',
      '',
    )
    expect((await client()(server.url)).headers['retry-after']).toBe('5')
  })

  test('is never one that the server sent before it was asked', async () => {
    let asked = 0
    const answerOf = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`
    const talkative = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => {
        asked += 1
        socket.write(asked === 1 ? answerOf('first') + answerOf('unasked') : answerOf('second'))
      })
    })
    await using server = await opened(talkative)
    const send = client()
    expect((await send(server.url)).text).toBe('first')
    expect((await send(server.url)).text).toBe('second')
  })

  test('says when, on the clock given, it was asked for and had come', async () => {
    let wall = 5000
    await using server = await listening((_, response) => {
      wall = 6000
      response.end()
    })
    const request = { method: 'GET', url: server.url, headers: {}, timeoutMs: 60_000 } as const
    const http = createHttp('test-agent', () => wall)
    expect(await http.send({ ...request, signal: new AbortController().signal })).toMatchObject({
      sentAt: 5000,
      receivedAt: 6000,
    })
  })

  test('after early hints is the one that follows them', async () => {
    await using server = await saying(
      'HTTP/1.1 103 Early Hints',
      'link: </a>; rel=preload',
      '',
      'HTTP/1.1 200 OK',
      'content-length: 2',
      '',
      '{}',
    )
    expect(await client()(server.url)).toMatchObject({ status: 200, text: '{}' })
  })
})

describe('a redirect is told, and never followed', () => {
  test.each([300, 301, 302, 303, 307, 308].flatMap((status) => METHODS.map((method) => [status, method] as const)))(
    '%i to a %s',
    async (status, method) => {
      await using elsewhere = await listening((_, response) => response.end('{}'))
      const targets = [`${elsewhere.url}/x`, '/x', '//:bad', undefined]
      for (const location of targets) {
        await using server = await listening((_, response) => {
          response.writeHead(status, location === undefined ? {} : { location }).end('moved')
        })
        const reply = await client()(server.url, { method, headers: { authorization: 'Bearer x' } })
        expect(reply).toMatchObject({ status, text: 'moved' })
        expect(server.heard).toHaveLength(1)
      }
      expect(elsewhere.heard).toEqual([])
    },
  )
})

describe('a body', () => {
  const said = '{"name":"Grüße, 東京 🚀"}'

  test.each([
    ['gzip', gzipSync(said)],
    ['x-gzip', gzipSync(said)],
    ['GZIP', gzipSync(said)],
    ['deflate', deflateSync(said)],
    ['br', brotliCompressSync(said)],
    ['identity', Buffer.from(said)],
    ['', Buffer.from(said)],
  ])('encoded as "%s" is decoded', async (encoding, bytes) => {
    await using server = await listening((_, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(bytes)
    })
    expect((await client()(server.url)).text).toBe(said)
  })

  test.each([
    ['gzip, and is none', 'gzip', Buffer.from(said)],
    ['deflate, and is none', 'deflate', Buffer.from(said)],
    ['br, and is none', 'br', Buffer.from(said)],
    ['gzip, cut off', 'gzip', gzipSync(said).subarray(0, -12)],
    ['zstd, which was not asked for', 'zstd', Buffer.from(said)],
    ['gzip, br', 'gzip, br', Buffer.from(said)],
  ])('said to be %s is no answer, and the next request is as good as ever', async (_, encoding, bytes) => {
    await using server = await listening(({ url }, response) => {
      if (url === '/bad') response.writeHead(200, { 'content-encoding': encoding }).end(bytes)
      else response.end(said)
    })
    const send = client()
    expect(await failureOf(send(`${server.url}/bad`))).toMatchObject({ sent: true })
    expect((await send(`${server.url}/good`)).text).toBe(said)
  })

  test('in an encoding that nobody asked for is not read: its connection is closed', async () => {
    let closed: Promise<unknown> = Promise.resolve()
    await using server = await listening(({ socket }, response) => {
      closed = once(socket, 'close')
      response.writeHead(200, { 'content-encoding': 'zstd' }).write('and so on')
    })
    expect((await failureOf(client()(server.url))).message).toBe('the answer has an unknown content encoding')
    await closed
  })

  test('that says so twice and is gzip twice comes decoded once, which is no JSON', async () => {
    await using server = await listening((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(gzipSync(said)))
    })
    expect((await client()(server.url)).text).not.toContain('name')
  })

  test('that breaks a character between two packets is whole', async () => {
    const bytes = Buffer.from(said)
    await using server = await listening((_, response) => {
      const next = (at: number) => {
        if (at === bytes.length) response.end()
        else response.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1))
      }
      next(0)
    })
    expect((await client()(server.url)).text).toBe(said)
  })

  test.each([
    ['a byte order mark', Buffer.from('\uFEFF{}'), '{}'],
    ['invalid UTF-8', Buffer.of(0x22, 0xc3, 0x28, 0xff, 0x22), '"\uFFFD(\uFFFD"'],
    ['a lone surrogate, encoded', Buffer.of(0xed, 0xa0, 0x80), '\uFFFD\uFFFD\uFFFD'],
    ['NUL and U+2028', Buffer.from('\0\u2028'), '\0\u2028'],
  ])('with %s is valid text', async (_name, bytes, expected) => {
    await using server = await listening((_, response) => response.end(bytes))
    const reply = await client()(server.url)
    expect(reply.text).toBe(expected)
    expect(reply.text.isWellFormed()).toBe(true)
  })

  const MiB = 1024 * 1024
  test('of 8 MiB is taken, and of one byte more is not', async () => {
    await using server = await listening(({ url }, response) => response.end(Buffer.alloc(Number(url?.slice(1)), 'x')))
    const send = client()
    expect((await send(`${server.url}/${8 * MiB}`)).text).toHaveLength(8 * MiB)
    const error = await failureOf(send(`${server.url}/${8 * MiB + 1}`))
    expect(error).toMatchObject({ sent: true, message: 'the answer is larger than 8 MiB' })
    expect((await send(`${server.url}/2`)).text).toBe('xx')
  })

  test('that never ends is cut off', async () => {
    await using server = await listening((_, response) => {
      const more = () => {
        if (!response.destroyed) response.write(Buffer.alloc(MiB), more)
      }
      more()
    })
    expect((await failureOf(client()(server.url))).message).toContain('larger than 8 MiB')
  })

  test('that is a gzip bomb is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MiB))
    expect(bomb.length).toBeLessThan(MiB)
    await using server = await listening((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
    })
    expect((await failureOf(client()(server.url))).message).toContain('larger than 8 MiB')
  })
})

describe('a connection that breaks', () => {
  const broken: [string, Answer][] = [
    ['before any answer, with a reset', ({ socket }) => socket.resetAndDestroy()],
    ['before any answer, in good order', ({ socket }) => socket.end()],
    [
      'in a body of known length',
      ({ socket }, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"half":', () => socket.end())
      },
    ],
    [
      'in a body of known length, with a reset',
      ({ socket }, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"half":', () => socket.resetAndDestroy())
      },
    ],
    ['in a chunked body', ({ socket }, response) => void response.write('{"half":', () => socket.end())],
    [
      'in a compressed body',
      ({ socket }, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '100' })
        response.write(gzipSync('{"half":1}').subarray(0, 15), () => socket.end())
      },
    ],
    ['with what is no HTTP', ({ socket }) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
    ['with a length that is none', ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n{}')],
    [
      'with two lengths',
      ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'),
    ],
    [
      'with headers larger than any',
      ({ socket }) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
    ],
    ['with a broken chunk', ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz')],
  ]

  test.each(broken.flatMap(([how, answer]) => METHODS.map((method) => [how, method, answer] as const)))(
    '%s, leaves it open whether a %s had an effect; the next one is as good as ever',
    async (_how, method, answer) => {
      await using server = await listening((request, response) => {
        if (request.url === '/good') response.end('{}')
        else answer(request, response)
      })
      const send = client()
      const error = await failureOf(send(server.url, { method }))
      expect(error.sent).toBe(true)
      expect(error.message).not.toBe('')
      expect((await send(`${server.url}/good`, { method })).text).toBe('{}')
      // Sent once, whatever became of it.
      expect(server.heard).toHaveLength(2)
    },
  )

  test('is told as such', async () => {
    await using server = await listening(({ socket }) => socket.resetAndDestroy())
    expect((await failureOf(client()(server.url))).message).toBe(
      'the connection was closed before the whole answer had come (ECONNRESET)',
    )
  })

  test('in a body without a length looks like its end: only what reads the text can tell', async () => {
    await using server = await saying('HTTP/1.1 200 OK', 'content-length: 1', '', '{"longer":')
    expect((await client()(server.url)).text).toBe('{')
    await using undeclared = await listening(({ socket }) => void socket.end('HTTP/1.1 200 OK\r\n\r\n{"half":'))
    expect((await client()(undeclared.url)).text).toBe('{"half":')
  })
})

describe('a time-out covers the whole exchange', () => {
  const slow: [string, Answer][] = [
    ['no answer begins', () => {}],
    ['only headers come', (_, response) => response.writeHead(200, { 'content-length': '100' }).flushHeaders()],
    ['the body stalls', (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('{"half":')],
    [
      'the compressed body stalls',
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync('{"half":1}').subarray(0, 15))
      },
    ],
    [
      'the body trickles without end',
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 10)
        response.on('close', () => clearInterval(drip))
      },
    ],
  ]

  test.each(slow.flatMap(([how, answer]) => METHODS.map((method) => [how, method, answer] as const)))(
    'where %s of a %s',
    async (_how, method, answer) => {
      await using server = await listening(answer)
      const error = await failureOf(client()(server.url, { method, timeoutMs: 150 }))
      expect(error).toMatchObject({ sent: true, message: 'no answer within 0.15 s' })
      expect(server.heard).toHaveLength(1)
    },
  )
})

describe('a signal', () => {
  test.each(METHODS)('that had aborted keeps a %s from being sent', async (method) => {
    await using server = await listening((_, response) => response.end('{}'))
    const error = await failureOf(client()(server.url, { method, signal: AbortSignal.abort() }))
    expect(error.sent).toBe(false)
    expect(server.heard).toEqual([])
  })

  const hanging: [string, Answer][] = [
    ['while the answer is waited for', () => {}],
    [
      'in the middle of the body',
      (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('{'),
    ],
  ]
  test.each(hanging.flatMap(([when, answer]) => METHODS.map((method) => [when, method, answer] as const)))(
    'stops %s a %s at once, its own request alone, and the next one is as good as ever',
    async (_when, method, answer) => {
      const stop = new AbortController()
      let letGo = () => {}
      await using server = await listening((request, response) => {
        if (request.url === '/slow') letGo = () => response.end('slow')
        else if (request.url === '/good') response.end('{}')
        else {
          answer(request, response)
          setImmediate(() => stop.abort())
        }
      })
      const send = client()
      const other = send(`${server.url}/slow`, { method })
      const error = await failureOf(send(server.url, { method, signal: stop.signal }))
      expect(error).toMatchObject({ sent: true, message: 'the request was stopped' })
      expect((await send(`${server.url}/good`, { method })).text).toBe('{}')
      letGo()
      expect((await other).text).toBe('slow')
    },
  )

  test.each(hanging.flatMap(([when, answer]) => METHODS.map((method) => [when, method, answer] as const)))(
    'that stops %s a %s also closes its connection, so that the server can stop, too',
    async (_when, method, answer) => {
      const stop = new AbortController()
      const closed = Promise.withResolvers<void>()
      await using server = await listening((request, response) => {
        request.socket.on('close', () => closed.resolve())
        answer(request, response)
        setImmediate(() => stop.abort())
      })
      await failureOf(client()(server.url, { method, signal: stop.signal }))
      await closed.promise
    },
  )

  test.each(METHODS)('stops a %s that still waits for a free connection: it never goes out', async (method) => {
    const stop = new AbortController()
    const held: (() => void)[] = []
    const full = Promise.withResolvers<void>()
    await using server = await listening((_, response) => {
      held.push(() => response.end('{}'))
      if (held.length === 16) full.resolve()
    })
    const send = client()
    const others = Array.from({ length: 16 }, (_, index) => send(`${server.url}/${index}`, { method }))
    await full.promise
    const waiting = failureOf(send(`${server.url}/waiting`, { method, signal: stop.signal }))
    stop.abort()
    for (const letGo of held) letGo()
    expect((await waiting).message).toBe('the request was stopped')
    expect((await Promise.all(others)).map(({ text }) => text)).toEqual(Array(16).fill('{}'))
    await using elsewhere = await listening((_, response) => response.end('{}'))
    expect((await send(elsewhere.url, { method })).text).toBe('{}')
    expect(server.heard.map(({ url }) => url)).not.toContain('/waiting')
  })

  test('of each of many requests at once stops that one', async () => {
    const stops = Array.from({ length: 12 }, () => new AbortController())
    const held = new Map<string, () => void>()
    const full = Promise.withResolvers<void>()
    await using server = await listening(({ url = '' }, response) => {
      held.set(url, () => response.end(url))
      if (held.size === stops.length) full.resolve()
    })
    const send = client()
    const settled = Promise.allSettled(
      stops.map(({ signal }, index) =>
        send(`${server.url}/${index}`, { method: index % 2 === 0 ? 'GET' : 'POST', signal }),
      ),
    )
    await full.promise
    const chosen = (index: number) => index % 3 === 0
    for (const [index, stop] of stops.entries()) if (chosen(index)) stop.abort()
    for (const [url, letGo] of held) if (!chosen(Number(url.slice(1)))) letGo()
    expect((await settled).map((end) => (end.status === 'fulfilled' ? end.value.text : 'stopped'))).toEqual(
      stops.map((_, index) => (chosen(index) ? 'stopped' : `/${index}`)),
    )
  })

  test('leaves nothing behind that keeps the process going', async () => {
    await using server = await listening(() => {})
    const script = `
      import { createHttp } from './src/http.ts'
      const stop = new AbortController()
      const request = { method: 'GET', url: '${server.url}', headers: {}, timeoutMs: 600_000, signal: stop.signal }
      setTimeout(() => stop.abort(), 50)
      await createHttp('test-agent', Date.now).send(request).catch((error) => console.log(error.message))
    `
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const printed = text(child.stdout)
    const [code] = await once(child, 'close')
    expect([code, await printed]).toEqual([0, 'the request was stopped\n'])
  })
})

describe('what never reaches the other side', () => {
  test.each(METHODS)('a refused connection, for a %s', async (method) => {
    const error = await failureOf(client()(`http://127.0.0.1:${await freePort()}`, { method }))
    expect(error).toMatchObject({ sent: false, message: 'the connection was refused (ECONNREFUSED)' })
  })

  test.each(METHODS)('a host that nobody knows, for a %s', async (method) => {
    const error = await failureOf(client()('http://nowhere.invalid', { method }))
    expect(error.sent).toBe(false)
    expect(error.message).toMatch(/ENOTFOUND|EAI_AGAIN/)
  })
})

test('a token that cannot be a header is not told', async () => {
  await using server = await listening((_, response) => response.end('{}'))
  const error = await failureOf(client()(server.url, { headers: { authorization: 'Bearer canary\nx: y' } }))
  expect(`${error.message} ${error.cause}`).not.toContain('canary')
  expect(server.heard).toEqual([])
})

describe('behind a proxy', () => {
  /** Names of its own that only the proxy knows: a loopback address would not be proxied. */
  const url = 'http://provider.test'

  async function proxied(answer: (socket: Socket) => void) {
    const server = createServer()
    server.on('connect', (_request: IncomingMessage, socket: Socket) => {
      socket.on('error', () => {})
      answer(socket)
    })
    const proxy = await opened(server)
    vi.stubEnv('http_proxy', proxy.url)
    return proxy
  }

  test('a request goes through it', async () => {
    await using server = await listening((_, response) => response.end('{}'))
    await using _proxy = await proxied((socket) => {
      const onward = connect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.pipe(socket).pipe(onward)
      })
      onward.on('error', () => {})
    })
    const send = client()
    for (const method of METHODS) expect(await send(url, { method })).toMatchObject({ status: 200, text: '{}' })
    expect(server.heard.map(({ headers }) => headers.host)).toEqual(['provider.test:80', 'provider.test:80'])
  })

  test.each(['407 Proxy Authentication Required', '502 Bad Gateway', '403 Forbidden'])(
    'that answers %s nothing is sent, and the message speaks of the proxy',
    async (status) => {
      await using _proxy = await proxied((socket) => void socket.end(`HTTP/1.1 ${status}\r\n\r\n`))
      for (const method of METHODS) {
        const error = await failureOf(client()(url, { method }))
        expect(error.sent).toBe(false)
        expect(error.message).toMatch(/tunnel|proxy/i)
        expect(error.message).toContain(status.slice(0, 3))
      }
    },
  )

  test('that is not there nothing is sent', async () => {
    vi.stubEnv('http_proxy', `http://127.0.0.1:${await freePort()}`)
    expect((await failureOf(client()(url, { method: 'POST' }))).sent).toBe(false)
  })
})

describe('over TLS', () => {
  /** A certificate made on the spot, signed by its own key. */
  function certificate(name: string): { key: string; cert: string } {
    const pair = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const der = (tag: number, ...parts: (Buffer | string)[]): Buffer => {
      const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
      const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
      return Buffer.concat([Buffer.of(tag, ...length), body])
    }
    const ecdsaWithSha256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
    const commonName = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, name))))
    const validity = der(0x30, der(0x17, '200101000000Z'), der(0x17, '491231235959Z'))
    const body = der(0x30, der(0x02, Buffer.of(1)), ecdsaWithSha256, commonName, validity, commonName, pair.publicKey)
    const signature = sign('sha256', body, createPrivateKey(pair.privateKey))
    const whole = der(0x30, body, ecdsaWithSha256, der(0x03, Buffer.of(0), signature)).toString('base64')
    return { key: pair.privateKey, cert: `-----BEGIN CERTIFICATE-----\n${whole}\n-----END CERTIFICATE-----\n` }
  }

  async function secured(name: string, answer: Answer) {
    const { key, cert } = certificate(name)
    const server = createTlsServer({ key, cert }, answer)
    server.on('tlsClientError', () => {})
    const { port, [Symbol.asyncDispose]: close } = await opened(server)
    return { port, cert, url: `https://localhost:${port}`, [Symbol.asyncDispose]: close }
  }

  const trusted = getCACertificates('default')
  const trust = (cert: string) => setDefaultCACertificates([...trusted, cert])
  afterEach(() => setDefaultCACertificates(trusted))

  test.each(METHODS)('nothing of a %s is sent to whom nobody vouches for', async (method) => {
    let heard = 0
    await using server = await secured('localhost', (_, response) => {
      heard += 1
      response.end()
    })
    const error = await failureOf(client()(server.url, { method }))
    expect(error.sent).toBe(false)
    expect(error.message).toMatch(
      /^the certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\).*NODE_EXTRA_CA_CERTS/,
    )
    expect(heard).toBe(0)
  })

  test('nothing is sent to a host with the certificate of another', async () => {
    await using server = await secured('provider.test', (_, response) => response.end())
    trust(server.cert)
    const error = await failureOf(client()(server.url, { method: 'POST' }))
    expect(error.sent).toBe(false)
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('nothing is sent to a server that does not speak it', async () => {
    await using server = await listening((_, response) => response.end())
    const error = await failureOf(client()(`https://localhost:${server.port}`, { method: 'POST' }))
    expect(error.message).toContain('wrong version number')
    expect(server.heard).toEqual([])
  })

  test('nothing is sent where no connection comes about within ten seconds', async () => {
    // A server that takes the connection and never says a word of TLS.
    const taken = Promise.withResolvers<void>()
    await using server = await opened(createTcpServer(() => taken.resolve()))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const asked = failureOf(client()(`https://localhost:${server.port}`, { method: 'POST' }))
      await taken.promise
      vi.advanceTimersByTime(10_000)
      expect(await asked).toMatchObject({ sent: false, message: 'no connection within 10 s' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('a trusted server is talked to', async () => {
    await using server = await secured('localhost', (_, response) => response.end('{}'))
    trust(server.cert)
    for (const method of METHODS) expect((await client()(server.url, { method })).text).toBe('{}')
  })

  test('a request that was received may have had an effect, though what comes back is no TLS any more', async () => {
    let heard = 0
    await using server = await secured('localhost', () => {
      heard += 1
      for (const socket of between) socket.write(Buffer.alloc(64, 0x17))
    })
    const between = new Set<Socket>()
    await using middle = await opened(
      createTcpServer((socket) => {
        between.add(socket)
        const onward = connect(server.port, '127.0.0.1')
        for (const end of [socket, onward]) end.on('error', () => {})
        socket.pipe(onward).pipe(socket)
      }),
    )
    trust(server.cert)
    const error = await failureOf(client()(`https://localhost:${middle.port}`, { method: 'POST' }))
    expect([heard, error.sent]).toEqual([1, true])
  })
})

describe('an answer that leads nowhere', () => {
  test('a switch of protocols that nobody asked for ends with the time-out', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      )
    })
    await using switching = await opened(server)
    for (const method of METHODS) {
      expect((await failureOf(client()(switching.url, { method, timeoutMs: 100 }))).sent).toBe(true)
    }
  })

  test.each([
    [204, 'gzip'],
    [304, 'br'],
    [200, 'gzip'],
  ])('an empty body (HTTP %i) needs no decoding (%s)', async (status, encoding) => {
    await using server = await listening((_, response) => {
      response
        .writeHead(status, { 'content-encoding': encoding, ...(status === 200 && { 'content-length': '0' }) })
        .end()
    })
    expect(await client()(server.url)).toMatchObject({ status, text: '' })
  })
})

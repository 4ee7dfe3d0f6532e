// What the network, certificates and proxies can do to a step, over real sockets: against the committed bundle, or against the
// adapter where a step adds nothing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, describe, expect, test } from 'vitest'
import { annotations, type Played, play, type Scene, triggersOf } from '../bundle/stage.ts'
import { ROOT } from '../runner/runner.ts'
import { completesAfter, type Fault, Simulator, serve } from '../simulator/index.ts'
import { type Certificate, certificate } from './certificates.ts'
import { eachItsOwn, eachRunItsOwn, freePort, opened, pipeTo, syncs } from './support.ts'

const temp = mkdtempSync(join(tmpdir(), 'transport-'))
afterAll(() => rmSync(temp, { recursive: true, force: true }))

const soon = { syncs: [{ id: 8290, timeline: completesAfter(100) }] }

/** A step against a simulator behind something else. `front` is given its port, and gives the address to use instead. */
async function behind(
  front: (port: number) => Promise<AsyncDisposable & { url: string }>,
  scene: Omit<Scene, 'simulator'> & { simulator?: Simulator },
): Promise<Played> {
  const simulator = scene.simulator ?? new Simulator(soon)
  await using server = await serve(simulator)
  await using fronting = await front(server.port)
  return await play({ ...scene, simulator, with: { 'base-url': fronting.url, ...scene.with } })
}

/** Hands every connection to `onConnection`, with its number from 1. */
async function front(onConnection: (socket: Socket, nth: number) => void) {
  let nth = 0
  const server = createServer((socket) => {
    nth += 1
    onConnection(socket, nth)
  })
  const { port, ...rest } = await opened(server)
  return { ...rest, server, port, url: `http://127.0.0.1:${port}` }
}

describe.concurrent('a connection that breaks', () => {
  const BROKEN: [string, Fault][] = [
    ['net-reset-after', { kind: 'reset', when: 'after' }],
    ['net-answer-cut', { kind: 'truncate' }],
    ['net-answer-cut-undeclared', { kind: 'truncate', length: 'undeclared' }],
    [
      'net-length-too-long',
      { kind: 'raw', when: 'after', text: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"data":' },
    ],
    [
      'net-length-too-short',
      { kind: 'raw', when: 'after', text: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"data":{"a":1}}' },
    ],
    ['net-bad-chunk', { kind: 'raw', when: 'after', text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz' }],
    ['net-huge-header', { kind: 'raw', when: 'after', text: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n{}` }],
    ['net-no-http', { kind: 'raw', when: 'after', text: 'SSH-2.0-OpenSSH_9.6\r\n' }],
    ['net-closed-silently', { kind: 'raw', when: 'after', text: '' }],
  ]

  test('net-trigger-lost: however the answer to a trigger breaks off, its run is found, and there is only one', async () => {
    const simulator = new Simulator({ syncs: syncs(BROKEN.length, { timeline: completesAfter(100) }) })
    eachItsOwn(
      simulator,
      'trigger',
      BROKEN.map(([, fault]) => fault),
    )
    const { results } = await play({ simulator })
    const ends = results.map(({ outcome, adopted }, index) => [BROKEN[index]?.[0], outcome, adopted])
    expect(ends).toEqual(BROKEN.map(([name]) => [name, 'succeeded', true]))
    expect(simulator.syncs().map(({ id }) => simulator.runsCreated(id))).toEqual(BROKEN.map(() => 1))
    expect(triggersOf(simulator)).toBe(BROKEN.length)
  })

  test('net-poll-broken: however the answer to a look breaks off, the next look is as good as ever', async () => {
    const simulator = new Simulator({ syncs: syncs(BROKEN.length, { timeline: completesAfter(100) }) })
    eachRunItsOwn(
      simulator,
      BROKEN.map(([, fault]) => fault),
    )
    const { results, step } = await play({ simulator })
    const ends = results.map(({ outcome }, index) => [BROKEN[index]?.[0], outcome])
    expect(ends).toEqual(BROKEN.map(([name]) => [name, 'succeeded']))
    expect(step.exitCode).toBe(0)
  })

  test('net-refused: while nobody listens a trigger waits and is sent once, and a run is looked at again', async () => {
    const simulator = new Simulator(soon)
    await using server = await serve(simulator)
    const wall = createServer((socket) => pipeTo(server.port, socket))
    const { port, sockets } = await opened(wall)
    let gone = 0
    /** Nobody listens for as long as it takes to try twice. */
    const vanish = () => {
      gone += 1
      wall.close()
      setTimeout(() => wall.listen(port, '127.0.0.1'), 2500)
    }
    simulator.faults.push((_request, { operation }) => {
      // The last read before the trigger: its answer still comes, and the trigger takes a connection of its own.
      if (operation === 'list-destinations' && gone === 0) vanish()
      if (operation === 'read-run' && gone === 1) {
        vanish()
        for (const socket of sockets) socket.destroy()
      }
      return undefined
    })
    const { results } = await play({
      simulator,
      with: { 'base-url': `http://127.0.0.1:${port}` },
      prepare: (sim) => sim.script(8290, completesAfter(1500)),
    })
    wall.close()
    expect(gone).toBe(2)
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1, adopted: false }])
    expect(simulator.runsCreated(8290)).toBe(1)
    expect(triggersOf(simulator)).toBe(1)
  })

  test('net-idle-closed: a server that closes every idle connection disturbs nobody', async () => {
    const { results } = await behind(
      async (port) =>
        await front((socket) => {
          pipeTo(port, socket)
          socket.setTimeout(30, () => socket.end())
        }),
      { prepare: (sim) => sim.script(8290, completesAfter(1500)), with: { 'poll-interval-seconds': '0.1' } },
    )
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1 }])
  })

  test('net-sockets: a step with two hundred syncs never has more than twenty connections', async () => {
    const simulator = new Simulator({ syncs: syncs(200, { timeline: completesAfter(500) }) })
    let most = 0
    const { outcomes } = await behind(
      async (port) => {
        const wall = await front((socket) => {
          pipeTo(port, socket)
          most = Math.max(most, wall.sockets.size)
        })
        return wall
      },
      { simulator },
    )
    expect(new Set(outcomes)).toEqual(new Set(['succeeded']))
    expect(most).toBeLessThanOrEqual(20)
  })
})

/** One request of the adapter alone, in a process whose environment is almost empty: whether it may have been sent, and why it failed. */
async function failureOf(
  method: 'GET' | 'POST',
  url: string,
  env: Record<string, string> = {},
  timeoutMs = 120_000,
): Promise<string> {
  const script = `
    import { createHttp } from './src/http.ts'
    const request = { method: '${method}', url: '${url}', headers: {}, timeoutMs: ${timeoutMs}, signal: new AbortController().signal }
    await createHttp('test-agent', Date.now).send(request).then(
      ({ status }) => console.log('status', status),
      (error) => console.log(error.sent ? 'maybe sent:' : 'not sent:', error.message),
    )
  `
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', SYSTEMROOT: process.env.SYSTEMROOT ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  child.kill()
  return String(line).trim()
}

describe.concurrent('a host that swallows connections', () => {
  /** A port whose queue of connections is full and whose owner sleeps: what comes there is dropped without a word. */
  async function blackHole() {
    const script = `const server = require('net').createServer()
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)))
    child.kill('SIGSTOP')
    const plugs = Array.from({ length: 16 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    // The queue holds one or two of them; the others never come about.
    await Promise.race(plugs.map((plug) => once(plug, 'connect')))
    return {
      port,
      url: `http://127.0.0.1:${port}`,
      [Symbol.asyncDispose]: async () => {
        for (const plug of plugs) plug.destroy()
        child.kill('SIGKILL')
        await once(child, 'close')
      },
    }
  }

  test.runIf(process.platform === 'linux')(
    'net-black-hole: a connection that does not come about is given up after ten seconds, and called that',
    async () => {
      await using hole = await blackHole()
      // Nothing was sent: a trigger may be tried again. With the time-out of the whole request it could not be told.
      const failures = await Promise.all([failureOf('GET', hole.url), failureOf('POST', hole.url)])
      for (const failure of failures) expect(failure).toMatch(/^not sent: .*no connection within 10 s/)
    },
    90_000,
  )
})

describe.concurrent('certificates', () => {
  /** Speaks TLS for a port that does not. */
  async function tls(port: number, { key, cert }: Certificate) {
    let connections = 0
    let secured = 0
    const server = createTlsServer({ key, cert }, (socket) => {
      secured += 1
      pipeTo(port, socket)
    })
    server.on('connection', () => {
      connections += 1
    })
    server.on('tlsClientError', () => {})
    const { port: own, ...rest } = await opened(server)
    return { ...rest, url: `https://localhost:${own}`, counts: () => ({ connections, secured }) }
  }

  function file(name: string, content: string): string {
    const path = join(temp, name)
    writeFileSync(path, content)
    return path
  }

  const authority = certificate('Authority of a company')
  const authorityFile = file('authority.pem', authority.cert)

  test('tls-extra-ca: a company’s own authority is trusted where NODE_EXTRA_CA_CERTS names it', async () => {
    const { results, step } = await behind((port) => tls(port, certificate('localhost', { by: authority })), {
      options: { env: { NODE_EXTRA_CA_CERTS: authorityFile } },
    })
    expect(results).toMatchObject([{ outcome: 'succeeded' }])
    expect(step.exitCode).toBe(0)
  })

  test.each([
    ['tls-self-signed', certificate('localhost'), {}],
    ['tls-unknown-authority', certificate('localhost', { by: authority }), {}],
    ['tls-expired', certificate('localhost', { by: authority, until: 21 }), { NODE_EXTRA_CA_CERTS: authorityFile }],
    ['tls-wrong-host', certificate('elsewhere.test', { by: authority }), { NODE_EXTRA_CA_CERTS: authorityFile }],
    ['tls-extra-ca-missing', certificate('localhost', { by: authority }), { NODE_EXTRA_CA_CERTS: join(temp, 'none') }],
    [
      'tls-extra-ca-garbage',
      certificate('localhost', { by: authority }),
      { NODE_EXTRA_CA_CERTS: file('garbage.pem', 'no certificate') },
    ],
  ])(
    '%s: nothing is sent, nothing is triggered, and the message leads to NODE_EXTRA_CA_CERTS',
    async (_row, own, env) => {
      let counts = { connections: 0, secured: 0 }
      const { results, step, simulator } = await behind(
        async (port) => {
          const wall = await tls(port, own)
          return {
            ...wall,
            [Symbol.asyncDispose]: async () => {
              counts = wall.counts()
              await wall[Symbol.asyncDispose]()
            },
          }
        },
        { options: { env }, with: { 'outage-tolerance-minutes': '0' } },
      )
      expect(results).toMatchObject([
        { outcome: 'not_started', reason: expect.stringContaining('NODE_EXTRA_CA_CERTS') },
      ])
      expect(step.exitCode).toBe(1)
      expect(simulator.requests).toEqual([])
      expect(counts.connections).toBeGreaterThan(0)
      expect(counts.secured).toBe(0)
    },
  )

  test('tls-reject-unauthorized: a switch in the environment turns no check off, and a warning says so', async () => {
    const { step, results, simulator } = await behind((port) => tls(port, certificate('localhost')), {
      options: { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
      with: { 'outage-tolerance-minutes': '0' },
    })
    expect(results).toMatchObject([{ outcome: 'not_started' }])
    expect(simulator.requests).toEqual([])
    expect(annotations(step, 'warning').join()).toContain('NODE_TLS_REJECT_UNAUTHORIZED')
  })

  test('tls-at-once: a certificate that is not trusted is told at once, and not tried again', async () => {
    let connections = 0
    const { results } = await behind(
      async (port) => {
        const wall = await tls(port, certificate('localhost'))
        return {
          ...wall,
          [Symbol.asyncDispose]: async () => {
            connections = wall.counts().connections
            await wall[Symbol.asyncDispose]()
          },
        }
      },
      { with: { 'timeout-minutes': '0.1' } },
    )
    expect(results[0]?.reason).toContain('NODE_EXTRA_CA_CERTS')
    expect(connections).toBe(1)
  })

  test('tls-handshake: a connection that breaks before TLS stands has certainly carried no request', async () => {
    await using wall = await front((socket) => socket.once('data', () => socket.resetAndDestroy()))
    expect(await failureOf('POST', `https://localhost:${wall.port}`)).toMatch(/^not sent: /)
  })

  test('tls-deadline: a deadline that comes while nothing can be read says what was in the way', async () => {
    const { results } = await play({
      simulator: soon,
      with: { 'base-url': `http://127.0.0.1:${await freePort()}`, 'timeout-minutes': '0.05' },
    })
    expect(results[0]?.reason).toContain('ECONNREFUSED')
  })
})

describe.concurrent('a proxy', () => {
  type Connect = (socket: Socket, request: IncomingMessage) => void

  /** A proxy that knows one host under whatever name. A loopback address is not proxied, so the names are made up. */
  async function proxy(onConnect: Connect) {
    const asked: { target: string | undefined; authorization: string | undefined }[] = []
    const server = createHttpServer((_request, response) => response.writeHead(400).end())
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      socket.on('error', () => {})
      asked.push({ target: request.url, authorization: request.headers['proxy-authorization'] })
      onConnect(socket, request)
    })
    const { port, ...rest } = await opened(server)
    return { ...rest, asked, address: `127.0.0.1:${port}` }
  }

  const connecting =
    (port: number): Connect =>
    (socket) => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      pipeTo(port, socket)
    }

  const PASSWORD = 'proxy-pässword/%:7731'
  const withPassword = (address: string) => `http://robot:${encodeURIComponent(PASSWORD)}@${address}`
  const FORMS = [
    PASSWORD,
    encodeURIComponent(PASSWORD),
    Buffer.from(PASSWORD).toString('base64'),
    Buffer.from(`robot:${PASSWORD}`).toString('base64'),
  ]
  /** All that a step shows, but for the commands that hide something. */
  const shown = ({ step }: Played) =>
    step.log.replaceAll(/^::add-mask::.*$/gm, '') + step.summary + JSON.stringify([step.outputs, step.state])

  test('proxy-password: a step goes through a proxy with a user and a password, which are nowhere to be seen', async () => {
    const simulator = new Simulator(soon)
    await using server = await serve(simulator)
    await using own = await proxy(connecting(server.port))
    const played = await play({
      simulator,
      with: { 'base-url': 'http://provider' },
      options: { env: { http_proxy: withPassword(own.address) } },
    })
    expect(played.results).toMatchObject([{ outcome: 'succeeded' }])
    expect(new Set(own.asked.map(({ target }) => target))).toEqual(new Set(['provider:80']))
    const [sent] = own.asked
    expect(sent?.authorization).toBe(`Basic ${Buffer.from(`robot:${PASSWORD}`).toString('base64')}`)
    for (const form of FORMS) expect(shown(played)).not.toContain(form)
  })

  test('proxy-https: a provider behind a proxy is talked to in TLS, and the proxy sees no token', async () => {
    const simulator = new Simulator(soon)
    await using server = await serve(simulator)
    const authority = certificate('Authority')
    const authorityFile = join(temp, 'proxied.pem')
    writeFileSync(authorityFile, authority.cert)
    const { key, cert } = certificate('provider.test', { by: authority })
    await using secure = await opened(createTlsServer({ key, cert }, (socket) => pipeTo(server.port, socket)))
    let passed = ''
    await using own = await proxy((socket, request) => {
      socket.on('data', (chunk) => {
        passed += chunk.toString('latin1')
      })
      connecting(secure.port)(socket, request)
    })
    const { results } = await play({
      simulator,
      with: { 'base-url': 'https://provider.test' },
      options: { env: { HTTPS_PROXY: `http://${own.address}`, NODE_EXTRA_CA_CERTS: authorityFile } },
    })
    expect(results).toMatchObject([{ outcome: 'succeeded' }])
    expect(passed.length).toBeGreaterThan(0)
    expect(passed).not.toContain('Bearer')
  })

  const REFUSALS: [string, Connect, RegExp][] = [
    ['proxy-407', (socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'), /HTTP 407/],
    ['proxy-502', (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'), /HTTP 502/],
    ['proxy-403', (socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\nblocked by robot:secret-policy'), /HTTP 403/],
  ]

  test.each(REFUSALS)(
    '%s: a proxy that does not connect is named, and nothing was sent',
    async (_row, answer, told) => {
      await using own = await proxy(answer)
      const played = await play({
        simulator: soon,
        with: { 'base-url': 'http://provider', 'outage-tolerance-minutes': '0' },
        options: { env: { http_proxy: withPassword(own.address) } },
      })
      expect(played.results).toMatchObject([
        { outcome: 'not_started', reason: expect.stringContaining('the proxy did not connect') },
      ])
      expect(played.results[0]?.reason).toMatch(told)
      for (const form of FORMS) expect(shown(played)).not.toContain(form)
    },
  )

  test('proxy-refused: a proxy that is not there is named, without its password', async () => {
    const played = await play({
      simulator: soon,
      with: { 'base-url': 'http://provider', 'outage-tolerance-minutes': '0' },
      options: { env: { http_proxy: withPassword(`127.0.0.1:${await freePort()}`) } },
    })
    expect(played.results).toMatchObject([
      { outcome: 'not_started', reason: expect.stringContaining('the proxy did not connect') },
    ])
    for (const form of FORMS) expect(shown(played)).not.toContain(form)
  })

  test('proxy-reset: a proxy that breaks a connection once it stands costs no run and no second trigger', async () => {
    const simulator = new Simulator(soon)
    await using server = await serve(simulator)
    let broken = 0
    const reached = () => simulator.requests.some(({ operation }) => operation === 'list-destinations')
    await using own = await proxy((socket, request) => {
      // The first connection after the plan is that of the trigger. Whether it got through nobody can say.
      if (reached() && broken === 0) {
        broken += 1
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n', () => socket.resetAndDestroy())
      } else connecting(server.port)(socket, request)
    })
    const { results } = await play({
      simulator,
      with: { 'base-url': 'http://provider', 'timeout-minutes': '0.15' },
      options: { env: { http_proxy: `http://${own.address}` } },
    })
    expect(broken).toBe(1)
    expect(simulator.runsCreated(8290)).toBeLessThanOrEqual(1)
    expect(['succeeded', 'unknown']).toContain(results[0]?.outcome)
    expect(results[0]?.outcome === 'succeeded').toBe(simulator.runsCreated(8290) === 1)
  })

  test.each([
    ['provider', 'http://provider', true],
    ['PROVIDER', 'http://provider', true],
    ['other, provider', 'http://provider', true],
    ['provider:80', 'http://provider', true],
    ['*', 'http://provider', true],
    ['.company.test', 'https://app.company.test', true],
    ['company.test', 'https://app.company.test', true],
    ['vider', 'http://provider', false],
    ['provider:81', 'http://provider', false],
    ['ompany.test', 'https://app.company.test', false],
    ['app.company', 'https://app.company.test', false],
    ['', 'http://provider', false],
  ])('proxy-bypass: with NO_PROXY="%s" the proxy of %s is passed by: %s', async (noProxy, baseUrl, isPassedBy) => {
    await using own = await proxy((socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    const address = `http://${own.address}`
    const { results } = await play({
      simulator: soon,
      with: { 'base-url': baseUrl, 'outage-tolerance-minutes': '0' },
      options: { env: { http_proxy: address, HTTPS_PROXY: address, NO_PROXY: noProxy } },
    })
    // Past the proxy there is no host of this name.
    expect(results[0]?.reason.includes('the proxy did not connect')).toBe(!isPassedBy)
    expect(own.asked.length > 0).toBe(!isPassedBy)
  })

  test('proxy-silent: behind a proxy that does not answer CONNECT nothing was sent', async () => {
    await using own = await proxy(() => {})
    expect(await failureOf('POST', 'http://provider', { http_proxy: `http://${own.address}` }, 15_000)).toMatch(
      /^not sent: /,
    )
  })

  test('proxy-silent-end: a step whose proxy does not answer ends all the same', async () => {
    await using own = await proxy(() => {})
    let wasOver = true
    const { step } = await play({
      simulator: soon,
      with: { 'base-url': 'http://provider', 'timeout-minutes': '0.05' },
      options: {
        env: { http_proxy: `http://${own.address}` },
        onLine: (line) => {
          if (!line.includes('not started:')) return
          const patience = setTimeout(() => {
            wasOver = false
            for (const socket of own.sockets) socket.destroy()
          }, 10_000)
          patience.unref()
        },
      },
    })
    expect(step.exitCode).toBe(1)
    expect(wasOver).toBe(true)
  })

  test('proxy-407-at-once: a proxy that wants a password is told at once, and not asked again', async () => {
    await using own = await proxy((socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
    const { results } = await play({
      simulator: soon,
      with: { 'base-url': 'http://provider', 'timeout-minutes': '0.1' },
      options: { env: { http_proxy: `http://${own.address}` } },
    })
    expect(results[0]?.reason).toContain('407')
    expect(own.asked).toHaveLength(1)
  })
})

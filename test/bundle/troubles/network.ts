import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { certificate } from '../../faults/certificates.ts'
import { freePort, opened } from '../../faults/support.ts'
import { completesAfter, type Fault, Simulator } from '../../simulator/index.ts'
import { alone, first, HASTE, step, type Trouble } from './scene.ts'

const HASTY = { 'outage-tolerance-minutes': '0' }

/** The way to the provider. */
export const NETWORK: readonly Trouble[] = [
  {
    name: 'a host that nobody knows',
    texts: ['the host name is not known (ENOTFOUND)'],
    // What a name server says, whether or not there is one where this runs.
    show: () =>
      alone(
        { 'base-url': 'https://app.getcensus.test' },
        {
          env: first(`
            import dns from 'node:dns'
            const unknown = (host) => Object.assign(new Error('getaddrinfo ENOTFOUND ' + host), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
            dns.lookup = (host, options, callback) => setImmediate(callback, unknown(host))
          `),
        },
      ),
  },
  {
    name: 'nobody listens there',
    texts: ['the connection was refused (ECONNREFUSED)'],
    show: async () => await alone({ ...HASTY, 'base-url': `http://127.0.0.1:${await freePort()}` }),
  },
  {
    name: 'an outage that is over soon',
    texts: ['…: the provider is asked again, less and less often'],
    show: () => {
      const simulator = new Simulator({ syncs: [1, 2, 3, 4, 5, 6].map((id) => ({ id, timeline: completesAfter(0) })) })
      let left = 6
      simulator.faults.push(() => (left-- > 0 ? { kind: 'respond', status: 503 } : undefined))
      return step({ simulator, options: { env: HASTE } })
    },
  },
  {
    name: 'answers that break off or make no sense',
    texts: [
      'the connection was closed before the whole answer had come (ECONNRESET)',
      'the provider is not available (HTTP …)',
      'an answer that makes no sense (HTTP …)',
      'asked for run …, the answer is about another one',
      'its run cannot be read for now: …',
    ],
    show: () => {
      const simulator = new Simulator({
        syncs: [8001, 8002, 8003, 8004].map((id) => ({ id, timeline: completesAfter(100) })),
      })
      const answers: Record<number, Fault> = {
        8001: { kind: 'reset', when: 'before' },
        8002: { kind: 'respond', status: 503 },
        8003: { kind: 'respond', status: 200, body: '{}' },
      }
      simulator.faults.push((_, { operation, id }) => {
        if (operation === 'list-runs') return answers[id]
        const data = { id: 1, status: 'completed' }
        return operation === 'read-run' ? { kind: 'respond', status: 200, body: JSON.stringify({ data }) } : undefined
      })
      return step({ simulator, with: HASTY })
    },
  },
  {
    name: 'a firewall that swallows connections',
    texts: ['no connection within 10 s'],
    show: async () => {
      // It takes the connection, and never says the first word of TLS.
      await using wall = await opened(createServer(() => {}))
      return await alone({ ...HASTY, 'base-url': `https://localhost:${wall.port}` }, { env: HASTE })
    },
  },
  {
    name: 'a server that never answers',
    texts: ['no answer within … s'],
    show: async () => {
      await using silent = await opened(createHttpServer(() => {}))
      return await alone({ ...HASTY, 'base-url': `http://127.0.0.1:${silent.port}` }, { env: HASTE })
    },
  },
  {
    name: 'a certificate that nobody vouches for, and checks switched off',
    texts: ['the certificate is not trusted (…); …', 'NODE_TLS_REJECT_UNAUTHORIZED=0 is not followed: …'],
    show: async () => {
      const { key, cert } = certificate('localhost')
      const server = createTlsServer({ key, cert }).on('tlsClientError', () => {})
      await using own = await opened(server)
      return await alone(
        { 'base-url': `https://localhost:${own.port}` },
        { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
      )
    },
  },
  {
    name: 'a proxy that wants a password',
    texts: ['the proxy did not connect'],
    show: async () => {
      const server = createHttpServer().on('connect', (_request, socket) =>
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
      )
      await using proxy = await opened(server)
      return await alone(
        { 'base-url': 'https://app.getcensus.test' },
        { env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } },
      )
    },
  },
]

/** The stand-in on a real port. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import type { Delivery, SentResponse } from '../simulator/faults.ts'
import type { GitHub } from './github.ts'

export interface GitHubServer extends AsyncDisposable {
  /** Of the REST API, prefix included, without a slash at the end: what a runner has in `GITHUB_API_URL`. */
  readonly url: string
  /** What a runner has in `GITHUB_GRAPHQL_URL`. */
  readonly graphqlUrl: string
}

export async function serveGitHub(github: GitHub): Promise<GitHubServer> {
  const closing = new AbortController()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A wait cut short by the end of the test, or a client that left before its request was whole.
      if (closing.signal.aborted || !request.complete) return
      response.destroy()
      throw error
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const delivery = github.handle({ method, url, headers, body: await text(request) })
    if (delivery.delayMs > 0) await wait(delivery.delayMs, undefined, { signal: closing.signal })
    await act(delivery, response, closing.signal)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('GitHub: the server has no port.')

  async function close(): Promise<void> {
    if (closing.signal.aborted) return
    closing.abort()
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  const origin = `http://127.0.0.1:${address.port}`
  const { restPath, graphqlPath } = github
  return { url: `${origin}${restPath}`, graphqlUrl: `${origin}${graphqlPath}`, [Symbol.asyncDispose]: close }
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
      response.end(begin(delivery, response))
      return
    case 'truncated': {
      const body = begin(delivery, response, delivery.length)
      const half = body.subarray(0, Math.floor(body.length / 2))
      if (delivery.length === 'undeclared') response.end(half)
      else response.write(half, () => response.socket?.end())
      return
    }
    case 'trickled':
      for (const byte of begin(delivery, response)) {
        if (response.destroyed) return
        response.write(Buffer.of(byte))
        await wait(delivery.everyMs, undefined, { signal })
      }
      response.end()
      return
  }
}

/** Writes the head and returns the body. */
function begin(sent: SentResponse, response: ServerResponse, length: 'declared' | 'undeclared' = 'declared'): Buffer {
  const body = sent.bytes === undefined ? Buffer.from(sent.body) : Buffer.from(sent.bytes)
  // The stand-in dates its responses itself, by its own clock.
  response.sendDate = false
  response.statusCode = sent.status
  for (const [name, value] of Object.entries(sent.headers)) {
    if (value !== undefined) response.setHeader(name, value)
  }
  if (length === 'undeclared') response.setHeader('connection', 'close')
  else if (body.length > 0 && !response.hasHeader('content-length')) response.setHeader('content-length', body.length)
  return body
}

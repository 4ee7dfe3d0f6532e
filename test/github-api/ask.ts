/** How the tests of the stand-in talk to it: plain `fetch`, and nothing of the action. */
import { isRecord } from '../simulator/exchange.ts'
import { GitHub, type GitHubOptions, serveGitHub } from './index.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The body, parsed where it is JSON. */
  readonly body: unknown
}

export interface Asking {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export type Ask = (path: string, asking?: Asking) => Promise<Reply>

export interface Served extends AsyncDisposable {
  readonly github: GitHub
  readonly url: string
  /** Below the repository, or any address that a link gave. */
  readonly ask: Ask
}

/** A clock that a test sets: fifteen seconds past a full minute, so that whole seconds are seen to be kept. */
export const START = Date.UTC(2026, 2, 11, 12, 0, 15)

export async function served(options: GitHubOptions = {}): Promise<Served> {
  const github = new GitHub({ now: () => START, ...options })
  const server = await serveGitHub(github)
  const { repository, token } = github.settings

  const ask: Ask = async (path, { method = 'GET', body, headers, signal } = {}) => {
    const address = path.startsWith('http') ? path : `${server.url}/repos/${repository}${path}`
    const response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${token}`, 'user-agent': 'test', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.startsWith('application/json') === true
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text }
  }

  return { github, url: server.url, ask, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** What `Link` says, by relation, in its order. */
export function linksOf({ headers }: Reply): Record<string, string> {
  const links = [...(headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)]
  return Object.fromEntries(links.map(([, url = '', rel = '']) => [rel, url]))
}

/** One field of every item of a list. */
export function column({ body }: Reply, name: string): unknown[] {
  if (!Array.isArray(body)) throw new Error('not a list')
  return body.map((item: unknown) => (isRecord(item) ? item[name] : undefined))
}

/** Everything from here to the last page, by the links alone. */
export async function followed(ask: Ask, path: string, name: string): Promise<unknown[][]> {
  const pages: unknown[][] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const reply: Reply = await ask(next)
    pages.push(column(reply, name))
    next = linksOf(reply).next
  }
  return pages
}

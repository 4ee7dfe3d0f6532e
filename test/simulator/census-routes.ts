/** The part of the Census API that the simulator knows, as a table. Paths and methods: documented. */
import type { ParsedRequest } from './exchange.ts'

export type Version = 'v1' | 'v2'

export type Operation =
  | 'trigger'
  | 'cancel-run'
  | 'read-run'
  | 'list-runs'
  | 'read-sync'
  | 'list-syncs'
  | 'list-destinations'
  | 'list-activations'
  | 'read-workspace'

interface Route {
  readonly operation: Operation
  readonly method: 'GET' | 'POST'
  /** Below `/api/{version}`; `:id` stands for a number. */
  readonly pattern: string
  readonly versions: readonly Version[]
  readonly query: readonly string[]
}

/** Where a request leads. */
export type Match =
  | {
      readonly kind: 'route'
      readonly operation: Operation
      readonly version: Version
      readonly id: number
      readonly query: readonly string[]
    }
  | {
      readonly kind: 'stray'
      readonly version: Version | undefined
      readonly status: 404 | 405
      readonly problem: string
    }

const BOTH: readonly Version[] = ['v1', 'v2']
const PAGED: readonly string[] = ['page', 'per_page', 'order']

// The V2 forms of the reads are inferred, from the same tree of documentation pages. `/workspace` is known for V1 only.
const ROUTES: readonly Route[] = [
  { operation: 'trigger', method: 'POST', pattern: '/syncs/:id/trigger', versions: BOTH, query: ['force_full_sync'] },
  { operation: 'cancel-run', method: 'POST', pattern: '/sync_runs/:id/cancel', versions: BOTH, query: [] },
  { operation: 'read-run', method: 'GET', pattern: '/sync_runs/:id', versions: BOTH, query: [] },
  { operation: 'list-runs', method: 'GET', pattern: '/syncs/:id/sync_runs', versions: BOTH, query: PAGED },
  { operation: 'read-sync', method: 'GET', pattern: '/syncs/:id', versions: BOTH, query: [] },
  { operation: 'list-syncs', method: 'GET', pattern: '/syncs', versions: BOTH, query: PAGED },
  { operation: 'list-destinations', method: 'GET', pattern: '/destinations', versions: ['v1'], query: PAGED },
  { operation: 'list-activations', method: 'GET', pattern: '/activations', versions: ['v2'], query: PAGED },
  { operation: 'read-workspace', method: 'GET', pattern: '/workspace', versions: ['v1'], query: [] },
]

export function findRoute({ method, path }: ParsedRequest): Match {
  const version = path.startsWith('/api/v1/') ? 'v1' : path.startsWith('/api/v2/') ? 'v2' : undefined
  const unknown: Match = { kind: 'stray', version, status: 404, problem: 'unknown route' }
  if (version === undefined) return unknown
  const tail = path.slice('/api/v1'.length)
  const here = ROUTES.filter(
    (route) => route.versions.includes(version) && placeholder(route.pattern, tail) !== undefined,
  )
  const route = here.find((candidate) => candidate.method === method)
  const [other] = here
  if (other === undefined) return unknown
  if (route === undefined) return { kind: 'stray', version, status: 405, problem: `wrong method, not ${other.method}` }
  const id = placeholder(route.pattern, tail) ?? ''
  if (route.pattern.includes(':id') && !/^[1-9]\d{0,14}$/.test(id)) {
    return { kind: 'stray', version, status: 404, problem: `malformed id "${id}" in the path` }
  }
  // Which V2 requests need `group_id` is unknown, so all of them may carry it.
  const query = version === 'v2' ? [...route.query, 'group_id'] : route.query
  return { kind: 'route', operation: route.operation, version, id: Number(id), query }
}

/** What stands in the place of `:id`; empty where the pattern has none, `undefined` where it does not fit. */
function placeholder(pattern: string, tail: string): string | undefined {
  const found = new RegExp(`^${pattern.replace(':id', '([^/]*)')}$`).exec(tail)
  return found === null ? undefined : (found[1] ?? '')
}

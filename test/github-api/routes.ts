/** The part of the API that the stand-in knows, as a table. Paths, methods and parameters: documented. */
import type { ParsedRequest } from '../simulator/exchange.ts'

export type Operation =
  | 'get-repo'
  | 'list-issues'
  | 'create-issue'
  | 'get-issue'
  | 'update-issue'
  | 'list-comments'
  | 'create-comment'
  | 'get-comment'
  | 'update-comment'
  | 'delete-comment'
  | 'list-files'
  | 'viewer'

export interface Route {
  readonly operation: Operation
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the repository; `:id` stands for a number. */
  readonly pattern: string
  readonly query: readonly string[]
  /** The page of GitHub's documentation that its refusals name. */
  readonly docs: string
}

/** Where a request leads. */
export type Match =
  | {
      readonly kind: 'route'
      readonly route: Route
      /** `owner/name` or the id, as in the path; empty for GraphQL. */
      readonly repository: string
      /** What follows the repository in the path. */
      readonly tail: string
      /** The number of an issue or pull request, the id of a comment, or 0. */
      readonly id: number
    }
  | { readonly kind: 'stray'; readonly problem: string }

const REST = 'https://docs.github.com/rest'
const ISSUES = `${REST}/issues/issues`
const COMMENTS = `${REST}/issues/comments`
const PAGED = ['per_page', 'page']
// `after` and `before` are not documented for this list, but they are what its links hold.
const LISTED = [...PAGED, 'after', 'before', 'state', 'creator', 'labels', 'sort', 'direction', 'since']
const NONE: readonly string[] = []

const ALL = '/issues'
const ONE = '/issues/:id'
const TALK = '/issues/:id/comments'
const COMMENT = '/issues/comments/:id'

function route(
  operation: Operation,
  method: Route['method'],
  pattern: string,
  docs: string,
  query: readonly string[] = NONE,
): Route {
  return { operation, method, pattern, query, docs }
}

const ROUTES: readonly Route[] = [
  route('get-repo', 'GET', '', `${REST}/repos/repos#get-a-repository`),
  route('list-issues', 'GET', ALL, `${ISSUES}#list-repository-issues`, LISTED),
  route('create-issue', 'POST', ALL, `${ISSUES}#create-an-issue`),
  route('get-issue', 'GET', ONE, `${ISSUES}#get-an-issue`),
  route('update-issue', 'PATCH', ONE, `${ISSUES}#update-an-issue`),
  route('list-comments', 'GET', TALK, `${COMMENTS}#list-issue-comments`, [...PAGED, 'since']),
  route('create-comment', 'POST', TALK, `${COMMENTS}#create-an-issue-comment`),
  route('get-comment', 'GET', COMMENT, `${COMMENTS}#get-an-issue-comment`),
  route('update-comment', 'PATCH', COMMENT, `${COMMENTS}#update-an-issue-comment`),
  route('delete-comment', 'DELETE', COMMENT, `${COMMENTS}#delete-an-issue-comment`),
  route('list-files', 'GET', '/pulls/:id/files', `${REST}/pulls/pulls#list-pull-requests-files`, PAGED),
]

const GRAPHQL = route(
  'viewer',
  'POST',
  '/graphql',
  'https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql',
)

/** On GitHub Enterprise Server it is not below the REST API but beside it. */
export function graphqlPath(prefix: string): string {
  return `${prefix.replace(/\/v3$/, '')}/graphql`
}

export function findRoute({ method, path }: ParsedRequest, prefix: string): Match {
  if (path === graphqlPath(prefix)) {
    if (method !== GRAPHQL.method) return { kind: 'stray', problem: `wrong method, not ${GRAPHQL.method}` }
    return { kind: 'route', route: GRAPHQL, repository: '', tail: '', id: 0 }
  }
  const below = path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : ''
  // Links lead by the id of the repository, so clients come that way too.
  const found = /^\/(?:repos\/([^/]+\/[^/]+)|repositories\/(\d+))(\/.*)?$/.exec(below)
  if (found === null) return { kind: 'stray', problem: 'unknown route' }
  const [, name, id, tail = ''] = found
  return matchTail(method, name ?? id ?? '', tail)
}

function matchTail(method: string, repository: string, tail: string): Match {
  const here = ROUTES.filter((candidate) => placeholder(candidate.pattern, tail) !== undefined)
  if (here.length === 0) return { kind: 'stray', problem: 'unknown route' }
  const found = here.find((candidate) => candidate.method === method)
  if (found === undefined) {
    return { kind: 'stray', problem: `wrong method, not ${here.map((candidate) => candidate.method).join(' or ')}` }
  }
  const id = placeholder(found.pattern, tail) ?? ''
  if (found.pattern.includes(':id') && !/^[1-9]\d{0,14}$/.test(id)) {
    return { kind: 'stray', problem: `malformed id "${id}" in the path` }
  }
  return { kind: 'route', route: found, repository, tail, id: Number(id) }
}

/** What stands in the place of `:id`; empty where the pattern has none, `undefined` where it does not fit. */
function placeholder(pattern: string, tail: string): string | undefined {
  const found = new RegExp(`^${pattern.replace(':id', '([^/]*)')}$`).exec(tail)
  return found === null ? undefined : (found[1] ?? '')
}

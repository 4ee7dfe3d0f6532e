/** The stand-in: one repository, the REST API over it, faults on demand, and a record of all requests. */
import {
  type HeaderFields,
  header,
  lowerCased,
  type ParsedRequest,
  parseRequest,
  type SimulatedRequest,
} from '../simulator/exchange.ts'
import { type Answer, type Delivery, deliver, type Fault, type SentResponse } from '../simulator/faults.ts'
import { notFound } from './answers.ts'
import { createComment, deleteComment, getComment, listComments, updateComment } from './comments.ts'
import type { Exchange, Handler } from './exchange.ts'
import { type Call, exceeded, type FaultMatch, type FaultRule, failing } from './faults.ts'
import { refuse } from './gate.ts'
import { createIssue, getIssue, listIssues, updateIssue } from './issues.ts'
import { type GitHubOptions, type Settings, settingsFrom } from './options.ts'
import { getRepository, listFiles, viewer } from './others.ts'
import { acceptedPermissions, forbidden } from './permissions.ts'
import { RateLimit } from './rate-limit.ts'
import { findRoute, graphqlPath, type Match, type Operation } from './routes.ts'
import { World } from './world.ts'

export interface LoggedRequest {
  readonly method: string
  /** Path and query, as on the request line. */
  readonly path: string
  readonly operation: Call['operation']
  readonly id: number
  readonly headers: HeaderFields
  readonly body: string
  /** The status sent, or 0 where no response left. */
  readonly status: number
  readonly fault: Fault['kind'] | undefined
  /** On the clock of `now()`. */
  readonly at: number
}

const HANDLERS: Readonly<Record<Operation, Handler>> = {
  'get-repo': getRepository,
  'list-issues': listIssues,
  'create-issue': createIssue,
  'get-issue': getIssue,
  'update-issue': updateIssue,
  'list-comments': listComments,
  'create-comment': createComment,
  'get-comment': getComment,
  'update-comment': updateComment,
  'delete-comment': deleteComment,
  'list-files': listFiles,
  viewer,
}

export class GitHub extends World {
  /** Asked in order for every request; the first fault named strikes. */
  readonly faults: FaultRule[] = []
  readonly requests: LoggedRequest[] = []
  /** What no correct client would ever send. Tests assert that it is empty. */
  readonly problems: string[] = []
  readonly settings: Settings

  readonly #limit: RateLimit | undefined
  readonly #calls = new Map<string, number>()

  constructor(options: GitHubOptions = {}) {
    const settings = settingsFrom(options)
    super(settings.now)
    this.settings = settings
    this.#limit = settings.rateLimit === 'none' ? undefined : new RateLimit(settings.rateLimit, settings.now)
  }

  /** Where the REST API is mounted. */
  get restPath(): string {
    return this.settings.prefix
  }

  get graphqlPath(): string {
    return graphqlPath(this.settings.prefix)
  }

  /** Lets `fault` strike the next `times` requests that match. Several calls queue up. */
  failNext(match: FaultMatch, fault: Fault, times = 1): void {
    this.faults.push(failing(match, fault, times))
  }

  handle(incoming: SimulatedRequest): Delivery {
    const request = parseRequest(incoming)
    const match = findRoute(request, this.settings.prefix)
    const call = this.#count(match)
    const fault = this.#faultFor(request, call)
    const delivery = deliver(
      fault,
      () => this.#complete(this.#respond(request, match)),
      (answer) => this.#complete(answer),
    )
    this.requests.push({
      method: request.method,
      path: incoming.url,
      operation: call.operation,
      id: call.id,
      headers: request.headers,
      body: request.body,
      status: 'status' in delivery ? delivery.status : 0,
      fault: fault?.kind,
      at: this.settings.now(),
    })
    return delivery
  }

  #faultFor(request: ParsedRequest, call: Call): Fault | undefined {
    for (const rule of this.faults) {
      const fault = rule(request, call)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #count(match: Match): Call {
    const operation = match.kind === 'route' ? match.route.operation : 'stray'
    const nth = (this.#calls.get(operation) ?? 0) + 1
    this.#calls.set(operation, nth)
    return { operation, id: match.kind === 'route' ? match.id : 0, nth }
  }

  #respond(request: ParsedRequest, match: Match): Answer {
    const { method, path } = request
    const problem = (text: string): void => {
      this.problems.push(`${method} ${path}: ${text}`)
    }
    const refusal = refuse(request, match, this.settings, problem)
    if (refusal !== undefined || match.kind === 'stray') return refusal ?? notFound('https://docs.github.com/rest')
    const { operation, query } = match.route
    for (const name of new Set(request.query.keys())) {
      if (!query.includes(name)) problem(`unknown parameter "${name}"`)
    }
    const taken = this.#limit?.take(operation === 'viewer' ? 'graphql' : 'core')
    if (taken?.exceeded) return exceeded(403, taken.headers)
    const answer = this.#answer({ request, match, problem })
    const version = header(request.headers, 'x-github-api-version') || '2022-11-28'
    const accepted = operation === 'viewer' ? {} : { 'x-accepted-github-permissions': acceptedPermissions(operation) }
    const usual = { 'x-github-api-version-selected': version, 'x-github-media-type': 'github.v3; format=json' }
    return { ...answer, headers: { ...answer.headers, ...usual, ...accepted, ...taken?.headers } }
  }

  #answer({ request, match, problem }: Pick<Exchange, 'request' | 'match' | 'problem'>): Answer {
    const { settings } = this
    const { route, repository } = match
    const { operation, docs } = route
    const known = [settings.repository.toLowerCase(), String(settings.repositoryId)]
    if (operation !== 'viewer' && !known.includes(repository.toLowerCase())) return notFound(docs)
    const number = route.pattern.includes('/comments/:id') ? this.state.comment(match.id)?.issue : match.id
    const target = number === undefined ? undefined : this.state.issue(number)
    const forbids = forbidden(route, settings, target?.isPullRequest)
    if (forbids !== undefined) return forbids
    const root = `http://${header(request.headers, 'host') || 'localhost'}${settings.prefix}`
    const places = {
      root,
      api: `${root}/repos/${settings.repository}`,
      html: `${settings.htmlUrl}/${settings.repository}`,
    }
    return HANDLERS[operation]({ request, match, settings, state: this.state, places, problem })
  }

  #complete({ status, headers = {}, body = '', bytes }: Answer): SentResponse {
    const date = new Date(this.settings.now()).toUTCString()
    const id = `0A01:2B3C4D:${(this.requests.length + 1).toString(16).toUpperCase().padStart(6, '0')}`
    const fields = { date, server: 'github.com', 'x-github-request-id': id, ...lowerCased(headers) }
    return { status, headers: fields, body, ...(bytes !== undefined && { bytes }) }
  }
}

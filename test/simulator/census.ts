/** The Census API, V1 and V2, over the run state machine. */
import { type AccessOptions, DEFAULT_ACCESS, refuseAccess, refuseVersion } from './census-access.ts'
import { pageOf, pageProblem } from './census-page.ts'
import { destinationPayload, type PayloadOptions, runPayload, syncPayload } from './census-payload.ts'
import type { Match, Operation, Version } from './census-routes.ts'
import { fullSyncRequest } from './census-trigger.ts'
import { jsonResponse, type ParsedRequest, type SimulatedResponse } from './exchange.ts'
import type { Machine } from './machine.ts'
import type { RunView, TriggerResult } from './run.ts'
import type { Destination, SyncSettings } from './sync.ts'

export interface CensusOptions extends AccessOptions, PayloadOptions {
  /** The HTTP status that goes with `{"status":"error","message":…}` on a refused trigger: unknown, so configurable. */
  readonly triggerErrorStatus: number
  /** What cancelling an ended run answers: unknown, so configurable. */
  readonly cancelSettled: 'accepted' | 'not-found'
  readonly workspace: { readonly id: number; readonly name: string; readonly organizationId: number }
}

export const DEFAULT_CENSUS: CensusOptions = {
  ...DEFAULT_ACCESS,
  runKeys: 'recorded',
  v2ConnectionIds: 'number',
  triggerErrorStatus: 200,
  cancelSettled: 'accepted',
  workspace: { id: 5120, name: 'Shop', organizationId: 2210 },
}

export interface CensusParts {
  readonly machine: Machine
  readonly destinations: readonly Destination[]
  readonly options: CensusOptions
  /** What the vendor's clock shows beyond the clock of the machine. */
  readonly skewMs: number
  /** The moment from which the ages of syncs are reckoned. */
  readonly epoch: number
  /** Takes note of what no correct client would do. */
  readonly problem: (text: string) => void
}

type Route = Extract<Match, { kind: 'route' }>

/** Documented: an integer and no message. */
const NOT_FOUND = jsonResponse(404, { status: 404 })
const SYNC_AGE_MS = 41 * 24 * 3_600_000

export class Census {
  readonly #parts: CensusParts

  constructor(parts: CensusParts) {
    this.#parts = parts
  }

  respond(request: ParsedRequest, match: Match): SimulatedResponse {
    const { options } = this.#parts
    const refused = refuseVersion(match.version, options)
    if (refused !== undefined) return refused
    if (match.kind === 'stray') {
      this.#note(request, match.problem)
      return match.status === 404 ? NOT_FOUND : jsonResponse(405, { status: 405 })
    }
    const denied = refuseAccess(request, match.version, options)
    if (denied !== undefined) return denied
    const problem = requestProblem(request, match)
    if (problem !== undefined) {
      this.#note(request, problem)
      return jsonResponse(400, { status: 'error', message: `Bad request: ${problem}` })
    }
    return this.#operations[match.operation](request, match)
  }

  readonly #operations: Record<Operation, (request: ParsedRequest, route: Route) => SimulatedResponse> = {
    trigger: (request, { id }) => this.#withSync(id, (sync) => this.#trigger(sync, request)),
    'cancel-run': (_, { id }) => this.#cancel(id),
    'read-run': (_, { id }) => this.#readRun(id),
    'list-runs': (request, { id }) => this.#withSync(id, (sync) => this.#listRuns(sync, request)),
    'read-sync': (_, { id, version }) => this.#withSync(id, (sync) => success(this.#sync(sync, version))),
    'list-syncs': (request, { version }) => this.#listSyncs(request, version),
    'list-destinations': (request, { version }) => this.#listDestinations(request, version),
    'list-activations': (request, { version }) => this.#listDestinations(request, version),
    'read-workspace': () => this.#readWorkspace(),
  }

  #trigger(sync: SyncSettings, request: ParsedRequest): SimulatedResponse {
    const result = this.#parts.machine.trigger(sync.id, fullSyncRequest(request).value)
    // Documented: trigger replies carry the id as `sync_run_id`, and nothing else.
    return result.kind === 'run' ? success({ sync_run_id: result.run.id }) : this.#refuseTrigger(sync, result)
  }

  #refuseTrigger(sync: SyncSettings, { because }: Extract<TriggerResult, { kind: 'refused' }>): SimulatedResponse {
    const { triggerErrorStatus } = this.#parts.options
    const messages = {
      paused: 'This sync is paused.',
      running: 'This sync is already running.',
      'full-sync-unsupported': 'This sync does not support full syncs.',
    }
    const collision = sync.onCollision === 'conflict-409' ? 409 : 200
    const status = because === 'running' ? collision : triggerErrorStatus
    return jsonResponse(status, { status: 'error', message: messages[because] })
  }

  /** Documented: the reply speaks of a cancelled run at once, whatever the run itself does next. */
  #cancel(runId: number): SimulatedResponse {
    const result = this.#parts.machine.cancel(runId)
    const missing = result === 'missing' || result === 'refused'
    if (missing || (result === 'already-settled' && this.#parts.options.cancelSettled === 'not-found')) return NOT_FOUND
    return jsonResponse(200, { status: 'cancelled', data: {} })
  }

  #readRun(runId: number): SimulatedResponse {
    const run = this.#parts.machine.run(runId)
    return run === undefined ? NOT_FOUND : success(this.#run(run))
  }

  #listRuns(sync: SyncSettings, request: ParsedRequest): SimulatedResponse {
    const runs = this.#parts.machine.listedRuns(sync.id).map((run) => this.#run(run))
    return jsonResponse(200, pageOf(runs, request))
  }

  #listSyncs(request: ParsedRequest, version: Version): SimulatedResponse {
    const syncs = this.#parts.machine.syncs().map((sync) => this.#sync(sync, version))
    return jsonResponse(200, pageOf(syncs, request))
  }

  #listDestinations(request: ParsedRequest, version: Version): SimulatedResponse {
    const destinations = this.#parts.destinations.map((destination) => destinationPayload(destination, version))
    return jsonResponse(200, pageOf(destinations, request))
  }

  /** Known from third-party code only. */
  #readWorkspace(): SimulatedResponse {
    const { options, epoch, skewMs } = this.#parts
    const { id, name, organizationId } = options.workspace
    const createdAt = new Date(epoch + skewMs - 2 * SYNC_AGE_MS).toISOString()
    return success({ id, name, organization_id: organizationId, created_at: createdAt })
  }

  #run(run: RunView): unknown {
    return runPayload(run, this.#parts.skewMs, this.#parts.options)
  }

  #sync(sync: SyncSettings, version: Version): unknown {
    const { machine, destinations, options, epoch, skewMs } = this.#parts
    return syncPayload(sync, {
      version,
      options,
      destination: destinations.find(({ id }) => id === sync.destination.connectionId),
      runs: machine.listedRuns(sync.id),
      createdAt: epoch + skewMs - SYNC_AGE_MS,
    })
  }

  #withSync(id: number, answer: (sync: SyncSettings) => SimulatedResponse): SimulatedResponse {
    const sync = this.#parts.machine.sync(id)
    return sync === undefined ? NOT_FOUND : answer(sync)
  }

  #note({ method, path }: ParsedRequest, problem: string): void {
    this.#parts.problem(`${method} ${path}: ${problem}`)
  }
}

function success(data: unknown): SimulatedResponse {
  return jsonResponse(200, { status: 'success', data })
}

/** Stricter than the vendor, who is believed to ignore what it does not know: tests shall hear of it. */
function requestProblem(request: ParsedRequest, route: Route): string | undefined {
  const names = [...request.query.keys()]
  const stranger = names.find((name) => !route.query.includes(name))
  if (stranger !== undefined) return `unknown query parameter ${stranger}`
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) return `query parameter ${twice} occurs twice`
  if (route.operation === 'trigger') return fullSyncRequest(request).problem
  if (request.body !== '') return 'unexpected body'
  return pageProblem(request.query)
}

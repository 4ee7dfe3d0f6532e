/** The simulated provider: syncs, runs, the Census API over them, faults on demand, and a record of all requests. */
import { Census, type CensusOptions, DEFAULT_CENSUS } from './census.ts'
import { findRoute, type Match, type Version } from './census-routes.ts'
import { fullSyncRequest } from './census-trigger.ts'
import { type HeaderFields, lowerCased, type ParsedRequest, parseRequest, type SimulatedRequest } from './exchange.ts'
import {
  type Answer,
  type Call,
  type Delivery,
  deliver,
  type Fault,
  type FaultMatch,
  type FaultRule,
  failing,
  type SentResponse,
} from './faults.ts'
import { Machine, type MachineOptions } from './machine.ts'
import type { RunView, StartedRun } from './run.ts'
import type { Destination, SyncSettings } from './sync.ts'
import type { Timeline } from './timeline.ts'

export interface SimulatorOptions extends Partial<MachineOptions>, Partial<CensusOptions> {
  readonly syncs?: readonly (Partial<SyncSettings> & { readonly id: number })[]
  readonly destinations?: readonly Destination[]
  /** How far the vendor's clock is ahead of `now()`; it dates responses and runs. */
  readonly clockSkewMs?: number
}

export interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: HeaderFields
  readonly body: string
  /** On the clock of `now()`. */
  readonly at: number
  readonly operation: Call['operation']
  /** The status sent, or 0 where no response left the simulator. */
  readonly status: number
  readonly fault: Fault['kind'] | undefined
  /** Where a trigger put `force_full_sync`. */
  readonly fullSyncFrom: 'query' | 'body' | undefined
}

const DESTINATION: Destination = {
  id: 640011,
  activationId: 'gentle_harbour',
  name: 'CRM',
  connectionDetails: { account_email: 'integration@shop.example' },
}

export class Simulator {
  /** Asked in order for every request; the first fault named strikes. */
  readonly faults: FaultRule[] = []
  readonly requests: LoggedRequest[] = []
  /** What no correct client would ever do. Tests assert that it is empty. */
  readonly problems: string[] = []

  readonly #machine: Machine
  readonly #census: Census
  readonly #options: CensusOptions
  readonly #clock: () => number
  /** The instant of the request that is being answered. */
  #instant: number | null = null
  readonly #skewMs: number
  readonly #calls = new Map<string, number>()

  constructor(options: SimulatorOptions = {}) {
    const { syncs = [], destinations = [DESTINATION], clockSkewMs = 0, ...rest } = options
    this.#clock = options.now ?? Date.now
    this.#skewMs = clockSkewMs
    this.#options = { ...DEFAULT_CENSUS, ...rest }
    this.#machine = new Machine({ ...rest, now: () => this.#now() })
    this.#census = new Census({
      machine: this.#machine,
      destinations,
      options: this.#options,
      skewMs: clockSkewMs,
      epoch: this.#now(),
      problem: (text) => this.problems.push(text),
    })
    for (const sync of syncs) this.addSync(sync)
  }

  /** The token that this version takes by default. */
  token(version: Version = 'v1'): string {
    return version === 'v1' ? this.#options.workspaceKey : this.#options.personalAccessToken
  }

  addSync(settings: Partial<SyncSettings> & { readonly id: number }): void {
    this.#machine.addSync(settings)
  }

  changeSync(id: number, changes: Partial<Omit<SyncSettings, 'id'>>): void {
    this.#machine.changeSync(id, changes)
  }

  removeSync(id: number): void {
    this.#machine.removeSync(id)
  }

  syncs(): SyncSettings[] {
    return this.#machine.syncs()
  }

  /** Timelines for the next triggered runs of a sync, in order. */
  script(syncId: number, ...timelines: readonly Timeline[]): void {
    this.#machine.script(syncId, ...timelines)
  }

  /** A run that somebody else started, starts or will start. Returns its id. */
  startRun(syncId: number, started: StartedRun = {}): number {
    return this.#machine.startRun(syncId, started)
  }

  /** Every run of a sync created until now, oldest first, hidden ones too. */
  runs(syncId: number): RunView[] {
    return this.#machine.runs(syncId)
  }

  /** Runs that exist because of trigger calls, skipped ones included. */
  runsCreated(syncId: number): number {
    return this.#machine.runsCreated(syncId)
  }

  /** Trigger calls that took effect or were refused by the vendor, but not those a fault kept away from it. */
  triggerCalls(syncId: number): number {
    return this.#machine.triggerCalls(syncId)
  }

  /** Lets `fault` strike the next `times` requests that match. Several calls queue up. */
  failNext(match: FaultMatch, fault: Fault, times = 1): void {
    this.faults.push(failing(match, fault, times))
  }

  handle(incoming: SimulatedRequest): Delivery {
    const request = parseRequest(incoming)
    const match = findRoute(request)
    const call = this.#count(match)
    const fault = this.#faultFor(request, call)
    this.#instant = this.#clock()
    try {
      const delivery = deliver(
        fault,
        () => this.#dated(this.#census.respond(request, match)),
        (answer) => this.#dated(answer),
      )
      this.#log(request, call, delivery, fault)
      return delivery
    } finally {
      this.#instant = null
    }
  }

  /** What a request is answered, dated and logged with is one instant: a busy machine may take a moment between the three. */
  #now(): number {
    return this.#instant ?? this.#clock()
  }

  #faultFor(request: ParsedRequest, call: Call): Fault | undefined {
    for (const rule of this.faults) {
      const fault = rule(request, call)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #count(match: Match): Call {
    const operation = match.kind === 'route' ? match.operation : 'stray'
    const id = match.kind === 'route' ? match.id : 0
    const key = `${operation} ${id}`
    const nth = (this.#calls.get(key) ?? 0) + 1
    this.#calls.set(key, nth)
    return { operation, id, nth }
  }

  /** `Date` has a resolution of one second, as in every HTTP server. */
  #dated({ status, headers = {}, body = '', bytes }: Answer): SentResponse {
    const date = new Date(this.#now() + this.#skewMs).toUTCString()
    const fields = { date, ...lowerCased(headers) }
    return { status, headers: fields, body, ...(bytes !== undefined && { bytes }) }
  }

  #log(request: ParsedRequest, { operation }: Call, delivery: Delivery, fault: Fault | undefined): void {
    const { method, path, headers, body } = request
    const status = 'status' in delivery ? delivery.status : 0
    const fullSyncFrom = operation === 'trigger' ? fullSyncRequest(request).from : undefined
    const query = Object.fromEntries(request.query)
    this.requests.push({
      method,
      path,
      query,
      headers,
      body,
      at: this.#now(),
      operation,
      status,
      fault: fault?.kind,
      fullSyncFrom,
    })
  }
}

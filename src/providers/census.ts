import * as v from 'valibot'
import type { ProviderFacts } from '../core/input-values.ts'
import {
  hasMovedData,
  type Provider,
  ProviderError,
  type Run,
  type RunState,
  type Sync,
  type Triggered,
} from '../core/provider.ts'
import { type Host, troubleOf } from '../host.ts'
import { type Reply, TransportError } from '../http.ts'
import { retryAfterMs } from '../retry-after.ts'
import { explain, parse, time, WireMessage } from './answers.ts'

/**
 * Census, since 2025 Fivetran Activations. https://fivetran.com/docs/activations/rest-api
 * API v1 takes workspace keys and ends on 2027-01-15; v2 takes personal access tokens and has the same paths for all that is used here.
 */
export const CENSUS: ProviderFacts = {
  name: 'census',
  aliases: ['fivetran-activations'],
  id: /^[1-9][0-9]{0,18}$/,
  idHelp: 'the number in the address of the page of a sync, such as 8290',
  regions: new Map([
    ['us', 'https://app.getcensus.com'],
    ['eu', 'https://app-eu.getcensus.com'],
  ]),
  pages: {
    hosts: ['app.getcensus.com', 'app-eu.getcensus.com'],
    sync: /^\/(?:workspaces\/[^/]+\/)?syncs\/([1-9][0-9]{0,18})(?:\/|$)/,
  },
}

/** The ways in which a token can be wrong are this provider's own. */
const ADVICE: Provider['advice'] = {
  'token-refused':
    'Make a new token and put it into the secret. A workspace key (workspace settings, API access) goes with API v1, its prefix secret-token: included; a personal access token (user settings) with API v2. It holds for one region: for an account in Europe set region: eu. Check api-version if you have set it.',
  'not-allowed':
    'The token is known, but may not do this. Its owner needs the right to run this sync ("Sync: Run, Full Sync"), in the workspace that the sync is in.',
  'not-found':
    "Check the id: it is the number in the address of the sync's page. A token sees one workspace: a sync of another one needs a token of its own, in a step of its own. Another region is another account: region: eu.",
  'api-retired':
    'API v1 was switched off: its end was announced for 2027-01-15. Make a personal access token (Fivetran Activations, user settings) and give it as api-token: version 2 takes over by itself, unless api-version says v1.',
  'full-sync-refused':
    'Some syncs, such as those that append, take no full sync: leave full-sync out for this one, in the config file if the others need it.',
  'run-skipped':
    'Census skips a run while an older one of the same sync goes on. See what else triggers this sync, such as a schedule of its own, and switch one of the two off.',
}

type Version = 'v1' | 'v2'

export interface CensusOptions {
  host: Host
  baseUrl: string
  token: string
  apiVersion: 'auto' | Version
  /** Sent with every v2 request where given: the migration guide says that some need it, and names none. */
  groupId: string | null
}

/** Documented: the statuses of a run, those of before 2023 included. A word that is not here is no end and no success. */
const STATES: ReadonlyMap<string, RunState> = new Map([
  ['queued', 'queued'],
  ['new', 'queued'],
  ['preparing', 'queued'],
  ['working', 'running'],
  ['retrying', 'running'],
  ['completed', 'succeeded'],
  ['failed', 'failed'],
  ['skipped', 'skipped'],
  // No official list has it, two client libraries do.
  ['cancelled', 'cancelled'],
  ['canceled', 'cancelled'],
])

const id = v.pipe(v.union([v.string(), v.pipe(v.number(), v.safeInteger())]), v.transform(String), v.regex(CENSUS.id))
const text = v.fallback(v.nullable(v.string()), null)
const digits = v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number))
const count = v.fallback(v.nullable(v.union([v.pipe(v.number(), v.integer(), v.minValue(0)), digits])), null)
/** Not there is no; but what is neither yes nor no makes no sense, and must not be taken for no. */
const flag = v.pipe(
  v.optional(v.nullable(v.union([v.boolean(), v.picklist([1, 0, 'true', 'false'])])), false),
  v.transform((value) => value === true || value === 1 || value === 'true'),
)

const WireRun = v.object({
  // The oldest documented answer has no ids in it.
  id: v.optional(id),
  sync_id: v.optional(id),
  status: v.string(),
  canceled: flag,
  full_sync: v.fallback(v.boolean(), false),
  created_at: text,
  updated_at: text,
  completed_at: text,
  current_step: text,
  error_code: text,
  error_message: text,
  error_detail: text,
  records_processed: count,
  records_updated: count,
  records_failed: count,
  records_invalid: count,
  source_record_invalids: count,
  sync_trigger_reason: v.fallback(v.object({ ui_tag: text }), { ui_tag: null }),
})

/**
 * A run in a list whose status makes no sense leaves the others readable: it counts as one whose status nobody knows. What has no
 * status at all is no run.
 */
const WireListed = v.union([
  WireRun,
  v.object({
    ...WireRun.entries,
    status: v.pipe(
      v.unknown(),
      v.transform(() => ''),
    ),
    canceled: v.pipe(
      v.optional(v.unknown(), false),
      v.transform((value) => value === true),
    ),
  }),
])

const WireSync = v.object({
  id,
  label: text,
  resource_identifier: text,
  paused: flag,
  destination_attributes: v.fallback(
    v.object({ connection_id: v.fallback(v.nullable(v.union([v.string(), v.number()])), null), object: text }),
    { connection_id: null, object: null },
  ),
  // A source of another kind, such as a query, is no table.
  source_attributes: v.fallback(
    v.nullable(
      v.object({
        object: v.object({ type: v.literal('table'), table_catalog: text, table_schema: text, table_name: v.string() }),
      }),
    ),
    null,
  ),
})

const WireTriggered = v.object({ data: v.object({ sync_run_id: id }) })
const WireDestination = v.object({ id: v.union([v.string(), v.number()]), name: v.string() })

/** A read, what its `data` must look like, and what it is about, in words. */
interface Question<S extends v.GenericSchema> {
  path: string
  schema: S
  what: string
}

const RUNS = 10
const MORE_RUNS = 100
/** As many as a page may have. */
const SYNCS = 100
const DESTINATIONS_MS = 5000

export class Census implements Provider {
  readonly advice = ADVICE
  readonly name = CENSUS.name
  readonly #options: CensusOptions
  #version: Version | null
  /** The version that answered last, while none has been proven by a read of runs. */
  #answering: Version
  /** The version is searched for by one read at a time: the others wait for what it finds. */
  #search: Promise<void> = Promise.resolve()
  #destinations: Promise<ReadonlyMap<string, string>> | undefined

  constructor(options: CensusOptions) {
    this.#options = options
    this.#version = options.apiVersion === 'auto' ? null : options.apiVersion
    this.#answering = likely(options.token)[0]
  }

  async history(syncId: string, signal: AbortSignal): Promise<Run[]> {
    const runs = await this.#page(syncId, RUNS, signal)
    // A page full of dry runs, or of what was skipped or cancelled, does not show how the sync fares: then a longer one is asked for.
    const tells = (run: Run) => hasMovedData(run) && run.state !== 'cancelled'
    return runs.length < RUNS || runs.some(tells) ? runs : await this.#page(syncId, MORE_RUNS, signal)
  }

  async #page(syncId: string, length: number, signal: AbortSignal): Promise<Run[]> {
    const path = `/syncs/${syncId}/sync_runs?order=desc&page=1&per_page=${length}`
    const wire = await this.#read({ path, schema: v.array(WireListed), what: `sync ${syncId}` }, signal)
    const runs = wire.flatMap((run) => (run.id === undefined ? [] : toRun(run, run.id, syncId)))
    // Ids grow, so the order does not hang on the server's.
    return runs.sort((a, b) => b.id.length - a.id.length || (a.id < b.id ? 1 : -1))
  }

  async describe(syncId: string, signal: AbortSignal): Promise<Sync> {
    const wire = await this.#read({ path: `/syncs/${syncId}`, schema: WireSync, what: `sync ${syncId}` }, signal)
    // Names are a nicety: whatever goes wrong with them, the sync is described without.
    const destinations = await this.#listDestinations(signal).catch(() => new Map<string, string>())
    return toSync(wire, syncId, destinations)
  }

  async list(page: number, signal: AbortSignal): Promise<{ syncs: Sync[]; more: boolean }> {
    const question = {
      path: `/syncs?order=desc&page=${page}&per_page=${SYNCS}`,
      schema: v.array(v.fallback(v.nullable(WireSync), null)),
      what: 'list of syncs',
    }
    const wire = await this.#read(question, signal)
    // Whether there are more is worked out, not read: an address that the answer gives is not followed.
    const syncs = wire.flatMap((sync) => (sync === null ? [] : toSync(sync, sync.id, new Map())))
    return { syncs, more: wire.length === SYNCS }
  }

  async read(runId: string, signal: AbortSignal): Promise<Run> {
    const wire = await this.#read({ path: `/sync_runs/${runId}`, schema: WireRun, what: `run ${runId}` }, signal)
    if (wire.id !== undefined && wire.id !== runId)
      throw new ProviderError('unavailable', `asked for run ${runId}, the answer is about another one`)
    return toRun(wire, runId, wire.sync_id ?? '')
  }

  async trigger(
    syncId: string,
    { full, hold }: { full: boolean; hold?: AbortSignal },
    signal: AbortSignal,
  ): Promise<Triggered> {
    const { host } = this.#options
    let reply: Reply
    try {
      // Documented as a query parameter, though some clients send it as a body.
      reply = await host.post(
        this.#path(`/syncs/${syncId}/trigger${full ? '?force_full_sync=true' : ''}`),
        signal,
        hold,
      )
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      const trouble = troubleOf(error)
      return error.sent ? { kind: 'ambiguous', error: trouble, resend: false } : { kind: 'not-sent', error: trouble }
    }
    const { status } = reply
    const body = parse(reply.text)
    if (status >= 200 && status < 300) {
      const message = v.safeParse(WireMessage, body)
      // Documented: `error` says that the sync was not triggered. Its HTTP status is not documented.
      if (message.success && message.output.status === 'error') {
        return { kind: 'rejected', error: explain(reply, `sync ${syncId}`, 'rejected'), busy: true }
      }
      const accepted = v.safeParse(WireTriggered, body)
      if (accepted.success) return { kind: 'accepted', runId: accepted.output.data.sync_run_id }
      return { kind: 'ambiguous', error: explain(reply, `sync ${syncId}`), resend: false }
    }
    const error = explain(reply, `sync ${syncId}`)
    if (status === 429) {
      return {
        kind: 'not-sent',
        error: new ProviderError('unavailable', error.message, {
          detail: error.detail,
          retryAfterMs: host.closedForMs,
          hint: error.hint,
        }),
      }
    }
    if (error.trouble === 'unavailable')
      return {
        kind: 'ambiguous',
        error,
        resend: status === 503 && retryAfterMs(reply.headers, reply.receivedAt) !== null,
      }
    // How a trigger of a running sync is answered is not documented: it is looked into if it may have been that.
    return { kind: 'rejected', error, busy: status === 400 || status === 409 || status === 422 }
  }

  async cancel(runId: string, signal: AbortSignal): Promise<void> {
    try {
      const reply = await this.#options.host.postNow(this.#path(`/sync_runs/${runId}/cancel`), signal)
      const message = v.safeParse(WireMessage, parse(reply.text))
      if (reply.status < 200 || reply.status >= 300) throw explain(reply, `run ${runId}`)
      if (message.success && message.output.status === 'error') throw explain(reply, `run ${runId}`, 'rejected')
    } catch (error) {
      if (error instanceof TransportError) throw troubleOf(error)
      throw error
    }
  }

  link(syncId: string): string {
    return syncId === '' ? this.#options.baseUrl : `${this.#options.baseUrl}/syncs/${syncId}/sync-history`
  }

  warnings(): string[] {
    if (this.#version !== 'v1') return []
    return [
      'This step uses version 1 of the Census API, which ends on 2027-01-15. Make a personal access token (Fivetran Activations, user settings) ' +
        'and give it as api-token instead of the workspace key: version 2 takes over by itself.',
    ]
  }

  /** One read. While the version is not known it is tried on both, and the first that answers a read of runs is the one. */
  async #read<S extends v.GenericSchema>(question: Question<S>, signal: AbortSignal): Promise<v.InferOutput<S>> {
    if (this.#version === null) {
      const before = this.#search
      const turn = Promise.withResolvers<void>()
      this.#search = turn.promise
      await before
      try {
        if (this.#version === null) return await this.#findVersion(question, signal)
      } finally {
        turn.resolve()
      }
    }
    return await this.#readWith(this.#version, question, signal)
  }

  async #findVersion<S extends v.GenericSchema>(question: Question<S>, signal: AbortSignal): Promise<v.InferOutput<S>> {
    const versions = likely(this.#options.token)
    const refusals: ProviderError[] = []
    for (const version of versions) {
      try {
        const value = await this.#readWith(version, question, signal)
        this.#answering = version
        // Being able to read a sync does not prove that its runs can be watched.
        if (question.path.includes('/sync_runs')) this.#version = version
        return value
      } catch (error) {
        if (
          !(error instanceof ProviderError) ||
          error.trouble === 'unavailable' ||
          error.trouble === 'unreachable' ||
          error.trouble === 'rejected'
        )
          throw error
        refusals.push(error)
      }
    }
    // A version that knows the token but not the sync says more than one that refuses the token.
    const trouble =
      (['missing', 'refused', 'retired'] as const).find((kind) => refusals.some((error) => error.trouble === kind)) ??
      'refused'
    const telling = refusals.find((error) => error.trouble === trouble)
    // What the provider says goes on after its own version's words.
    const detailed = refusals.findIndex((error) => error.detail !== null)
    const order = refusals.map((_, index) => index).sort((a, b) => Number(a === detailed) - Number(b === detailed))
    const told = order.map((index) => `${versions[index]}: ${refusals[index]?.message}`).join('; ')
    throw new ProviderError(trouble, told, {
      detail: refusals[detailed]?.detail ?? null,
      // Where the version that the token is made for has ended, that is what it is about.
      hint: refusals[0]?.trouble === 'retired' ? 'api-retired' : (telling?.hint ?? 'token-refused'),
    })
  }

  async #readWith<S extends v.GenericSchema>(
    version: Version,
    { path, schema, what }: Question<S>,
    signal: AbortSignal,
  ): Promise<v.InferOutput<S>> {
    const reply = await this.#options.host.get(this.#path(path, version), signal)
    if (reply.status === 400 && version === 'v2' && this.#options.groupId === null) {
      const { message, detail } = explain(reply, what)
      throw new ProviderError('rejected', `${message}; API v2 may need the input group-id`, { detail })
    }
    if (reply.status !== 200) throw explain(reply, what)
    const body = v.safeParse(v.object({ data: schema }), parse(reply.text))
    if (!body.success) throw explain(reply, what)
    return body.output.data
  }

  async #listDestinations(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    this.#destinations ??= (async () => {
      const path = (this.#version ?? this.#answering) === 'v2' ? '/activations' : '/destinations'
      const reply = await this.#options.host.getOnce(this.#path(`${path}?page=1&per_page=100`), signal, DESTINATIONS_MS)
      const list = v.parse(
        v.object({ data: v.array(v.fallback(v.nullable(WireDestination), null)) }),
        parse(reply.text),
      )
      return new Map(list.data.flatMap((item) => (item === null ? [] : [[String(item.id), item.name] as const])))
    })()
    return await this.#destinations
  }

  #path(path: string, version: Version = this.#version ?? this.#answering): string {
    const group =
      version === 'v2' && this.#options.groupId !== null
        ? `${path.includes('?') ? '&' : '?'}group_id=${this.#options.groupId}`
        : ''
    return `/api/${version}${path}${group}`
  }
}

/** The versions in the order in which this token suggests trying them: workspace keys belong to version 1. */
function likely(token: string): [Version, Version] {
  return token.startsWith('secret-token:') ? ['v1', 'v2'] : ['v2', 'v1']
}

function toSync(wire: v.InferOutput<typeof WireSync>, syncId: string, destinations: ReadonlyMap<string, string>): Sync {
  const { connection_id: connection, object } = wire.destination_attributes
  const destination = [destinations.get(String(connection)), object].filter(
    (part) => part !== undefined && part !== null && part !== '',
  )
  const source = wire.source_attributes?.object
  return {
    id: syncId,
    name: wire.label || wire.resource_identifier?.replace(/^sync:/, '') || syncId,
    destination: destination.length === 0 ? null : destination.join(' · '),
    paused: wire.paused,
    source:
      source === undefined
        ? null
        : { database: source.table_catalog || null, schema: source.table_schema || null, table: source.table_name },
  }
}

function toRun(wire: v.InferOutput<typeof WireRun>, runId: string, syncId: string): Run {
  // A cancelled run is known by its flag, whatever its status says.
  const word = STATES.get(wire.status.trim().toLowerCase()) ?? 'unrecognized'
  // A word of theirs is repeated in our own sentences, so it has to be one.
  const status = /^[a-z][a-z _-]{0,40}$/i.test(wire.status.trim()) ? wire.status.trim() : 'in a state without a name'
  const state = wire.canceled ? 'cancelled' : word
  const ended = state === 'succeeded' || state === 'failed' || state === 'cancelled' || state === 'skipped'
  const tag = wire.sync_trigger_reason.ui_tag?.trim().toLowerCase() ?? ''
  return {
    id: runId,
    syncId,
    state,
    status: wire.canceled && word !== 'cancelled' ? `${status}, cancelled` : status,
    step: wire.current_step,
    createdAt: time(wire.created_at),
    // A failed run may have no time of completion; what it has is the time of its last change.
    finishedAt: time(wire.completed_at) ?? (ended ? time(wire.updated_at) : null),
    movesData: tag !== 'dry run',
    full: wire.full_sync,
    byApi: tag.startsWith('api'),
    byOthers: tag !== '' && !tag.startsWith('api'),
    counts: {
      processed: wire.records_processed,
      succeeded: wire.records_updated,
      failed: wire.records_failed,
      invalid: wire.source_record_invalids ?? wire.records_invalid,
    },
    message: wire.error_message?.trim() || wire.error_code?.trim() || null,
    detail: wire.error_detail === wire.error_message ? null : wire.error_detail,
  }
}

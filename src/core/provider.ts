import type { Hint } from './hint.ts'

/** What the core knows of a provider. A provider's words, paths and wire types stay in its own file. */
export interface Provider {
  readonly name: string
  /** What helps against trouble, where there is more to say of this provider than of any. */
  readonly advice: Partial<Record<Hint, string>>
  /** The runs of a sync, newest first: at least the latest ten, and more where none of them has moved data. Throws ProviderError. */
  history(syncId: string, signal: AbortSignal): Promise<Run[]>
  /** Throws ProviderError; `missing` where the provider does not know the sync. */
  describe(syncId: string, signal: AbortSignal): Promise<Sync>
  /** A page of all syncs, from 1. Absent where the provider cannot list them. Throws ProviderError. */
  list?(page: number, signal: AbortSignal): Promise<{ syncs: Sync[]; more: boolean }>
  /**
   * Sends one trigger request, once. Never throws for what the provider or the network does. `hold` stops it only as long as it has
   * not left.
   */
  trigger(syncId: string, options: { full: boolean; hold?: AbortSignal }, signal: AbortSignal): Promise<Triggered>
  /** Throws ProviderError; `missing` where the provider does not know the run (yet, or any more). */
  read(runId: string, signal: AbortSignal): Promise<Run>
  /** Absent where the provider's API cannot cancel. Throws ProviderError. */
  cancel?(runId: string, signal: AbortSignal): Promise<void>
  /** The page of a sync's runs in the provider's web app; of the provider itself where the sync's id is empty. */
  link(syncId: string): string
  /** What the user should know about the provider itself, once it has been talked to. */
  warnings(): string[]
}

export interface Sync {
  /** Empty where only a run is known. */
  id: string
  /** Never empty: where the provider has no name for it, the id. */
  name: string
  destination: string | null
  paused: boolean
  /** The table or view that it reads, where the provider says so. */
  source: Relation | null
}

/** A table or view in a warehouse. */
export interface Relation {
  database: string | null
  schema: string | null
  table: string
}

/** `unrecognized` is a status word that the provider's table does not know: not an end, and never success. */
export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'unrecognized'

export interface Counts {
  /** Records sent to the destination. */
  processed: number | null
  succeeded: number | null
  /** Rejected by the destination. */
  failed: number | null
  /** Dropped by the provider before sending, for example for an empty identifier. */
  invalid: number | null
}

export interface Run {
  id: string
  syncId: string
  state: RunState
  /** The provider's own word for the state. */
  status: string
  step: string | null
  /** Milliseconds since the epoch, on the provider's clock. */
  createdAt: number | null
  finishedAt: number | null
  /** False for a dry run. */
  movesData: boolean
  full: boolean
  /** Started through the API, as far as the provider tells. */
  byApi: boolean
  /** Started by a schedule or by hand, as far as the provider tells. Where it does not, neither is true. */
  byOthers: boolean
  counts: Counts
  message: string | null
  /** Row-level detail: it quotes records. */
  detail: string | null
}

export type Triggered =
  | { kind: 'accepted'; runId: string }
  /** The provider answered, and did not start a run. `busy`: possibly because another run is in the way. */
  | { kind: 'rejected'; error: ProviderError; busy: boolean }
  /** No run was started, and the same request may succeed later. */
  | { kind: 'not-sent'; error: ProviderError }
  /** Nobody here can say whether a run was started. `resend`: the provider asked to try again. */
  | { kind: 'ambiguous'; error: ProviderError; resend: boolean }

/**
 * `refused`: the credentials; `missing`: no such thing; `retired`: this API is gone; `rejected`: the request is wrong;
 * `unreachable`: something has to be set up before anything can be sent; `unavailable`: network, outage, throttling or an answer that
 * makes no sense, all of which may pass.
 */
export type Trouble = 'refused' | 'missing' | 'retired' | 'rejected' | 'unreachable' | 'unavailable'

/** A request that did not bring what was asked for. `message` is ours; `detail` is what the provider said, foreign text. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError' as const
  readonly trouble: Trouble
  readonly detail: string | null
  /** The provider asked for this much patience (ms) before the next request. */
  readonly retryAfterMs: number | null
  /** How long (ms) the request itself was held up because the provider had asked for it. */
  readonly heldMs: number
  readonly hint: Hint
  constructor(
    trouble: Trouble,
    message: string,
    options: {
      detail?: string | null
      retryAfterMs?: number | null
      heldMs?: number
      hint?: Hint
      cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.trouble = trouble
    this.detail = options.detail ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
    this.heldMs = options.heldMs ?? 0
    this.hint = options.hint ?? USUAL[trouble]
  }
}

/** What trouble is mostly about. */
const USUAL: Record<Trouble, Hint> = {
  refused: 'token-refused',
  missing: 'not-found',
  retired: 'api-retired',
  rejected: 'request-refused',
  unreachable: 'unreachable',
  unavailable: 'outage',
}

/** Whether a run carries data, or did: neither a dry run nor one that the provider skipped. */
export function hasMovedData(run: Run): boolean {
  return run.movesData && run.state !== 'skipped'
}

export function hasEnded(run: Run): boolean {
  return run.state !== 'queued' && run.state !== 'running' && run.state !== 'unrecognized'
}

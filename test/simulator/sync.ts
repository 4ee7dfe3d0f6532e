/** What the simulator knows about a configured sync. */
import type { Timeline } from './timeline.ts'
import { completesAfter } from './timelines.ts'

export type Source =
  | { readonly kind: 'table'; readonly database: string; readonly schema: string; readonly table: string }
  | { readonly kind: 'model'; readonly name: string; readonly query: string }
  | { readonly kind: 'dataset'; readonly name: string; readonly query: string }

export interface Destination {
  /** The number V1 knows it by. */
  readonly id: number
  /** The word V2 knows it by. */
  readonly activationId: string
  readonly name: string
  /** Documented as free-form; it holds account names and e-mail addresses in reality. */
  readonly connectionDetails?: Readonly<Record<string, unknown>>
}

/**
 * The reply to a trigger while an earlier run is active. Documented is only the run that ends `skipped`; whether
 * the call itself can be refused is unknown, so configurable.
 */
export type OnCollision = 'skip-run' | 'error-200' | 'conflict-409'

export interface SyncSettings {
  readonly id: number
  /** Recorded: often null. */
  readonly label: string | null
  readonly resourceIdentifier: string
  readonly paused: boolean
  /** `append` stands for the syncs that cannot be synced in full. */
  readonly operation: string
  readonly schedule: string
  readonly mode: 'triggered' | 'live'
  readonly source: Source
  /** The number of the warehouse connection. */
  readonly sourceConnectionId: number
  readonly destination: { readonly connectionId: number; readonly object: string }
  /** Pairs of source column and destination field; the first is the identifier. */
  readonly mappings: readonly (readonly [from: string, to: string])[]
  /** How runs go that no script says otherwise of. */
  readonly timeline: Timeline
  readonly onCollision: OnCollision
  /** Whether the vendor runs a paused sync when asked by API: unknown, so configurable. */
  readonly pausedTrigger: 'runs' | 'refuses'
  /** A forced full sync of an append sync is documented as unsupported; the effect is unknown, so configurable. */
  readonly unsupportedFullSync: 'ignored' | 'refused'
}

export function describeSync(settings: Partial<SyncSettings> & { readonly id: number }): SyncSettings {
  return {
    label: `Sync ${settings.id}`,
    resourceIdentifier: `sync:sync-${settings.id}`,
    paused: false,
    operation: 'upsert',
    schedule: 'never',
    mode: 'triggered',
    source: { kind: 'table', database: 'warehouse', schema: 'marts', table: `source_of_${settings.id}` },
    sourceConnectionId: 31007,
    destination: { connectionId: 640011, object: 'Contact' },
    mappings: [
      ['ID', 'external_id'],
      ['EMAIL', 'email'],
    ],
    timeline: completesAfter(4000),
    onCollision: 'skip-run',
    pausedTrigger: 'runs',
    unsupportedFullSync: 'ignored',
    ...settings,
  }
}

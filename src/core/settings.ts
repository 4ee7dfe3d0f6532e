import type { DeliveryPolicy } from './deliver.ts'
import type { GateMode } from './ruling.ts'

/** What holds for one sync: what the config file says of it, and for the rest what the inputs say of all. */
export interface Settings extends Omit<DeliveryPolicy, 'watch'> {
  /** null: as the provider calls it. */
  name: string | null
  /** The dbt models that feed it, as names; null: to be found out. */
  models: readonly string[] | null
  gate: GateMode
  onBlocked: 'fail' | 'skip'
  /** Whether the step may be green though this sync is not. */
  allowFailure: boolean
}

/** What a config file may say of a sync. */
export type Overrides = Partial<
  Pick<
    Settings,
    | 'name'
    | 'models'
    | 'gate'
    | 'allowFailure'
    | 'full'
    | 'retries'
    | 'maxFailed'
    | 'maxInvalid'
    | 'onRunning'
    | 'onPaused'
    | 'ownTimeoutMs'
  >
>

/** The syncs of a config file, in its order. */
export type ConfigFile = ReadonlyMap<string, Overrides>

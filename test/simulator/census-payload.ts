/** Runs, syncs and destinations as the vendor writes them. Key sets: recorded in 2026, unless a line says otherwise. */
import type { Version } from './census-routes.ts'
import type { RunReason, RunView } from './run.ts'
import type { Destination, Source, SyncSettings } from './sync.ts'

export interface PayloadOptions {
  /** `documented` leaves out the keys that recorded responses have and the documented sample lacks. */
  readonly runKeys: 'recorded' | 'documented'
  /** Whether syncs read by V2 name their destination by number or by word: unknown, so configurable. */
  readonly v2ConnectionIds: 'number' | 'word'
}

type Payload = Record<string, unknown>

const iso = (ms: number): string => new Date(ms).toISOString()

export function runPayload(run: RunView, skewMs: number, options: PayloadOptions): Payload {
  const { state } = run
  const { counts, error } = state
  const recorded = options.runKeys === 'recorded'
  const completed = state.status === 'completed'
  return {
    id: run.id,
    created_at: iso(run.createdAt + skewMs),
    updated_at: iso(run.updatedAt + skewMs),
    completed_at: run.completedAt === null ? null : iso(run.completedAt + skewMs),
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    error_detail: error?.detail ?? null,
    status: state.status,
    sync_id: run.syncId,
    source_record_count: counts.sourceRecords,
    source_record_updates: counts.sourceUpdates,
    source_record_deletes: counts.sourceDeletes,
    source_record_invalids: counts.invalid,
    ...(recorded && { records_invalid: counts.invalid }),
    records_processed: counts.sent,
    records_updated: counts.loaded,
    records_failed: counts.rejected,
    scheduled_execution_time: run.reason === 'schedule' ? iso(run.createdAt + skewMs) : null,
    canceled: state.canceled,
    full_sync: run.fullSync,
    ...(!completed && state.step !== null && { current_step: state.step }),
    ...(recorded && { sync_trigger_reason: triggerReason(run) }),
  }
}

/** Recorded for `api`, `manual` and `dry-run`; how a schedule is named is unknown. */
function triggerReason({ reason, startedBy }: RunView): Payload {
  const reasons: Record<RunReason, [tag: string, detail: string]> = {
    api: ['API Request', 'Sync was triggered by an API request'],
    schedule: ['Schedule', 'Sync was triggered by its schedule'],
    manual: ['Manual', `Manually triggered by ${startedBy}`],
    'dry-run': ['Dry Run', `Dry run triggered by ${startedBy}`],
  }
  const [tag, detail] = reasons[reason]
  return { ui_tag: tag, ui_detail: detail }
}

export interface SyncContext {
  readonly version: Version
  readonly options: PayloadOptions
  readonly destination: Destination | undefined
  /** Oldest first. */
  readonly runs: readonly RunView[]
  /** When the sync was set up, on the vendor's clock. */
  readonly createdAt: number
}

export function syncPayload(sync: SyncSettings, context: SyncContext): Payload {
  const never = { schedule_day: null, schedule_hour: null, schedule_minute: null, cron_expression: null }
  const word = context.version === 'v2' && context.options.v2ConnectionIds === 'word'
  const { connectionId, object } = sync.destination
  return {
    id: sync.id,
    label: sync.label,
    schedule_frequency: sync.schedule,
    ...never,
    created_at: iso(context.createdAt),
    updated_at: iso(context.createdAt + 1_547_000),
    operation: sync.operation,
    paused: sync.paused,
    status: syncStatus(context.runs),
    lead_union_insert_to: null,
    field_behavior: 'specific_properties',
    field_normalization: null,
    field_order: null,
    mirror_strategy: null,
    sync_behavior_family: 'mapRecords',
    advanced_configuration: { bulk_id_lookup: false },
    resource_identifier: sync.resourceIdentifier,
    instant_mode: null,
    dbt_cloud_project_id: null,
    dbt_cloud_job_id: null,
    failed_run_notifications_enabled: true,
    failed_record_notifications_enabled: true,
    failed_record_notifications_threshold_percent: 75,
    source_attributes: { connection_id: sync.sourceConnectionId, object: sourceObject(sync, context.createdAt) },
    destination_attributes: {
      connection_id: word ? (context.destination?.activationId ?? null) : connectionId,
      object,
    },
    mappings: sync.mappings.map(([from, to], position) => mapping(from, to, position)),
    alert_attributes: [
      {
        id: sync.id * 10,
        options: {},
        send_for: 'first_time',
        should_send_recovery: true,
        type: 'FailureAlertConfiguration',
      },
    ],
    high_water_mark_attribute: null,
    mode: {
      type: sync.mode,
      triggers: { schedule: { frequency: sync.schedule, day: null, hour: null, minute: null, cron_expression: null } },
    },
  }
}

/** Documented words. A dry run says nothing about the sync, a skipped or cancelled run neither: inferred. */
function syncStatus(runs: readonly RunView[]): string {
  const ended = runs.filter(
    ({ reason, state }) => reason !== 'dry-run' && !state.canceled && ['completed', 'failed'].includes(state.status),
  )
  const last = ended.at(-1)
  if (last === undefined) return 'Ready'
  return last.state.status === 'completed' ? 'Up to Date' : 'Failing'
}

/**
 * Tables: names as in the vendor's 2023 API pages; that they carry a query is a guess. Models: documented.
 * Datasets: recorded, the odd last key included.
 */
function sourceObject({ source, id }: SyncSettings, createdAt: number): Payload {
  if (source.kind === 'table') {
    const query = `select * from ${source.database}.${source.schema}.${source.table}`
    const names = { table_catalog: source.database, table_schema: source.schema, table_name: source.table }
    return { type: 'table', id: id * 7, ...names, query }
  }
  const { name, query } = source
  const made = { created_at: iso(createdAt - 3_600_000), updated_at: iso(createdAt - 3_600_000) }
  if (source.kind === 'model') return { type: 'model', id: id * 7, name, ...made, query }
  return {
    type: 'business_object_source',
    source_object_id: id * 5,
    id: id * 7,
    name,
    ...made,
    description: null,
    approved: false,
    dataset_id: id * 3,
    resource_identifier: `model:${name}`,
    query,
    columns: columnsOf(source),
    'dataset_id=': id * 3,
  }
}

function columnsOf({ name }: Extract<Source, { kind: 'dataset' }>): Payload[] {
  return [
    { name: `${name}_id`, type: 'string' },
    { name: 'email', type: 'string' },
  ]
}

function mapping(from: string, to: string, position: number): Payload {
  return {
    from: { type: 'column', data: from },
    to,
    position,
    is_primary_identifier: position === 0,
    generate_field: false,
    preserve_values: false,
    operation: null,
    sync_null_values: true,
    follow_source_type: false,
  }
}

/** Documented: a number in V1, a word in V2. That the rest is equal in both is inferred. */
export function destinationPayload(destination: Destination, version: Version): Payload {
  return {
    id: version === 'v1' ? destination.id : destination.activationId,
    name: destination.name,
    connection_details: destination.connectionDetails ?? {},
  }
}

import type { ProviderFacts } from '../../src/core/input-values.ts'
import type { Sync } from '../../src/core/provider.ts'
import type { GateMode, Ruling } from '../../src/core/ruling.ts'
import { parseRunResults, parseSourceResults } from '../../src/dbt/artifacts.ts'
import { type Evidence, type Found, type Freshness, weigh } from '../../src/dbt/evidence.ts'
import { type Manifest, parseManifest } from '../../src/dbt/manifest.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { START, sync } from './builders.ts'

/** dbt artifacts written by hand, for what dbt cannot be made to write. The shapes are those of test/fixtures/dbt. */

type Json = Record<string, unknown>

/** A node of a manifest: its unique id and what is peculiar to it. `on` are the unique ids that it depends on. */
export interface Part {
  id: string
  section: string
  on: readonly string[]
  fields: Json
}

export function model(name: string, on: readonly string[] = [], fields: Json = {}): Part {
  const { materialized = 'table', ...rest } = fields
  return node(`model.shop.${name}`, on, {
    config: { materialized, enabled: true },
    database: 'shop',
    schema: 'marts',
    alias: name,
    relation_name: materialized === 'ephemeral' ? null : `"shop"."marts"."${name}"`,
    path: `${name}.sql`,
    original_file_path: `models/${name}.sql`,
    ...rest,
  })
}

/** Any node under `nodes`: its kind, package and name are those of its id. */
export function node(id: string, on: readonly string[] = [], fields: Json = {}): Part {
  const [kind, home, ...name] = id.split('.')
  return {
    id,
    section: 'nodes',
    on,
    fields: { resource_type: kind, package_name: home, name: name.join('.'), ...fields },
  }
}

/** A generic test, attached to the first of its nodes. */
export function check(name: string, on: readonly string[], fields: Json = {}): Part {
  return node(`test.shop.${name}`, on, { attached_node: on[0] ?? null, ...fields })
}

export function source(name: string, fields: Json = {}): Part {
  const id = `source.shop.raw.${name}`
  return { ...node(id, [], { name, relation_name: `"shop"."raw"."${name}"`, ...fields }), section: 'sources' }
}

export function exposure(name: string, on: readonly string[], fields: Json = {}): Part {
  return { ...node(`exposure.shop.${name}`, on, fields), section: 'exposures' }
}

export interface ManifestOptions {
  project?: string
  schema?: string
  disabled?: Json
  metadata?: Json
  /** More top-level keys. */
  more?: Json
}

export function manifest(parts: readonly Part[], options: ManifestOptions = {}): Json {
  const { project = 'shop', schema = 'v12', disabled = {}, metadata = {}, more = {} } = options
  const sections: Record<string, Json> = { nodes: {}, sources: {}, exposures: {}, unit_tests: {}, metrics: {} }
  for (const { id, section, on, fields } of parts) {
    const nodes = sections[section] ?? {}
    nodes[id] = { unique_id: id, depends_on: { nodes: on, macros: [] }, ...fields }
    sections[section] = nodes
  }
  return {
    metadata: {
      dbt_schema_version: `https://schemas.getdbt.com/dbt/manifest/${schema}.json`,
      generated_at: iso(START - 60_000),
      invocation_id: 'one',
      project_name: project,
      env: {},
      ...metadata,
    },
    ...sections,
    disabled,
    ...more,
  }
}

/** A row: its status, or all that there is to say of it. */
export type Rows = Readonly<Record<string, string | Json>>

export interface ResultsOptions {
  which?: string | null
  at?: number
  schema?: string
  args?: Json
  metadata?: Json
}

export function results(rows: Rows, options: ResultsOptions = {}): Json {
  const { which = 'build', at = START - 30_000, schema = 'run-results/v6', args = {}, metadata = {} } = options
  return {
    metadata: {
      dbt_schema_version: `https://schemas.getdbt.com/dbt/${schema}.json`,
      dbt_version: '1.12.6',
      generated_at: iso(at),
      invocation_id: 'one',
      env: {},
      ...metadata,
    },
    results: Object.entries(rows).map(([id, row]) => ({
      unique_id: id,
      message: null,
      failures: null,
      ...(typeof row === 'string' ? { status: row } : row),
    })),
    elapsed_time: 1,
    args: { ...(which === null ? {} : { which }), ...args },
  }
}

export function sourceResults(rows: Rows, at = START - 30_000): Json {
  return results(rows, { at, schema: 'sources/v3' })
}

export const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

/** What stands in a folder that dbt has written to. */
export function found(
  files: { results?: Json; manifest?: Json; sources?: Json; committed?: string[] },
  path = 'target',
): Found {
  const at = (name: string) => `${path}/${name}`
  const read = (file: Json | undefined): Manifest | null =>
    file === undefined ? null : parseManifest(bytes(file), at('manifest.json'))
  return {
    path,
    results: files.results === undefined ? null : parseRunResults(bytes(files.results), at('run_results.json')),
    manifest: read(files.manifest),
    sources: files.sources === undefined ? null : parseSourceResults(bytes(files.sources), at('sources.json')),
    manifestOnly: false,
    committed: new Set(files.committed ?? []),
  }
}

export const FRESH: Freshness = { now: START, maxAgeMs: 12 * 3_600_000, githubRunId: null, jobFailed: false }

/** Evidence of which nothing is wrong. */
export function evidence(places: readonly Found[], freshness: Partial<Freshness> = {}): Evidence {
  const weighed = weigh(places, { ...FRESH, ...freshness })
  if (weighed.problems.length > 0) throw new Error(weighed.problems.join('\n'))
  return weighed
}

/** What the gate says of a sync that the config file maps to `models`, after this build. */
export function rule(
  parts: readonly Part[],
  rows: Rows,
  options: {
    models?: readonly string[] | null
    mode?: GateMode
    sources?: Json
    sync?: Partial<Sync>
    facts?: ProviderFacts
    /** Of the results. */
    args?: Json
    jobFailed?: boolean
  } = {},
): Ruling {
  const { models = null, mode = 'upstream', sources, facts = CENSUS, args = {}, jobFailed = false } = options
  const built = evidence(
    [found({ manifest: manifest(parts), results: results(rows, { args }), ...(sources !== undefined && { sources }) })],
    { jobFailed },
  )
  return new Rulings(built, facts).rule(sync(options.sync), { models, gate: mode })
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

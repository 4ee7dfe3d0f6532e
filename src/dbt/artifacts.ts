import { entriesOf, parseBytes } from './json.ts'

/**
 * What the files in dbt's target folder say, as far as it bears on a decision: everything else in them is left unread, because
 * each version of dbt adds to them. https://docs.getdbt.com/reference/artifacts/dbt-artifacts
 */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError' as const
  readonly path: string
  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path} ${problem}`, { cause })
    this.path = path
  }
}

interface Artifact {
  /** As the user wrote it, for messages. */
  path: string
  /** Milliseconds since the epoch. */
  generatedAt: number
  invocationId: string | null
  /** The workflow run that made it, where the dbt step set DBT_ENV_CUSTOM_ENV_GITHUB_RUN_ID. */
  githubRunId: string | null
  /** The version in the name of its schema. */
  schema: number
}

/** run_results.json: what one dbt command did. */
export interface RunResults extends Artifact {
  /** `args.which`: build, run, test, generate (of docs) and so on; empty where dbt did not say. */
  command: string
  /** Tables without rows (--empty) or with some of them (--sample). */
  limited: '--empty' | '--sample' | null
  rows: Row[]
}

/** sources.json: how fresh the sources were. */
export interface SourceResults extends Artifact {
  rows: Row[]
}

export interface Row {
  id: string
  /** In lower case: dbt 2 capitalises some. */
  status: string
  /** Rows that a test found. */
  failures: number | null
  /** Where a model was built. */
  relation: string | null
}

export interface Manifest extends Artifact {
  project: string
  /** Models, seeds, snapshots, tests, sources, exposures, metrics and so on, by unique id. */
  nodes: Map<string, NodeFacts>
  /** What is disabled, by unique id: its name. */
  disabled: Map<string, string>
}

export interface NodeFacts {
  id: string
  /** model, seed, snapshot, source, test, unit_test, exposure, metric … */
  kind: string
  name: string
  package: string
  version: string | null
  /** Whether the bare name of a versioned model means this version. */
  latest: boolean
  materialized: string | null
  /** Known from another project (dbt mesh), and never built by this one. */
  external: boolean
  relation: string | null
  alias: string
  parents: string[]
  /** For a test: what it is attached to, where dbt says so. */
  attachedTo: string | null
  /** For a test of before dbt 1.5, and for a unit test: the name of what it tests. */
  tests: { name: string; version: string | null } | null
  /** The names of metrics that an exposure shows: dbt 2 does not count them as parents. */
  metrics: string[]
  url: string | null
  meta: Record<string, unknown>
}

/** The oldest version of either file that dbt 1 wrote. */
const OLDEST = 4

export function parseRunResults(bytes: Buffer, path: string): RunResults {
  return reading(path, () => {
    const file = record(parseBytes(bytes))
    const args = record(file.args)
    // Previews of dbt 2 nested what the command was given.
    const more = record(args.__other__)
    const empty = args.empty === true || more.empty === true
    const sample = isSet(args.sample) || isSet(more.sample)
    return {
      ...artifact(record(file.metadata), 'run-results', path),
      command: text(args.which) ?? '',
      limited: empty ? '--empty' : sample ? '--sample' : null,
      rows: rowsOf(file.results, path),
    }
  })
}

export function parseSourceResults(bytes: Buffer, path: string): SourceResults {
  return reading(path, () => {
    const file = record(parseBytes(bytes))
    return { ...artifact(record(file.metadata), 'sources', path, 1), rows: rowsOf(file.results, path) }
  })
}

/** The sections of a manifest that hold nodes. Most of the rest is macros and SQL. */
const SECTIONS = [
  'nodes',
  'sources',
  'exposures',
  'metrics',
  'semantic_models',
  'saved_queries',
  'unit_tests',
  'functions',
]
const FIELDS = new Set(
  'unique_id resource_type name package_name version latest_version config meta path original_file_path relation_name database schema alias identifier depends_on attached_node tested_node_unique_id model file_key_name test_metadata url metrics'.split(
    ' ',
  ),
)

export function parseManifest(bytes: Buffer, path: string): Manifest {
  return reading(path, () => {
    const nodes = new Map<string, NodeFacts>()
    const parents = new Map<string, string[]>()
    const disabled = new Map<string, string>()
    let metadata: Record<string, unknown> | null = null
    let hasNodes = false
    for (const { key, value } of entriesOf(bytes)) {
      if (key === 'metadata') metadata = record(parseBytes(value))
      if (key === 'nodes') hasNodes = true
      if (SECTIONS.includes(key)) {
        for (const entry of entriesOf(value)) {
          const { enabled, ...node } = nodeOf(entry.key, entry.value)
          if (enabled) nodes.set(node.id, node)
          else disabled.set(node.id, node.name)
        }
      }
      if (key === 'parent_map')
        for (const entry of entriesOf(value)) parents.set(entry.key, texts(parseBytes(entry.value)))
      if (key === 'disabled') {
        for (const { key: id } of entriesOf(value)) disabled.set(id, id.split('.').slice(2).join('.'))
      }
    }
    if (metadata === null || !hasNodes)
      throw new ArtifactError(path, 'is not a manifest of dbt: it has no metadata or no nodes.')
    const metrics = new Map(
      [...nodes.values()].filter(({ kind }) => kind === 'metric').map(({ id, name }) => [name, id]),
    )
    for (const node of nodes.values()) {
      const measured = node.metrics.map((name) => metrics.get(name)).filter((id) => id !== undefined)
      node.parents = [...new Set([...node.parents, ...(parents.get(node.id) ?? []), ...measured])]
    }
    return { ...artifact(metadata, 'manifest', path), project: text(metadata.project_name) ?? '', nodes, disabled }
  })
}

function nodeOf(id: string, bytes: Buffer): NodeFacts & { enabled: boolean } {
  // Field by field: a node's SQL and columns outweigh what is wanted of it a hundred times.
  const node: Record<string, unknown> = {}
  for (const { key, value } of entriesOf(bytes)) if (FIELDS.has(key)) node[key] = parseBytes(value)
  const config = record(node.config)
  const [kind = '', ownPackage = '', ...rest] = id.split('.')
  const name = text(node.name) ?? rest.join('.')
  const version = scalar(node.version)
  return {
    id,
    enabled: config.enabled !== false,
    kind: text(node.resource_type) ?? kind,
    name,
    package: text(node.package_name) ?? ownPackage,
    version,
    latest: version === null || version === scalar(node.latest_version),
    materialized: text(config.materialized)?.toLowerCase() ?? null,
    external: kind === 'model' && node.path === '' && node.original_file_path === '',
    relation: relationOf(node),
    alias: text(node.alias) ?? text(node.identifier) ?? name,
    parents: texts(record(node.depends_on).nodes),
    attachedTo: text(node.attached_node) ?? text(node.tested_node_unique_id),
    tests: testedName(node, kind),
    metrics: Array.isArray(node.metrics) ? node.metrics.flatMap((path: unknown) => texts(path).slice(-1)) : [],
    url: text(node.url),
    // Since dbt 1.10 the meta of a node stands in its config.
    meta: { ...record(node.meta), ...record(config.meta) },
  }
}

function relationOf(node: Record<string, unknown>): string | null {
  const name = text(node.relation_name)
  if (name !== null) return name
  const table = text(node.alias) ?? text(node.identifier)
  const schema = text(node.schema)
  if (table === null || schema === null || text(record(node.config).materialized) === 'ephemeral') return null
  const parts = [text(node.database), schema, table].filter((part) => part !== null && part !== '')
  return parts.map((part) => `"${part}"`).join('.')
}

/** Up to manifest v8 a test has no attached node; the key of its file names it: `models.orders`. */
function testedName(node: Record<string, unknown>, kind: string): NodeFacts['tests'] {
  if (kind === 'unit_test') {
    const model = text(node.model)
    return model === null ? null : { name: model, version: scalar(node.version) }
  }
  const key = text(node.file_key_name)
  if (key === null || node.attached_node !== undefined || !isRecord(node.test_metadata)) return null
  return { name: key.split('.').at(-1) ?? '', version: null }
}

function artifact(metadata: Record<string, unknown>, kind: string, path: string, oldest = OLDEST): Artifact {
  const written = text(metadata.dbt_schema_version)
  const version = new RegExp(`/${kind}/v(\\d{1,4})\\.json$`).exec(written ?? '')?.[1]
  if (version === undefined) {
    const found = written === null ? 'it names no schema of dbt' : `its schema is ${written}`
    throw new ArtifactError(path, `is not what it should be, a ${kind} file of dbt: ${found}.`)
  }
  const schema = Number(version)
  if (schema < oldest) {
    throw new ArtifactError(
      path,
      `was written by a dbt older than 1.0 (${kind} v${schema}), which is not supported. Use dbt 1.0 or later.`,
    )
  }
  const generatedAt = instant(text(metadata.generated_at))
  if (generatedAt === null) throw new ArtifactError(path, 'does not say when it was made (metadata.generated_at).')
  return {
    path,
    generatedAt,
    schema,
    invocationId: text(metadata.invocation_id),
    githubRunId: scalar(record(metadata.env).GITHUB_RUN_ID),
  }
}

function rowsOf(results: unknown, path: string): Row[] {
  if (!Array.isArray(results)) throw new ArtifactError(path, 'has no list of results.')
  return results.map((result: unknown, index) => {
    const row = record(result)
    const id = text(row.unique_id)
    const status = text(row.status)
    if (id === null || status === null) {
      throw new ArtifactError(
        path,
        `is damaged: result ${index + 1} of ${results.length} has no unique_id or no status.`,
      )
    }
    const failures = typeof row.failures === 'number' && Number.isInteger(row.failures) ? row.failures : null
    return { id, status: status.trim().toLowerCase(), failures, relation: text(row.relation_name) }
  })
}

/** Lets what is wrong with a file name the file. */
function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ArtifactError(
      path,
      `is empty, cut off or no JSON: ${error.message}. Did dbt end before it had written it?`,
      error,
    )
  }
}

/** dbt writes UTC, with or without saying so. */
function instant(iso: string | null): number | null {
  if (iso === null) return null
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso}Z`)
  return Number.isNaN(ms) ? null : ms
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function scalar(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

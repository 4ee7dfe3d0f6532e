import { type Artifact, ArtifactError, artifact, reading } from './artifacts.ts'
import { entriesOf, isRecord, parseBytes, record, scalar, text, texts } from './json.ts'

/** manifest.json: what depends on what, and where it is built. */
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
  /** Path of its file from the root of its project; empty where it has none. */
  file: string
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
    file: (text(node.original_file_path) ?? '').replaceAll('\\', '/'),
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

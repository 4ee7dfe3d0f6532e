import leven from 'leven'
import type { ProviderFacts } from '../core/input-values.ts'
import type { Relation } from '../core/provider.ts'
import { HOLD_ROWS, type Node, nameOfNode, type Project } from './lineage.ts'

/** Which models feed a sync, and how that is known: `source` goes on after "fed by …", or says why it is not known. */
export type Feed =
  | { kind: 'known'; nodes: Node[]; source: string }
  /** Nobody says so: it may be any model of these projects. */
  | { kind: 'anything'; projects: Project[]; source: string }
  /** Somebody says so, and it makes no sense. */
  | { kind: 'broken'; reason: string; source: string }

/** What the project itself says of its syncs. */
export interface Declarations {
  /** By sync id: in `meta` of exposures and models; and in the `url` of exposures. */
  meta: ReadonlyMap<string, Declared>
  urls: ReadonlyMap<string, Declared>
  /** What looks like such a statement and is none. */
  notices: string[]
}

interface Declared {
  nodes: Node[]
  by: string[]
}

/** Collects what exposures and models say of this provider's syncs. */
export function declarationsOf(projects: readonly Project[], facts: ProviderFacts): Declarations {
  const meta = new Map<string, Declared>()
  const urls = new Map<string, Declared>()
  const notices: string[] = []
  const declare = (all: Map<string, Declared>, id: string, node: Node) => {
    const declared = all.get(id) ?? { nodes: [], by: [] }
    declared.nodes.push(node)
    declared.by.push(`${node.kind} ${nameOfNode(node)}`)
    all.set(id, declared)
  }
  for (const node of projects.flatMap(({ nodes }) => [...nodes.values()])) {
    if (node.kind !== 'exposure' && !HOLD_ROWS.includes(node.kind)) continue
    for (const item of syncsInMeta(node.meta, facts)) {
      if (typeof item === 'string' && facts.id.test(item)) declare(meta, item, node)
      else
        notices.push(
          `The meta of ${node.kind} ${nameOfNode(node)} names no sync of ${facts.name}: ${JSON.stringify(item)?.slice(0, 200)}.`,
        )
    }
    if (node.kind !== 'exposure' || node.url === null || !URL.canParse(node.url)) continue
    const { hostname, pathname } = new URL(node.url)
    if (!facts.pages.hosts.includes(hostname)) continue
    const id = facts.pages.sync.exec(pathname)?.[1]
    if (id !== undefined) declare(urls, id, node)
    else notices.push(`The url of exposure ${nameOfNode(node)} leads to ${hostname}, but to no sync.`)
  }
  return { meta, urls, notices }
}

/**
 * `meta.post_transform_sync: {provider, sync_ids}`, one or a list of them, and `meta.census_sync_id(s)`: ids as texts, and as it
 * stands whatever is none.
 */
function syncsInMeta(meta: Readonly<Record<string, unknown>>, { name, aliases }: ProviderFacts): unknown[] {
  const names = [name, ...aliases]
  const found: unknown[] = []
  for (const item of list(meta.post_transform_sync)) {
    const provider = typeof item === 'object' && item !== null && 'provider' in item ? item.provider : undefined
    if (typeof provider === 'string' && !names.includes(provider.trim().toLowerCase())) continue
    if (typeof item === 'object' && item !== null && 'sync_ids' in item) found.push(...list(item.sync_ids))
    else found.push(item)
  }
  for (const own of names) {
    const key = own.replaceAll('-', '_')
    found.push(...list(meta[`${key}_sync_id`]), ...list(meta[`${key}_sync_ids`]))
  }
  return found
    .map((item) => (typeof item === 'number' && Number.isSafeInteger(item) ? String(item) : item))
    .map((item) => (typeof item === 'string' ? item.trim() : item))
}

function list(value: unknown): unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

/** Finds the models behind a sync: the first of config file, meta, URL and the provider's own word that says so. */
export function feedOf(
  syncId: string,
  relation: Relation | null,
  named: readonly Node[] | null,
  { meta, urls }: Declarations,
  projects: readonly Project[],
): Feed {
  if (named !== null) return { kind: 'known', nodes: [...named], source: 'as the config file says' }
  const level = meta.has(syncId) ? meta : urls
  const declared = level.get(syncId)
  if (declared !== undefined) {
    const by = `the ${level === meta ? 'meta' : 'url'} of ${declared.by.toSorted().join(' and ')}`
    const source = `as ${by} says`
    const lost = declared.nodes.flatMap(({ kind, missing }) => (kind === 'exposure' ? missing : []))[0]
    if (lost !== undefined)
      return { kind: 'broken', reason: `${by} leads to ${lost}, which ${whereIs(lost, projects)}`, source }
    const nodes = declared.nodes.flatMap(behind)
    if (nodes.length > 0) return { kind: 'known', nodes: [...new Set(nodes)], source }
  }
  if (projects.length === 0)
    return { kind: 'anything', projects: [], source: 'what feeds it is not known: none of the files could be read' }
  if (relation === null) {
    return {
      kind: 'anything',
      projects: [...projects],
      source: 'nothing says which models feed it, so all of them count',
    }
  }
  const readers = builtNodes(projects).filter((node) => isAt(node, relation))
  const [only, ...others] = readers
  const table = nameOfRelation(relation)
  if (only === undefined) {
    return {
      kind: 'anything',
      projects: [...projects],
      source: `no model is ${table}, which it reads, so all models count`,
    }
  }
  if (others.length > 0) {
    const homes = [...new Set(readers.map(({ project }) => project))]
    return {
      kind: 'anything',
      projects: homes,
      source: `several models are ${table}, which it reads, so all models count`,
    }
  }
  return { kind: 'known', nodes: [only], source: `because it reads ${table}` }
}

/** An exposure stands for what it depends on. */
function behind(node: Node): Node[] {
  return node.kind === 'exposure' ? node.parents : [node]
}

function whereIs(id: string, projects: readonly Project[]): string {
  return projects.some(({ disabled }) => disabled.has(id)) ? 'is disabled' : 'the manifest does not have'
}

/**
 * Finds the name that the sync reads, if that is in another place: a build into another schema must not open the gate for a sync that
 * reads the one of production. That holds whether or not this invocation has come to build it.
 */
export function misplaced(
  relation: Relation | null,
  projects: readonly Project[],
): { node: Node; words: string } | null {
  if (relation === null || relation.schema === null) return null
  const all = projects.flatMap(({ nodes }) => [...nodes.values()])
  if (all.some((node) => isAt(node, relation))) return null
  const table = relation.table.toLowerCase()
  const node = builtNodes(projects).find(({ place, alias }) => place.length > 0 && alias.toLowerCase() === table)
  return node === undefined
    ? null
    : { node, words: `${node.place.join('.')}, the sync reads ${nameOfRelation(relation)}` }
}

/** What somebody should know who has mapped a sync: the config file wins over what the project and the provider say of it. */
export function contradictions(
  syncId: string,
  relation: Relation | null,
  named: readonly Node[],
  { meta, urls }: Declarations,
  projects: readonly Project[],
): string[] {
  const declared = meta.get(syncId) ?? urls.get(syncId)
  const own = new Set(named.flatMap(behind))
  const others = new Set(declared?.nodes.flatMap(behind))
  const isOther = others.size > 0 && (others.size !== own.size || [...others].some((node) => !own.has(node)))
  const readers = relation === null ? [] : builtNodes(projects).filter((node) => isAt(node, relation))
  const isUnread = own.size > 0 && readers.length > 0 && !readers.some((node) => own.has(node))
  return [
    ...(isOther ? [`the config file names other models than ${declared?.by.toSorted().join(' and ')}`] : []),
    ...(isUnread && relation !== null
      ? [`the sync reads ${nameOfRelation(relation)}, which is none of the models that the config file names`]
      : []),
  ]
}

/** The nodes that the names in a config file mean, and what is wrong with the rest. */
export function resolveNames(
  names: readonly string[],
  projects: readonly Project[],
): { nodes: Node[]; problems: string[] } {
  const nodes: Node[] = []
  const problems: string[] = []
  const all = projects.flatMap((project) => [...project.nodes.values()]).filter(({ external }) => !external)
  for (const name of names) {
    const meant = all.filter((node) => spellingsOf(node).includes(name))
    const [only, ...others] = meant
    if (only !== undefined && others.length === 0) nodes.push(only)
    else
      problems.push(
        `${JSON.stringify(name)} ${only === undefined ? whyUnknown(name, all, projects) : ambiguous(meant)}`,
      )
  }
  return { nodes: [...new Set(nodes)], problems }
}

/** `customers`, `shop.customers`, `shop.customers.v2` or a unique id; `exposure:NAME` and `source:SOURCE.TABLE` for those. */
function spellingsOf(node: Node): string[] {
  const { id, kind, name, package: home, version, latest } = node
  if (kind === 'exposure') return [id, `exposure:${name}`]
  if (kind === 'source') return [id, `source:${id.split('.').slice(2).join('.')}`]
  if (!HOLD_ROWS.includes(kind)) return [id]
  const bare = latest ? [name, `${home}.${name}`] : []
  return version === null ? [id, ...bare] : [id, ...bare, `${name}.v${version}`, `${home}.${name}.v${version}`]
}

function ambiguous(meant: readonly Node[]): string {
  return `means ${meant.length} models: give one of ${meant.map((node) => (HOLD_ROWS.includes(node.kind) ? nameOfNode(node) : node.id)).join(', ')}.`
}

function whyUnknown(name: string, all: readonly Node[], projects: readonly Project[]): string {
  const off = projects.flatMap(({ disabled }) => [...disabled])
  if (off.some(([id, disabled]) => id === name || disabled === name || id.endsWith(`.${name}`)))
    return 'is disabled in dbt.'
  const near = all
    .flatMap(spellingsOf)
    .filter((spelling) => leven(spelling, name) <= Math.max(1, Math.floor(name.length / 4)))
    .sort((a, b) => leven(a, name) - leven(b, name))
  return `is no model of dbt.${near[0] === undefined ? '' : ` Did you mean ${near[0]}?`}`
}

/** What dbt itself builds. A source is somebody else's table. */
function builtNodes(projects: readonly Project[]): Node[] {
  return projects
    .flatMap(({ nodes }) => [...nodes.values()])
    .filter(({ kind, external }) => HOLD_ROWS.includes(kind) && !external)
}

/** Compares the parts that both have, from the table up; two at least, and without regard to case. */
export function isAt({ place }: Node, { database, schema, table }: Relation): boolean {
  if (schema === null || place.at(-1)?.toLowerCase() !== table.toLowerCase()) return false
  if (place.at(-2)?.toLowerCase() !== schema.toLowerCase()) return false
  const catalog = place.at(-3)
  return database === null || catalog === undefined || catalog.toLowerCase() === database.toLowerCase()
}

function nameOfRelation({ database, schema, table }: Relation): string {
  return [database, schema, table].filter((part) => part !== null).join('.')
}

import type { Row, RunResults, SourceResults } from './artifacts.ts'
import type { Manifest, NodeFacts } from './manifest.ts'

/** A node with all that bears on the data in it: what it was made of, its tests, and what this dbt invocation did with it. */
export interface Node extends Omit<NodeFacts, 'parents' | 'attachedTo' | 'tests' | 'metrics'> {
  project: Project
  parents: Node[]
  /** Unique ids of parents that the manifest does not have. */
  missing: string[]
  tests: Test[]
  /** Database, schema and table, as far as it has them. */
  place: string[]
  /** What a command that builds did; for a source, how fresh it is. The newest row. */
  row: Row | null
}

export interface Test {
  id: string
  name: string
  /** null: it did not run since its node was built. */
  row: Row | null
}

/** One dbt project with all that was read of it. */
export interface Project {
  name: string
  /** Where it stands in the workspace, as far as the place of its manifest tells: the folder that its target folder is in. */
  root: string
  nodes: Map<string, Node>
  disabled: Map<string, string>
  /** Tests that read no model. */
  looseTests: Test[]
  /** Rows of hooks, and of builds and tests that the manifest does not know. */
  strays: Row[]
  /** The job has failed, and nothing that dbt has left says why: it may have been stopped halfway. */
  isDoubtful: boolean
  /** The job has failed. */
  isBroken: boolean
  /** The kinds of nodes that the given commands build. */
  kinds: ReadonlySet<string>
  /** The kinds of which nothing is known but what `dbt retry` repeated: what it does not list was built before it. */
  retried: ReadonlySet<string>
  /** That goes for their tests as well: the command that was repeated runs tests. */
  isRetested: boolean
  /** The kinds of tests of which one came to a result. */
  ran: Set<string>
}

/** A project's files, all of which are evidence. */
export interface ProjectFiles {
  manifest: Manifest
  builds: readonly RunResults[]
  tests: readonly RunResults[]
  sources: readonly SourceResults[]
  isDoubtful?: boolean
  isBroken?: boolean
}

const TESTS = ['test', 'unit_test']
/** Skipped; or rendered, not run: what `dbt compile` says of a test. */
export const UNTESTED = ['skipped', 'success']
/** The kinds of nodes that put rows into the warehouse, each from files of its own. */
export const HOLD_ROWS = ['model', 'seed', 'snapshot']

/** What a command builds; any other of those that build, everything. */
const BUILT_BY: Readonly<Record<string, readonly string[]>> = { run: ['model'], seed: ['seed'], snapshot: ['snapshot'] }
const HOLDS_DATA = /^(model|seed|snapshot|source)\./

/** The projects as graphs of objects. A model that one project knows from another leads on into that one, if it is given. */
export function link(files: readonly ProjectFiles[]): Project[] {
  const projects = files.map(emptyProject)
  const home = new Map(projects.map((project) => [project.name, project]))
  const locate = (id: string, project: Project): Node | undefined => {
    const node = project.nodes.get(id)
    return node?.external ? (home.get(node.package)?.nodes.get(id) ?? node) : node
  }
  for (const [index, { manifest }] of files.entries()) {
    const project = projects[index]
    if (project === undefined) continue
    for (const facts of manifest.nodes.values()) {
      const node = project.nodes.get(facts.id)
      if (node === undefined) continue
      node.parents = facts.parents.map((id) => locate(id, project)).filter((parent) => parent !== undefined)
      node.missing = facts.parents.filter((id) => HOLDS_DATA.test(id) && locate(id, project) === undefined)
    }
  }
  for (const [index, project] of projects.entries()) {
    const given = files[index]
    if (given !== undefined) addRows(project, given)
    // What dbt did says more than what the manifest meant it to do.
    for (const node of project.nodes.values()) node.place = partsOf(node.row?.relation ?? node.relation)
  }
  return projects
}

function emptyProject({ manifest, builds, isDoubtful = false, isBroken = false }: ProjectFiles): Project {
  const builtBy = (files: readonly RunResults[]) => files.flatMap(({ command }) => BUILT_BY[command] ?? HOLD_ROWS)
  const once = builtBy(builds.filter(({ isRetry }) => !isRetry))
  const again = builtBy(builds.filter(({ isRetry }) => isRetry))
  const project: Project = {
    name: manifest.project,
    root: manifest.path.split('/').slice(0, -2).join('/'),
    nodes: new Map(),
    disabled: manifest.disabled,
    looseTests: [],
    strays: [],
    isDoubtful,
    isBroken,
    kinds: new Set([...once, ...again]),
    // Who may have been stopped halfway has built nothing that is not listed.
    retried: new Set(isDoubtful ? [] : again.filter((kind) => !once.includes(kind))),
    ran: new Set(),
    isRetested: builds.some(({ isRetry, command }) => isRetry && BUILT_BY[command] === undefined),
  }
  for (const { parents: _1, attachedTo: _2, tests: _3, metrics: _4, ...facts } of manifest.nodes.values()) {
    if (!TESTS.includes(facts.kind))
      project.nodes.set(facts.id, { ...facts, project, parents: [], missing: [], place: [], tests: [], row: null })
  }
  return project
}

function addRows(project: Project, { manifest, builds, tests, sources }: ProjectFiles): void {
  const builtAt = new Map<string, number>()
  const known = new Set(manifest.nodes.keys())
  for (const { rows, generatedAt } of oldestFirst(builds)) {
    for (const row of rows) {
      const node = project.nodes.get(row.id)
      // Nothing is built for an exposure: only dbt 1 has rows for them, and they stay good although a test has failed.
      if (isTest(row.id) || /^(exposure|saved_query)\./.test(row.id)) continue
      if (node === undefined || node.kind === 'operation') project.strays.push(row)
      else {
        node.row = row
        builtAt.set(row.id, generatedAt)
      }
    }
  }
  for (const { rows } of oldestFirst(sources)) {
    for (const row of rows) {
      const node = project.nodes.get(row.id)
      if (node?.kind === 'source') node.row = row
    }
  }
  const testRows = new Map<string, { row: Row; at: number }>()
  for (const { rows, generatedAt } of oldestFirst(tests)) {
    for (const row of rows) {
      if (isTest(row.id)) testRows.set(row.id, { row, at: generatedAt })
      if (isTest(row.id) && !UNTESTED.includes(row.status)) project.ran.add(kindOf(row.id))
      if (isTest(row.id) && !known.has(row.id)) project.strays.push(row)
    }
  }
  for (const facts of manifest.nodes.values()) {
    if (!TESTS.includes(facts.kind)) continue
    const found = testRows.get(facts.id)
    const tested = testedBy(facts, project)
    const { id, name } = facts
    if (tested.length === 0) project.looseTests.push({ id, name, row: found?.row ?? null })
    for (const node of tested) {
      // A test from before its node was built again says nothing about what is there now.
      const isStale = found === undefined || found.at < (builtAt.get(node.id) ?? Number.NEGATIVE_INFINITY)
      node.tests.push({ id, name, row: isStale ? null : found.row })
    }
  }
}

/** `"shop"."marts"."customers"`, in any quotes: its parts. */
function partsOf(relation: string | null): string[] {
  const parts = relation?.match(/"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[^.\s]+/g) ?? []
  return parts.map((part) => (/^["`[]/.test(part) ? part.slice(1, -1).replaceAll('""', '"') : part))
}

function oldestFirst<T extends { generatedAt: number }>(files: readonly T[]): T[] {
  return files.toSorted((a, b) => a.generatedAt - b.generatedAt)
}

function isTest(id: string): boolean {
  return TESTS.includes(kindOf(id))
}

/** `unit_test` of `unit_test.shop.orders.sums`. */
export function kindOf(id: string): string {
  return id.split('.', 1)[0] ?? ''
}

/**
 * What a test vouches for. A generic test belongs to the node it is attached to: a test of relationships depends on a second one,
 * about which it says nothing. A test without attachment vouches for everything that it reads.
 */
function testedBy({ attachedTo, tests, parents, package: home }: NodeFacts, project: Project): Node[] {
  const attached = attachedTo === null ? undefined : project.nodes.get(attachedTo)
  if (attached !== undefined) return [attached]
  const read = parents.map((id) => project.nodes.get(id)).filter((node) => node !== undefined)
  if (tests === null) return read
  const isMeant = (node: Node) => node.name === tests.name && (tests.version === null || node.version === tests.version)
  const named = read.filter(isMeant)
  if (named.length > 0) return named
  const elsewhere = [...project.nodes.values()].filter((node) => node.package === home && isMeant(node))
  return elsewhere.length > 0 ? elsewhere : read
}

/** `shop.customers`, `shop.customers.v2`, for a source `raw.orders`: as dbt's own messages name a node. */
export function nameOfNode({ id, kind, package: home, name, version }: Node): string {
  if (kind === 'source') return id.split('.').slice(2).join('.')
  return `${home}.${name}${version === null ? '' : `.v${version}`}`
}

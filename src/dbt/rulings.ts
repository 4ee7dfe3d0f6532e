import type { Change, ChangedFile } from '../core/change.ts'
import type { ProviderFacts } from '../core/input-values.ts'
import type { Sync } from '../core/provider.ts'
import type { Ruling } from '../core/ruling.ts'
import type { Settings } from '../core/settings.ts'
import { changeOf } from './change.ts'
import type { Evidence } from './evidence.ts'
import { type Declarations, declarationsOf, feedOf, isAt, misplaced, resolveNames } from './feeds.ts'
import { decideGate, decideWholeRun } from './gate.ts'
import type { Node, Project } from './lineage.ts'
import { wasTouched } from './states.ts'

/** What dbt has to say, sync by sync. */
export class Rulings {
  readonly #projects: readonly Project[]
  readonly #declarations: Declarations
  /** Whether anything is known of what dbt did; else there is the lineage alone. */
  readonly #hasBuilt: boolean

  constructor({ projects, builtAt }: Pick<Evidence, 'projects' | 'builtAt'>, facts: ProviderFacts) {
    this.#projects = projects
    this.#declarations = declarationsOf(projects, facts)
    this.#hasBuilt = builtAt !== null
  }

  /** Whether anything is known of the models at all. */
  get hasModels(): boolean {
    return this.#projects.length > 0
  }

  /** What should be seen, and decides nothing. */
  get notices(): readonly string[] {
    return this.#declarations.notices
  }

  /** What is wrong with the names of models in the settings of a sync. */
  problemsOf({ models }: Pick<Settings, 'models'>): string[] {
    return models === null ? [] : resolveNames(models, this.#projects).problems
  }

  /** Rules on a sync. The place is looked at first: a good build elsewhere says nothing about the data that the sync reads. */
  rule(sync: Sync, { models, gate }: Pick<Settings, 'models' | 'gate'>): Ruling {
    const named = models === null ? null : resolveNames(models, this.#projects).nodes
    const feed = feedOf(sync.id, sync.source, named, this.#declarations, this.#projects)
    const ids = feed.kind === 'known' ? feed.nodes.map(({ id }) => id).sort() : null
    const base = { models: ids, source: feed.source, notes: [] }
    if (gate === 'off') return { ...base, gate: 'open', reason: 'the gate is off (dbt-gate: off)' }
    const elsewhere = misplaced(sync.source, this.#projects)
    if (elsewhere !== null) return { ...base, gate: 'elsewhere', reason: elsewhere }
    if (feed.kind === 'broken') return { ...base, gate: 'broken', reason: feed.reason }
    if (!this.#hasBuilt) return { ...base, gate: 'open', reason: 'dbt has not built yet' }
    return { ...base, ...(feed.kind === 'known' ? decideGate(feed.nodes, gate) : decideWholeRun(feed.projects, gate)) }
  }

  /** The syncs that the project itself names, and whose models this dbt invocation has built, or tried to; before a build, all. */
  declared(): string[] {
    const all = [...this.#declarations.meta, ...this.#declarations.urls]
    const ids = all.filter(([, { nodes }]) => nodes.some((node) => this.#counts(node))).map(([id]) => id)
    return [...new Set(ids)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  }

  /** Whether a sync reads a relation that this dbt invocation has built, or tried to. */
  reads({ source }: Sync): boolean {
    if (source === null) return false
    return this.#projects.some(({ nodes }) =>
      [...nodes.values()].some((node) => node.kind !== 'source' && isAt(node, source) && this.#counts(node)),
    )
  }

  /** What a change of these files (paths from the root of the repository) means for the models. */
  change(files: readonly ChangedFile[]): Change {
    return changeOf(files, this.#projects)
  }

  #counts(node: Node): boolean {
    return !this.#hasBuilt || wasTouched(node)
  }
}

import type { Change, ChangedFile } from '../core/change.ts'
import type { ProviderFacts } from '../core/input-values.ts'
import type { Sync } from '../core/provider.ts'
import type { Note, Ruling } from '../core/ruling.ts'
import type { Settings } from '../core/settings.ts'
import { changeOf } from './change.ts'
import type { Evidence } from './evidence.ts'
import { contradictions, type Declarations, declarationsOf, feedOf, isAt, misplaced, resolveNames } from './feeds.ts'
import { decideGate, decideWholeRun } from './gate.ts'
import type { Node, Project } from './lineage.ts'
import { isRenewed, wasTouched } from './states.ts'

/** What dbt has to say, sync by sync. */
export class Rulings {
  readonly #projects: readonly Project[]
  readonly #declarations: Declarations
  /** Whether anything is known of what dbt did; else there is the lineage alone. */
  readonly #hasBuilt: boolean
  /** Why nothing is known. */
  readonly #why: string

  /** `why`: what is said where nothing is known of what dbt did. */
  constructor(
    { projects, builtAt }: Pick<Evidence, 'projects' | 'builtAt'>,
    facts: ProviderFacts,
    why = 'dbt has not built yet',
  ) {
    this.#projects = projects
    this.#declarations = declarationsOf(projects, facts)
    this.#hasBuilt = builtAt !== null
    this.#why = why
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
    const told = named === null ? [] : contradictions(sync.id, sync.source, named, this.#declarations, this.#projects)
    const notes = told.map((text): Note => ({ level: 'notice', text }))
    const base = { models: ids, source: feed.source, notes }
    if (gate === 'off') return { ...base, gate: 'open', reason: 'the gate is off (dbt-gate: off)' }
    const elsewhere = misplaced(sync.source, this.#projects)
    const place = elsewhere === null ? '' : `${placed(elsewhere.node)} ${elsewhere.words}`
    if (elsewhere !== null && this.#hasBuilt) return { ...base, gate: 'elsewhere', reason: place }
    if (feed.kind === 'broken') return { ...base, gate: 'broken', reason: feed.reason }
    // Whoever plans before the build may do so with another target than the build will have.
    if (!this.#hasBuilt)
      return { ...base, gate: 'open', reason: [this.#why, place].filter((text) => text !== '').join('; ') }
    const decision = feed.kind === 'known' ? decideGate(feed.nodes, gate) : decideWholeRun(feed.projects, gate)
    return { ...base, ...decision, notes: [...notes, ...decision.notes] }
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

function placed(node: Node): string {
  return node.row !== null || isRenewed(node) || node.project.retried.has(node.kind)
    ? 'dbt built'
    : 'with this target dbt builds'
}

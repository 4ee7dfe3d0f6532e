import { COLORS, isRed } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { mermaid, plain } from './safe.ts'
import { destinationOf, endOf, hasFlaws, modelName, nameOf, wordsOf } from './wording.ts'

/** More than these nobody can read, and Mermaid itself draws no more than 500 edges; the table has them all. */
const MOST_NODES = 60
const MOST_EDGES = 200

/** White on these is readable in a light page and in a dark one. */
export const CLASSES = {
  good: '#1a7f37',
  flawed: '#9a6700',
  bad: '#cf222e',
  idle: '#57606a',
} as const

/**
 * A Mermaid flowchart from the models by way of the syncs to the destinations, coloured by outcome; of those that are not good alone
 * where all would be too many. Empty where it would not show what one look at the table does not: for one sync, or where no model is known.
 */
export function lineageOf(results: readonly Result[]): string {
  if (results.length < 2) return ''
  return (
    draw(results, 'From models to destinations') ||
    draw(results.filter(isRed), 'From models to destinations: what did not go well')
  )
}

function draw(results: readonly Result[], title: string): string {
  const models = new Names('m', modelLabels(results))
  const destinations = new Names('d')
  const syncs: string[] = []
  const edges: string[] = []
  for (const [index, result] of results.entries()) {
    const id = `s${index}`
    const { mark, words } = wordsOf(result)
    syncs.push(`${id}["${mermaid(`${mark} ${shorter(nameOf(result.sync))} · ${words}`, 100)}"]:::${classOf(result)}`)
    for (const model of result.ruling?.models ?? []) edges.push(`${models.idOf(model)} --> ${id}`)
    const destination = destinationOf(result.sync)
    if (destination !== '') edges.push(`${id} --> ${destinations.idOf(destination)}`)
  }
  const nodes = [...models.nodes('["', '"]'), ...syncs, ...destinations.nodes('(["', '"])')]
  if (models.size === 0 || nodes.length > MOST_NODES || edges.length > MOST_EDGES) return ''
  const classes = Object.entries(CLASSES).map(
    ([name, fill]) => `classDef ${name} fill:${fill},stroke:${fill},color:#fff`,
  )
  const lines = ['flowchart LR', ...[...nodes, ...edges, ...classes].map((line) => `  ${line}`)]
  return [`### ${title}`, '', '```mermaid', ...lines, '```', ''].join('\n')
}

/** The colour of an outcome. */
export function classOf(result: Result): keyof typeof CLASSES {
  const { outcome } = result
  if (isRed(result)) return 'bad'
  if (COLORS[endOf(result)] === 'red') return 'flawed'
  if (hasFlaws(result)) return 'flawed'
  return outcome === 'skipped' || outcome === 'planned' ? 'idle' : 'good'
}

/** The names of models, with their package where there are several of a name. */
function modelLabels(results: readonly Result[]): (id: string) => string {
  const ids = new Set(results.flatMap(({ ruling }) => ruling?.models ?? []))
  const homes = Map.groupBy(ids, modelName)
  return (id) => ((homes.get(modelName(id))?.length ?? 0) > 1 ? id.split('.').slice(1).join('.') : modelName(id))
}

const LONGEST_NAME = 60

/** How a sync ended is worth more than the end of its name. */
function shorter(name: string): string {
  return name.length > LONGEST_NAME ? plain(name, LONGEST_NAME) : name
}

/** Gives every name one id, the first time it is named. */
class Names {
  readonly #prefix: string
  readonly #labelOf: (name: string) => string
  readonly #ids = new Map<string, string>()
  constructor(prefix: string, labelOf = (name: string) => name) {
    this.#prefix = prefix
    this.#labelOf = labelOf
  }

  get size(): number {
    return this.#ids.size
  }

  idOf(name: string): string {
    const id = this.#ids.get(name) ?? `${this.#prefix}${this.#ids.size}`
    this.#ids.set(name, id)
    return id
  }

  nodes(before: string, after: string): string[] {
    return [...this.#ids].map(([name, id]) => `${id}${before}${mermaid(this.#labelOf(name))}${after}`)
  }
}

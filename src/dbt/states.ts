import { HOLD_ROWS, type Node, type Test, UNTESTED } from './lineage.ts'

/** What dbt did with a node, as far as data is concerned. */
export type State =
  | 'built'
  /** Kept as it was, because nothing has changed. */
  | 'current'
  | 'partial'
  | 'failed'
  | 'skipped'
  | 'unknown'
  /** Ephemeral: part of the models that read it, so that their states speak for it. */
  | 'look-through'
  | 'source'
  | 'stale-source'
  /** Another project's, which was not given. */
  | 'neutral'
  | 'not-run'

/** Statuses, of whatever kind of node, that nobody has to worry about. */
export const GOOD = ['success', 'pass', 'warn', 'reused', 'no-op']

const BUILT: ReadonlyMap<string, State> = new Map<string, State>([
  ['success', 'built'],
  ['warn', 'built'], // dbt 2
  ['reused', 'current'],
  ['no-op', 'current'],
  ['partial success', 'partial'],
  ['error', 'failed'],
  ['fail', 'failed'],
  ['runtime error', 'failed'],
  ['skipped', 'skipped'],
])

export function stateOf(node: Node): State {
  const status = node.row?.status
  if (node.kind === 'source') {
    return status === undefined || status === 'pass' || status === 'warn' ? 'source' : 'stale-source'
  }
  const ephemeral = node.materialized === 'ephemeral' || !BUILDABLE.includes(node.kind)
  if (status === undefined) {
    if (ephemeral) return 'look-through'
    return node.external ? 'neutral' : 'not-run'
  }
  const state = BUILT.get(status) ?? 'unknown'
  // dbt 2 has rows for what is ephemeral, and calls it skipped.
  return ephemeral && ['built', 'current', 'skipped'].includes(state) ? 'look-through' : state
}

const BUILDABLE = [...HOLD_ROWS, 'function']

type TestState = 'passed' | 'warned' | 'untested' | 'bad'

export function testStateOf({ row }: Test): TestState {
  switch (row?.status) {
    case 'pass':
    case 'reused':
      return 'passed'
    case 'warn':
      return 'warned'
    default:
      return row === null || UNTESTED.includes(row.status) ? 'untested' : 'bad'
  }
}

/** Metrics, exposures and the like have no data of their own, nor has an ephemeral model. */
export function isPassage(node: Node): boolean {
  return node.kind !== 'source' && (!BUILDABLE.includes(node.kind) || node.materialized === 'ephemeral')
}

/** Whether its data is new, or that of what it shows. */
export function isRenewed(node: Node): boolean {
  return someBehind(node, (behind) => stateOf(behind) === 'built')
}

/** Whether this dbt invocation has done anything about its data, or tried to. */
export function wasTouched(node: Node): boolean {
  return someBehind(node, (behind) => behind.kind !== 'source' && behind.row !== null && stateOf(behind) !== 'current')
}

/** Asks the node itself, or those whose data it shows: a view that was not built again is as new as what it selects from. */
function someBehind(node: Node, holds: (behind: Node) => boolean, seen = new Set<Node>()): boolean {
  if (seen.has(node)) return false
  seen.add(node)
  const state = stateOf(node)
  const isWindow = node.materialized === 'view' && (state === 'not-run' || state === 'current')
  if (!isWindow && state !== 'look-through') return holds(node)
  return node.parents.some((parent) => someBehind(parent, holds, seen))
}

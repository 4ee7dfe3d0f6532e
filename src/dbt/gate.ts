import type { GateMode, Note, Ruling } from '../core/ruling.ts'
import type { Row } from './artifacts.ts'
import { kindOf, type Node, nameOfNode, type Project, type Test } from './lineage.ts'
import { GOOD, isPassage, isRenewed, type State, stateOf, testStateOf } from './states.ts'

export type Decision = Pick<Ruling, 'gate' | 'reason' | 'hint' | 'notes'>
type Mode = Exclude<GateMode, 'off'>

/** A node on the way to a sync: 0 steps for what the sync reads. */
interface Place {
  node: Node
  steps: number
}

/** A reason to close the gate, and the most lenient mode that minds it. */
interface Objection {
  from: Mode
  text: string
  steps: number
  /** It was skipped because of something else: not what a person has to look at. */
  isConsequence?: boolean
}

const STRICTNESS: readonly Mode[] = ['direct', 'upstream', 'strict']

/** Decides for a sync that reads these nodes. */
export function decideGate(mapped: readonly Node[], mode: Mode): Decision {
  const places = walk(mapped)
  const projects = new Set(places.map(({ node }) => node.project))
  const objections = [...objectionsTo(places), ...[...projects].flatMap(strangersOf)]
  return decide(places, objections, mode, [...projects])
}

/** Decides for a sync of which nobody knows what it reads: everything that ran in these projects has to be good. */
export function decideWholeRun(projects: readonly Project[], mode: Mode): Decision {
  const ran = projects.flatMap(({ nodes }) =>
    [...nodes.values()].filter(({ row, tests }) => row !== null || tests.some((test) => test.row !== null)),
  )
  const places = walk(ran)
  const all = projects.flatMap(({ nodes, kinds }) => [...nodes.values()].filter(({ kind }) => kinds.has(kind)))
  const loose = projects.flatMap(({ looseTests }) => looseTests.flatMap((test) => objectionOf(test, 'direct', 0, '')))
  return decide(places, [...objectionsTo(places), ...loose, ...projects.flatMap(strangersOf)], mode, projects, all)
}

/** `wanted`: where nobody knows what is read, all that must have been built by a dbt that may have been stopped halfway. */
function decide(
  places: readonly Place[],
  objections: readonly Objection[],
  mode: Mode,
  projects: readonly Project[],
  wanted: readonly Node[] | null = null,
): Decision {
  const strictness = ({ from }: Objection) => STRICTNESS.indexOf(from)
  const sorted = objections.toSorted(
    (a, b) => strictness(a) - strictness(b) || a.steps - b.steps || (a.text < b.text ? -1 : 1),
  )
  const minded = sorted.filter((objection) => strictness(objection) <= STRICTNESS.indexOf(mode))
  const causes = minded.filter(({ isConsequence }) => !isConsequence)
  const [first, ...others] = causes.length > 0 ? causes : minded
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `, and ${count(others.length, 'more reason')}`
    return { gate: 'closed', reason: first.text + more, notes: [] }
  }

  const read = places.filter(({ node, steps }) => steps === 0 && stateOf(node) !== 'look-through')
  // Whoever reads nothing but sources reads what others load: dbt has no news of that.
  const isForeign = wanted === null && read.length > 0 && read.every(({ node }) => node.kind === 'source')
  const isNew = (node: Node) => isForeign || isRenewed(node) || isRepeated(node)
  const built = read.filter(({ node }) => isNew(node))
  const idle = read.filter(({ node }) => stateOf(node) === 'not-run' && !isNew(node))
  if (built.length === 0) {
    const reason = idle.length === read.length ? 'did not build' : 'changed nothing in'
    return {
      gate: 'not-built',
      reason: `dbt ${reason} ${read.length === 0 ? 'anything' : list(read)} this time`,
      notes: [],
    }
  }

  const tests = places.flatMap((place) => place.node.tests.map((test) => ({ ...place, test })))
  const isExcused = (node: Node) => isRepeated(node) && node.project.isRetested
  const untested = tests.filter(({ test, node }) => testStateOf(test) === 'untested' && !isExcused(node))
  const near = mode === 'direct' ? untested.filter(({ steps }) => steps === 0) : untested
  const stopped = stoppedAt(idle, near, projects, wanted ?? [])
  if (stopped !== null) return { gate: 'closed', reason: stopped, hint: 'dbt-stopped', notes: [] }
  if (mode === 'strict') {
    const lack = gapsOf(idle, untested)[0] ?? lackOf(places)
    if (lack !== undefined) return { gate: 'closed', reason: lack, notes: [] }
  }
  const passed = distinct(tests.filter(({ test }) => testStateOf(test) === 'passed'))
  const what = isForeign
    ? `${list(built)} ${built.length === 1 ? 'is' : 'are'} not built by dbt`
    : `dbt built ${list(built)}`
  // Where no test ran at all, or no unit test, dbt was run without them on purpose.
  const missed = untested.filter(({ test, node }) => node.project.ran.has(kindOf(test.id)))
  return {
    gate: 'open',
    reason: `${what}${passed === 0 ? '' : `, and ${count(passed, 'test')} passed`}`,
    notes: [
      ...sorted.map(({ text }): Note => ({ level: 'warning', text })),
      ...gapsOf(idle, missed).map((text): Note => ({ level: 'notice', text })),
      ...(read.some(({ node }) => isRepeated(node) && !isRenewed(node)) ? [REPEATED] : []),
    ],
  }
}

interface Tested extends Place {
  test: Test
}

function gapsOf(idle: readonly Place[], untested: readonly Tested[]): string[] {
  return [...(idle.length === 0 ? [] : [notBuilt(idle)]), ...(untested.length === 0 ? [] : [notRun(untested)])]
}

/** Whether dbt was stopped before it came to what counts here, as far as that can be told, in words. Only of a job that has failed. */
function stoppedAt(
  idle: readonly Place[],
  untested: readonly Tested[],
  projects: readonly Project[],
  wanted: readonly Node[],
): string | null {
  const cutOff = untested.filter(({ test, node }) => node.project.isBroken && test.row?.isCutOff)
  if (cutOff.length > 0) return `dbt was stopped at its first failure, and ${notRun(cutOff)} because of that`
  if (!projects.some(({ isDoubtful }) => isDoubtful)) return null
  const left = wanted.filter((node) => stateOf(node) === 'not-run' && !isRenewed(node)).map((node) => ({ node }))
  // Unit tests come before their model: where it was built without them, they were left out on purpose.
  const others = untested.filter(({ test }) => kindOf(test.id) !== 'unit_test')
  const gap = left.length > 0 ? notBuilt(left) : gapsOf(idle, others)[0]
  return gap === undefined ? null : `${UNEXPLAINED}, and ${gap}`
}

/** Somebody who stops dbt halfway leaves results in which all is good that it came to. */
const UNEXPLAINED = 'an earlier step of this job has failed, nothing that dbt left says why'
const REPEATED: Note = {
  level: 'notice',
  text: 'these are the results of dbt retry, which lists what it repeated: the rest counts as built before it',
}

function isRepeated(node: Node): boolean {
  return node.project.retried.has(node.kind) && stateOf(node) === 'not-run'
}

function notBuilt(some: readonly { node: Node }[]): string {
  return `dbt did not build ${list(some)} this time`
}

function notRun(tests: readonly Tested[]): string {
  return `${count(distinct(tests), 'test')} did not run`
}

/** A test that reads several models is one. */
function distinct(tests: readonly Tested[]): number {
  return new Set(tests.map(({ test }) => test.id)).size
}

/** What `strict` asks for beyond the absence of trouble: everything upstream was built, and everything that is read has a test. */
function lackOf(places: readonly Place[]): string | undefined {
  const idle = places.find(({ node }) => stateOf(node) === 'not-run' && !isRepeated(node))
  if (idle !== undefined) return `${describe({ ...idle, steps: 0 })} was not built this time${away(idle.steps)}`
  const bare = places.find(({ node, steps }) => steps === 0 && stateOf(node) === 'built' && node.tests.length === 0)
  return bare === undefined ? undefined : `${describe(bare)} has no test`
}

/** The mapped nodes and everything upstream of them, each with the fewest steps. What is ephemeral stands for its parents. */
function walk(mapped: readonly Node[]): Place[] {
  const places = new Map<Node, Place>()
  let front: Place[] = mapped.map((node) => ({ node, steps: 0 }))
  for (const place of front) places.set(place.node, place)
  while (front.length > 0) {
    const next: Place[] = []
    for (const { node, steps } of front) {
      const away = steps === 0 && isPassage(node) ? 0 : steps + 1
      for (const parent of node.parents) {
        const known = places.get(parent)
        if (known !== undefined && known.steps <= away) continue
        const place = { node: parent, steps: away }
        places.set(parent, place)
        next.push(place)
      }
    }
    front = next
  }
  return [...places.values()]
}

const TROUBLES: Partial<Record<State, string>> = {
  failed: 'failed',
  skipped: 'was skipped',
  partial: 'was built in part only',
  'stale-source': 'is not fresh',
}

function objectionsTo(places: readonly Place[]): Objection[] {
  return places.flatMap(({ node, steps }) => {
    const from = steps === 0 ? 'direct' : 'upstream'
    const state = stateOf(node)
    const trouble = state === 'unknown' ? `has a status that is not known, "${node.row?.status}"` : TROUBLES[state]
    const own: Objection[] =
      trouble === undefined
        ? []
        : [
            {
              from,
              text: `${describe({ node, steps: 0 })} ${trouble}${away(steps)}`,
              steps,
              isConsequence: state === 'skipped',
            },
          ]
    const gone = node.missing.map(
      (id): Objection => ({
        from: 'upstream',
        text: `${describe({ node, steps })} depends on ${id}, which the manifest does not have`,
        steps: steps + 1,
      }),
    )
    const tested = node.tests.flatMap((test) => objectionOf(test, from, steps, ` on ${describe({ node, steps })}`))
    return [...own, ...gone, ...tested]
  })
}

function objectionOf(test: Test, from: Mode, steps: number, where: string): Objection[] {
  const state = testStateOf(test)
  if (state !== 'bad' && state !== 'warned') return []
  return [{ from: state === 'bad' ? from : 'strict', text: `test ${test.name} ${inWords(test.row)}${where}`, steps }]
}

/** Trouble that the graph has no place for: nobody can say what it feeds. A failed hook comes after the models. */
function strangersOf({ strays }: Project): Objection[] {
  return strays.flatMap((row): Objection[] => {
    if (row.id.startsWith('operation.')) {
      const isGood = ['success', 'pass', 'skipped', 'no-op'].includes(row.status)
      return isGood ? [] : [{ from: 'strict', text: `hook ${row.id.split('.').at(-1)} ${inWords(row)}`, steps: 0 }]
    }
    const isGood = GOOD.includes(row.status)
    const text = `${row.id} ${inWords(row)}, and the manifest does not know what it feeds`
    return isGood ? [] : [{ from: 'direct', text, steps: 0 }]
  })
}

function inWords(row: Row | null): string {
  const found = row?.failures ? ` (${count(row.failures, 'row')})` : ''
  switch (row?.status) {
    case 'fail':
      return `failed${found}`
    case 'warn':
      return `warned${found}`
    case 'error':
      return 'ended with an error'
    case 'skipped':
      return 'was skipped'
    default:
      return `has a status that is not known, "${row?.status}"`
  }
}

/** `model shop.customers, one step upstream`. */
function describe({ node, steps }: Place): string {
  return `${node.kind} ${nameOfNode(node)}${away(steps)}`
}

function away(steps: number): string {
  if (steps === 0) return ''
  return steps === 1 ? ', one step upstream' : `, ${steps} steps upstream`
}

function list(some: readonly { node: Node }[]): string {
  const names = some.map(({ node }) => nameOfNode(node)).sort()
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

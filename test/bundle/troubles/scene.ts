// What the scenes of docs/troubleshooting.md are made of: a step of the bundle, or the action below its shell in virtual time.
import type { Hint } from '../../../src/core/hint.ts'
import type { Inputs } from '../../../src/core/inputs.ts'
import { Host } from '../../../src/host.ts'
import { Census } from '../../../src/providers/census.ts'
import { annotationsOf } from '../../../src/report/annotations.ts'
import { HINTS } from '../../../src/report/hints.ts'
import { createLog } from '../../../src/report/log.ts'
import { systemClock } from '../../../src/system-clock.ts'
import { runMain, type Step, type StepOptions } from '../../runner/runner.ts'
import { Simulator, type SimulatorOptions } from '../../simulator/index.ts'
import { Rehearsal } from '../../support/in-memory.ts'
import { play, type Scene } from '../stage.ts'

/** Something that goes wrong, and the headings of the page that somebody finds who looks for what is printed then. */
export interface Trouble {
  name: string
  texts: readonly string[]
  show(): Promise<Shown>
}

/** What there is to read of a step. */
export interface Shown {
  /** Log, annotations and job summary, without what keeps them from being markup. */
  text: string
  /** The errors among the annotations, each with its further lines. */
  errors: readonly string[]
  /** What kinds of trouble it tells of. */
  hints: ReadonlySet<Hint>
}

const NOBODY = new Host(
  { send: () => Promise.reject(new Error('nobody is asked')) },
  { baseUrl: '', headers: {}, clock: systemClock, secrets: [], onDate: () => {}, onPause: () => {} },
)
const { advice } = new Census({ host: NOBODY, baseUrl: '', token: '', apiVersion: 'auto', groupId: null })

function isHint(name: string): name is Hint {
  return Object.hasOwn(HINTS, name)
}

export const ALL_HINTS: readonly Hint[] = Object.keys(HINTS).filter(isHint)

/** A step as somebody reads it. A hint is known by its words, in the annotations or the summary. */
export function shown(...steps: readonly Step[]): Shown {
  const texts = steps.flatMap(({ lines, commands, summary }) => [
    ...lines,
    ...commands
      .filter(({ name }) => SEEN.includes(name))
      .flatMap(({ properties, text }) => [properties.title ?? '', text]),
    rendered(summary),
  ])
  // Only the simulator is spoken to in plain http: a workflow that is as it should be never prints this.
  const text = readable(texts.join('\n')).replaceAll(/^base-url: "http:\/\/127\.0\.0\.1:.* is plain http.*$/gm, '')
  const errors = steps.flatMap(({ commands }) => commands.filter(({ name }) => name === 'error').map((one) => one.text))
  const hints = new Set(
    ALL_HINTS.filter((hint) =>
      [HINTS[hint], advice[hint]].some((words) => words !== undefined && text.includes(words)),
    ),
  )
  return { text, errors: errors.map(readable), hints }
}

const SEEN = ['error', 'warning', 'notice', 'group']

/** Without what shows as nothing or as a blank. */
function readable(text: string): string {
  return text.replaceAll('\u200b', '').replaceAll('\u00a0', ' ')
}

/** Markdown with entities and backslashes as they show. */
function rendered(markdown: string): string {
  return markdown
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll(/\\([\\`*_[\]~$|!])/g, '$1')
}

/** A step of the bundle against the simulator. Its token is one for version 2: version 1 is a trouble of its own. */
export async function step({ simulator, ...scene }: Scene): Promise<Shown> {
  const provider = simulator instanceof Simulator ? simulator : new Simulator(simulator)
  const given = { 'api-token': provider.token('v2'), ...scene.with }
  return shown((await play({ ...scene, simulator: provider, with: given })).step)
}

/** A step that is never to come to its provider. */
export async function alone(given: Record<string, string>, options: Omit<StepOptions, 'with'> = {}): Promise<Shown> {
  return shown(await runMain({ 'api-token': 'a-token-of-a-test', 'sync-ids': '8290', ...given }, options))
}

/** The whole action below its shell: minutes pass at once. `prepare` may let things happen in them. */
export async function rehearse(
  inputs: Partial<Inputs>,
  options: SimulatorOptions,
  prepare: (stage: Rehearsal, heartbeat: () => void) => void = () => {},
): Promise<Shown> {
  const stage = new Rehearsal({ apiVersion: 'v1', ...inputs }, options)
  const lines: string[] = []
  const log = createLog({
    details: false,
    watches: true,
    now: () => stage.clock.now(),
    write: ({ text }) => lines.push(text),
  })
  prepare(stage, log.heartbeat)
  const report = await stage.run(log.on)
  const annotations = annotationsOf(report, false)
  const texts = [...lines, ...annotations.flatMap(({ title, text }) => [title, text])]
  return {
    text: readable(texts.join('\n')),
    errors: annotations.flatMap(({ level, text }) => (level === 'error' ? [readable(text)] : [])),
    hints: new Set(report.results.flatMap(({ hint }) => hint ?? [])),
  }
}

/** Environment that lets a process run some code before its own. */
export function first(code: string): Record<string, string> {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

/** Timers of a second and more come twenty times as soon, so that nobody sits through the time-outs of connections. */
export const HASTE = first(
  'const set = setTimeout; globalThis.setTimeout = (work, ms, ...more) => set(work, ms < 1000 ? ms : ms / 20, ...more)',
)

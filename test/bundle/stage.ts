import { runStage, type Step, type StepOptions } from '../runner/runner.ts'
import { Simulator, type SimulatorOptions, serve, type Timeline } from '../simulator/index.ts'

export interface Scene {
  simulator?: SimulatorOptions | Simulator
  /** Before the step begins. */
  prepare?(simulator: Simulator): void
  with?: Record<string, string>
  options?: Omit<StepOptions, 'with'>
}

export interface Played {
  step: Step
  simulator: Simulator
  url: string
  /** The `results` output. */
  results: Result[]
  outcomes: string[]
}

export interface Result {
  sync_id: string
  name: string
  outcome: string
  reason: string
  run_id: string | null
  adopted: boolean
  url: string
  models: string[] | null
  records: { processed: number | null; succeeded: number | null; failed: number | null; invalid: number | null }
  attempts: number
  polls: number
}

/** A step of a workflow against a provider of its own: the committed bundle, a real process, real sockets. */
export async function play({ simulator: given, prepare, with: inputs = {}, options = {} }: Scene): Promise<Played> {
  const simulator = given instanceof Simulator ? given : new Simulator(given)
  prepare?.(simulator)
  await using server = await serve(simulator)
  const ids = simulator.syncs().map(({ id }) => String(id))
  const step = await runStage('main', {
    ...options,
    with: {
      'api-token': simulator.token('v1'),
      'base-url': server.url,
      ...(inputs.mode === 'wait' ? {} : { 'sync-ids': ids.join('\n') }),
      'poll-interval-seconds': '0.05',
      ...inputs,
    },
  })
  if (simulator.problems.length > 0) throw new Error(`the simulator objects: ${simulator.problems.join('; ')}`)
  const results: Result[] = JSON.parse(step.outputs.results ?? '[]')
  return { step, simulator, url: server.url, results, outcomes: results.map(({ outcome }) => outcome) }
}

/** `POST /…/trigger` and so on, in order. */
export function requestsOf(simulator: Simulator): string[] {
  return simulator.requests.map(({ method, path }) => `${method} ${path}`)
}

export function triggersOf(simulator: Simulator): number {
  return simulator.requests.filter(({ operation }) => operation === 'trigger').length
}

export function annotations(step: Step, level: 'error' | 'warning' | 'notice'): string[] {
  return step.commands.filter(({ name }) => name === level).map(({ text }) => text)
}

/**
 * A simulator with an older run of sync 8290 that goes on until the step has looked at it three times: then two minutes pass at once.
 * `meanwhile` happens in them. So the test waits for the step, and never for a clock.
 */
export function busy(
  older: Timeline,
  syncs: SimulatorOptions['syncs'],
  meanwhile: (simulator: Simulator, now: number) => void = () => {},
): Simulator {
  let ahead = 0
  const now = () => Date.now() + ahead
  const simulator = new Simulator({ now, ...(syncs && { syncs }) })
  simulator.startRun(8290, { createdAt: now() - 60_000, timeline: older })
  simulator.faults.push((_request, { operation, nth }) => {
    if (operation === 'read-run' && nth === 3 && ahead === 0) {
      ahead = 120_000
      meanwhile(simulator, now())
    }
    return undefined
  })
  return simulator
}

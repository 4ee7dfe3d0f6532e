import type { SavedRun } from '../../../src/github/state.ts'
import { runStage } from '../../runner/runner.ts'
import { Simulator, serve, worksForever } from '../../simulator/index.ts'
import { HASTE, type Shown, shown, type Trouble } from './scene.ts'

/** The clean-up of a step that was killed, in a job that has failed. Its state is what the step had written by then. */
async function cleanUp(
  simulator: Simulator,
  runs: Partial<SavedRun>[],
  given: Record<string, string> = {},
): Promise<Shown> {
  await using server = await serve(simulator)
  const left = runs.map((run) => ({
    open: true,
    unwanted: false,
    baseline: null,
    since: 0,
    full: false,
    mayFail: false,
    ...run,
  }))
  const step = await runStage('post', {
    with: { 'api-token': simulator.token('v2'), 'base-url': server.url, 'sync-ids': '8001', ...given },
    state: Object.fromEntries(left.map((run) => [`run-${run.syncId}`, JSON.stringify(run)])),
    jobStatus: 'failure',
    env: HASTE,
  })
  return shown(step)
}

/** What the step at the end of the job says. */
export const CLEANUP: readonly Trouble[] = [
  {
    name: 'a clean-up after a step that was killed',
    texts: [
      'run … of sync … may still be going: …',
      'could not be looked after (…) and may still be going: …',
      'may have been triggered as this step stopped, but no run is seen: …',
      'is not a run of sync …, so it is left alone',
    ],
    show: () => {
      const simulator = new Simulator({
        syncs: [8001, 8002, 8003, 8004].map((id) => ({ id, timeline: worksForever() })),
      })
      const [first = '', second = ''] = [8001, 8002].map((id) => String(simulator.startRun(id)))
      simulator.faults.push((_, { operation, id }) =>
        operation === 'read-run' && String(id) === second ? { kind: 'respond', status: 502 } : undefined,
      )
      return cleanUp(simulator, [
        { syncId: '8001', runId: first },
        { syncId: '8002', runId: second, unwanted: true },
        { syncId: '8003', runId: null },
        { syncId: '8004', runId: first, unwanted: true },
      ])
    },
  },
  {
    name: 'a clean-up whose inputs are gone',
    texts: ['runs of this step may still be going, and the inputs to look after them are not there any more'],
    show: () => cleanUp(new Simulator(), [{ syncId: '8001', runId: '1' }], { 'api-token': '' }),
  },
]

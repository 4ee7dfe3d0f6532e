import {
  completesAfter,
  counted,
  failsAfter,
  Simulator,
  type SimulatorOptions,
  type Timeline,
  worksForever,
} from '../../simulator/index.ts'
import { alone, step, type Trouble } from './scene.ts'

type Syncs = NonNullable<SimulatorOptions['syncs']>

/** Completed, and nobody has counted anything. */
const uncounted: Timeline = [{ at: 0, status: 'completed' }]

/** Starts a run of a minute ago that goes on for so many milliseconds from now. */
function inTheWay(simulator: Simulator, id: number, ms: number): void {
  simulator.startRun(id, { createdAt: Date.now() - 60_000, timeline: completesAfter(60_000 + ms) })
}

const ENDS: Syncs = [
  { id: 8001, timeline: failsAfter(100, { message: 'The object Account is locked.' }) },
  { id: 8002, timeline: [{ at: 0, status: 'failed', error: { code: null, message: null, detail: null } }] },
  { id: 8003, timeline: [{ at: 0, status: 'completed', canceled: true, counts: counted() }] },
  { id: 8004, timeline: completesAfter(100, { rejected: 120 }) },
  { id: 8005, timeline: completesAfter(100, { rejected: 6 }) },
  { id: 8006, timeline: completesAfter(100, { invalid: 6 }) },
  { id: 8007, timeline: completesAfter(100, { rejected: 3, invalid: 2 }) },
  { id: 8008, timeline: uncounted },
]

/** Syncs and their runs, as far as seconds are enough. */
export const RUNS: readonly Trouble[] = [
  {
    name: 'runs that end in every way but the right one',
    texts: [
      'the provider says: …',
      'the run failed',
      'the run was cancelled at the provider',
      'the destination rejected every record (…)',
      'records rejected, more than max-failed-records allows (…)',
      'invalid records, more than max-invalid-records allows (…)',
      'rejected by the destination',
      'invalid and not sent',
      'the provider gave no record counts to hold against …',
    ],
    show: () => step({ simulator: { syncs: ENDS }, with: { 'max-failed-records': '5', 'max-invalid-records': '5' } }),
  },
  {
    name: 'syncs that cannot be run now',
    texts: [
      'the sync is paused (on-paused: …)',
      'and it may have read the data before it was ready (on-running: fail)',
      'the provider skipped the run',
      'Some syncs, such as those that append, take no full sync: …',
    ],
    show: () =>
      step({
        simulator: {
          syncs: [
            { id: 8001, paused: true },
            { id: 8002 },
            { id: 8003 },
            { id: 8004, operation: 'append', unsupportedFullSync: 'refused' },
          ],
        },
        prepare: (sim) => {
          inTheWay(sim, 8002, 60_000)
          // A run that no list shows: each trigger comes to nothing because of it.
          sim.startRun(8003, { timeline: [{ at: 0, status: 'working', listed: false }] })
        },
        with: { 'on-running': 'fail', 'full-sync': 'true' },
      }),
  },
  {
    name: 'a provider that fails in the middle',
    texts: [
      'waiting: run … is still …, and it may have read the data before it was ready',
      'run … was still … when it could not be read any more: …',
      'the history of the sync could not be read: …',
      'the run could not be read any more, …',
      'the run has completed, but its record counts could not be read',
      'there was no retry (…); …',
      'the answer to the trigger was lost, and this new run was found',
    ],
    show: () => {
      const simulator = new Simulator({
        syncs: [
          { id: 8001 },
          { id: 8002, timeline: completesAfter(100) },
          { id: 8003, timeline: uncounted },
          { id: 8004, timeline: failsAfter(0) },
          { id: 8005, timeline: completesAfter(100) },
        ],
      })
      inTheWay(simulator, 8001, 60_000)
      const isRunOf = (sync: number, run: number) => simulator.runs(sync).some(({ id }) => id === run)
      simulator.faults.push((_, { operation, id, nth }) => {
        if (operation === 'trigger' && id === 8005) return { kind: 'reset', when: 'after' }
        const isBroken =
          operation === 'read-run'
            ? isRunOf(8001, id) || isRunOf(8002, id) || (isRunOf(8003, id) && nth > 1)
            : operation === 'list-runs' && id === 8004 && nth > 1
        return isBroken ? { kind: 'respond', status: 500 } : undefined
      })
      return step({ simulator, with: { 'outage-tolerance-minutes': '0', retries: '1' } })
    },
  },
  {
    name: 'the first failure ends everything',
    texts: ['another sync failed (fail-fast); …', 'another sync failed before its turn (fail-fast)'],
    show: () =>
      step({
        simulator: {
          syncs: [{ id: 8001, timeline: worksForever() }, { id: 8002, timeline: failsAfter(200) }, { id: 8003 }],
        },
        with: { 'fail-fast': 'true', 'cancel-on': 'failure', 'max-parallel': '2' },
      }),
  },
  {
    name: 'every sync is left out',
    texts: ['None of … syncs ran. …', 'is still … (on-running: skip)'],
    show: () =>
      step({
        simulator: { syncs: [{ id: 8001 }, { id: 8002, paused: true }] },
        prepare: (sim) => inTheWay(sim, 8001, 60_000),
        with: { 'on-paused': 'skip', 'on-running': 'skip' },
      }),
  },
  {
    name: 'a step that waits for a dry run, and for one of which nobody tells the counts',
    texts: ['it was a dry run, which delivers nothing', 'the provider does not say what became of … records'],
    show: () => {
      const simulator = new Simulator({ syncs: [{ id: 8001 }, { id: 8003 }] })
      const [dry, mute] = [
        simulator.startRun(8001, { reason: 'dry-run', timeline: completesAfter(0) }),
        simulator.startRun(8003, { timeline: completesAfter(0) }),
      ]
      const told = { id: mute, sync_id: 8003, status: 'completed', records_processed: 7, records_updated: 0 }
      simulator.faults.push((_, { operation, id }) =>
        operation === 'read-run' && id === mute
          ? { kind: 'respond', status: 200, body: JSON.stringify({ status: 'success', data: told }) }
          : undefined,
      )
      return step({ simulator, with: { mode: 'wait', 'sync-ids': '', runs: `${dry} ${mute}` } })
    },
  },
  {
    name: 'a step that waits for the runs of one that had none',
    texts: ['There was no run to wait for.'],
    show: () => alone({ mode: 'wait', 'sync-ids': '', runs: '[]' }),
  },
  {
    name: 'a step that always() lets run in a cancelled workflow',
    texts: ['the workflow was cancelled before …'],
    show: () => alone({}, { jobStatus: 'cancelled' }),
  },
]

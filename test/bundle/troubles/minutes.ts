import { Rulings } from '../../../src/dbt/rulings.ts'
import { CENSUS } from '../../../src/providers/census.ts'
import { completesAfter, type Fault, type SimulatorOptions, worksForever } from '../../simulator/index.ts'
import type { Rehearsal } from '../../support/in-memory.ts'
import { rehearse, type Trouble } from './scene.ts'

const MINUTE = 60_000
const one = { syncs: [{ id: 8290 }] }

/** Lets the first trigger of every sync go wrong. */
const losing =
  (fault: Fault) =>
  (stage: Rehearsal): void => {
    stage.simulator.failNext('trigger', fault, 9)
  }

/** A run that no list shows, so that a trigger starts one that is skipped. */
function hide(stage: Rehearsal): void {
  const timeline = [{ at: 0, status: 'working', listed: false }]
  stage.simulator.startRun(8290, { createdAt: stage.clock.wall() - MINUTE, timeline })
}

/** What takes minutes, in virtual time. */
export const MINUTES: readonly Trouble[] = [
  {
    name: 'a trigger whose answer and run are lost',
    texts: ['the answer to the trigger was lost…, and a second trigger could run the sync twice'],
    show: () => rehearse({}, one, losing({ kind: 'reset', when: 'before' })),
  },
  {
    name: 'a trigger that is lost, and no time for a second one',
    texts: ['the answer to the trigger was lost, and it could not be sent again: …'],
    show: () =>
      rehearse({ timeoutMs: MINUTE }, one, losing({ kind: 'respond', status: 503, headers: { 'retry-after': '1' } })),
  },
  {
    name: 'a trigger that is lost, and a run that is skipped',
    texts: ['the answer to a trigger was lost, and the run that was found or started then was skipped by the provider'],
    show: () =>
      rehearse({}, one, (stage) => {
        hide(stage)
        losing({ kind: 'reset', when: 'after' })(stage)
      }),
  },
  {
    name: 'a run that vanishes',
    texts: ['there is no run … that this token can see (HTTP 404)'],
    show: () =>
      rehearse({}, one, (stage) =>
        stage.simulator.script(8290, [
          { at: 0, status: 'working' },
          { at: 5 * MINUTE, vanished: true },
        ]),
      ),
  },
  {
    name: 'a run to wait for that is one of another sync',
    texts: ['the run could not be read: run … is said to be one of sync …, not of …'],
    show: () =>
      rehearse(
        { mode: 'wait', syncIds: [], runs: [{ provider: 'census', syncId: '8291', runId: '431000000' }] },
        { syncs: [{ id: 8290 }, { id: 8291 }] },
        ({ simulator }) => simulator.startRun(8290, { timeline: completesAfter(0) }),
      ),
  },
  {
    name: 'a run to wait for that is none',
    texts: ['the run could not be read: …'],
    show: () =>
      rehearse({ mode: 'wait', syncIds: [], runs: [{ provider: 'census', syncId: null, runId: '77' }] }, one, () => {}),
  },
  {
    name: 'an outage in the middle of a run that outlasts the patience',
    texts: ['the run could not be read any more, …', 'its run cannot be read for now: …'],
    show: () =>
      rehearse({}, { syncs: [{ id: 8290, timeline: worksForever() }] }, ({ simulator, clock }) =>
        simulator.faults.push(() => (clock.now() > MINUTE ? { kind: 'respond', status: 502 } : undefined)),
      ),
  },
  {
    name: 'a status that nobody knows, until the deadline',
    texts: [
      'the status "…" is not known to this version: it counts neither as an end nor as success',
      'the run had not ended in time: …',
    ],
    show: () => rehearse({}, { syncs: [{ id: 8290, timeline: [{ at: 0, status: 'hibernating' }] }] }),
  },
  {
    name: 'a workflow that is cancelled in the middle',
    texts: ['the workflow was cancelled; …'],
    show: () =>
      rehearse({}, { syncs: [{ id: 8290, timeline: worksForever() }] }, ({ clock, cancel }) =>
        clock.at(MINUTE, () => cancel.abort()),
      ),
  },
]

const QUEUE: SimulatorOptions = { syncs: [{ id: 8001, timeline: worksForever() }, { id: 8002 }, { id: 8003 }] }

/** What comes too late. */
export const TIME: readonly Trouble[] = [
  {
    name: 'runs and queues that outlast the step',
    texts: [
      'the run had not ended in time: …',
      'run … was still … when the deadline came',
      'the deadline came before the trigger',
      'unusually long: it usually takes …',
    ],
    show: () =>
      rehearse({ maxParallel: 1, timeoutMs: 20 * MINUTE }, QUEUE, ({ simulator, clock }, heartbeat) => {
        for (const hours of [3, 2, 1]) {
          simulator.startRun(8001, { createdAt: clock.wall() - 60 * hours * MINUTE, timeline: completesAfter(MINUTE) })
        }
        simulator.startRun(8003, { createdAt: clock.wall() - MINUTE, timeline: worksForever() })
        clock.at(10 * MINUTE, heartbeat)
      }),
  },
  {
    name: 'a provider that is too slow for the step',
    texts: ['the deadline came before the sync could be read'],
    show: () =>
      rehearse({ timeoutMs: MINUTE / 3 }, one, ({ simulator }) =>
        simulator.failNext('list-runs', { kind: 'hang', when: 'before' }),
      ),
  },
  {
    name: 'a provider that is too slow once a run in the way has ended',
    texts: ['the deadline came while the history of the sync was read'],
    show: () =>
      rehearse({ timeoutMs: MINUTE / 3 }, one, ({ simulator, clock }) => {
        simulator.startRun(8290, { createdAt: clock.wall() - MINUTE, timeline: completesAfter(MINUTE + 5000) })
        simulator.faults.push((_, { operation, nth }) =>
          operation === 'list-runs' && nth > 1 ? { kind: 'hang', when: 'before' } : undefined,
        )
      }),
  },
  {
    name: 'a provider that is too slow with its list of syncs',
    texts: ['the deadline came before the syncs were listed'],
    show: () =>
      rehearse({ discover: 'lineage', syncIds: [], timeoutMs: MINUTE / 3 }, one, (stage) => {
        const builtAt = stage.clock.wall()
        stage.dbt = { rulings: new Rulings({ projects: [], builtAt }, CENSUS), builtAt, problems: [], badNames: [] }
        stage.simulator.failNext('list-syncs', { kind: 'hang', when: 'before' })
      }),
  },
  {
    name: 'a run that is too long, and cannot be cancelled',
    texts: ['its run may go on: cancelling did not work (…)'],
    show: () =>
      rehearse({ cancelOn: new Set(['timeout']) }, { syncs: [{ id: 8290, timeline: worksForever() }] }, (stage) =>
        stage.simulator.failNext('cancel-run', { kind: 'respond', status: 500 }, 9),
      ),
  },
]

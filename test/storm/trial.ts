/** Trials: what a step is asked to do, what its syncs do, and what goes wrong, all at random and all as plain data. */
import type { Inputs } from '../../src/core/inputs.ts'
import type { Limit } from '../../src/core/judge.ts'
import {
  completesAfter,
  counted,
  failsAfter,
  type OnCollision,
  type RunReason,
  type SimulatorOptions,
  type SyncSettings,
  type Timeline,
  type Version,
  worksForever,
} from '../simulator/index.ts'
import { Dice } from './dice.ts'
import { type Weather, weather } from './weather.ts'

const SECOND = 1000
const MINUTE = 60_000

export interface Trial {
  readonly seed: number
  readonly number: number
  readonly syncs: readonly TrialSync[]
  readonly policy: Policy
  readonly vendor: Vendor
  /** How long before the step dbt's build was over; null: the step knows nothing of dbt. */
  readonly builtAgo: number | null
  /** When the workflow is cancelled. */
  readonly cancelAt: number | null
  readonly weather: Weather
}

export interface TrialSync {
  readonly id: number
  readonly paused: boolean
  readonly pausedTrigger: SyncSettings['pausedTrigger']
  readonly onCollision: OnCollision
  /** The lives of the runs that the step triggers, in order. */
  readonly ours: readonly Timeline[]
  /** Runs of others. `at` is before the start where it is negative. */
  readonly others: readonly {
    readonly at: number
    readonly reason: RunReason
    readonly full: boolean
    readonly timeline: Timeline
  }[]
}

export interface Policy
  extends Pick<
    Inputs,
    | 'full'
    | 'onFresh'
    | 'onRunning'
    | 'onPaused'
    | 'retries'
    | 'failFast'
    | 'timeoutMs'
    | 'pollIntervalMs'
    | 'outageToleranceMs'
    | 'maxFailed'
    | 'maxInvalid'
  > {
  /** With `wait` the step is given the newest run of each sync. */
  readonly mode: 'run' | 'trigger' | 'plan' | 'wait'
  readonly maxParallel: number | null
  readonly cancelOn: readonly ('cancel' | 'timeout' | 'failure')[]
}

export interface Vendor
  extends Pick<
    SimulatorOptions,
    'clockSkewMs' | 'cancelledStatus' | 'cancelTakesMs' | 'cancelQueued' | 'cancelSettled' | 'triggerErrorStatus'
  > {
  readonly token: Version
}

/** The same for the same seed and number, whatever trials came before. */
export function makeTrial(seed: number, number: number): Trial {
  const dice = new Dice(seed, number)
  const policy = makePolicy(dice)
  const count = dice.pick([1, 1, 1, 2, 2, 3, 4])
  const syncs = dice.several(count, (index) => makeSync(dice, 101 + index, policy.timeoutMs))
  return {
    seed,
    number,
    syncs,
    policy,
    vendor: {
      token: dice.pick(['v1', 'v2']),
      clockSkewMs: dice.among(
        [3, () => 0],
        [1, () => dice.int(-9000, 9000)],
        [1, () => dice.pick([-1, 1]) * dice.span(MINUTE, 60 * MINUTE)],
      ),
      cancelledStatus: dice.pick(['completed', 'failed', 'cancelled', 'working']),
      cancelTakesMs: dice.pick([0, 0, 3000, 30_000]),
      cancelQueued: dice.pick(['cancels', 'refuses']),
      cancelSettled: dice.pick(['accepted', 'not-found']),
      triggerErrorStatus: dice.pick([200, 400, 422]),
    },
    builtAgo: dice.chance(0.35) ? dice.pick([dice.int(0, 12_000), dice.span(SECOND, 20 * MINUTE)]) : null,
    cancelAt: dice.chance(0.15) ? dice.pick([dice.span(1, 90_000), dice.int(0, policy.timeoutMs)]) : null,
    weather: weather(
      dice,
      syncs.map(({ id }) => id),
      policy.timeoutMs,
    ),
  }
}

function makePolicy(dice: Dice): Policy {
  const failFast = dice.chance(0.3)
  const limit = (): Limit | null =>
    dice.among<Limit | null>(
      [6, () => null],
      [1, () => ({ count: dice.pick([0, 5, 40]) })],
      [1, () => ({ percent: dice.pick([0, 10, 50]) })],
    )
  const cancelOn = ['cancel', 'timeout', ...(failFast ? ['failure' as const] : [])] as const
  return {
    mode: dice.among<Policy['mode']>([16, () => 'run'], [2, () => 'trigger'], [1, () => 'plan'], [2, () => 'wait']),
    full: dice.chance(0.15),
    onFresh: dice.pick(['skip', 'skip', 'skip', 'trigger']),
    onRunning: dice.pick(['queue', 'queue', 'queue', 'attach', 'skip', 'fail']),
    onPaused: dice.pick(['fail', 'skip', 'trigger']),
    retries: dice.pick([0, 1, 2]),
    maxParallel: dice.pick([null, null, 1, 2]),
    failFast,
    timeoutMs: dice.among([1, () => dice.int(2000, 60_000)], [9, () => dice.span(2 * MINUTE, 60 * MINUTE)]),
    pollIntervalMs: dice.chance(0.5) ? null : dice.span(SECOND, MINUTE),
    outageToleranceMs: dice.pick([0, MINUTE, 15 * MINUTE, 15 * MINUTE]),
    maxFailed: limit(),
    maxInvalid: limit(),
    cancelOn: cancelOn.filter(() => dice.chance(0.6)),
  }
}

function makeSync(dice: Dice, id: number, horizon: number): TrialSync {
  const others: TrialSync['others'][number][] = []
  const add = (at: number, timeline: Timeline) =>
    others.push({
      at,
      timeline,
      reason: dice.pick(['schedule', 'schedule', 'manual', 'api', 'dry-run']),
      full: dice.chance(0.3),
    })
  for (const _ of dice.several(dice.pick([0, 1, 3, 12]), () => 0)) {
    // History: over long before the step.
    add(
      -dice.int(60, 600) * MINUTE,
      dice.chance(0.8) ? completesAfter(dice.span(2000, 10 * MINUTE)) : failsAfter(20_000),
    )
  }
  if (dice.chance(0.3)) add(-dice.span(SECOND, 10 * MINUTE), life(dice))
  // Near the first trigger, where a lost answer is looked into.
  if (dice.chance(0.3)) add(dice.int(-5000, 70_000), life(dice))
  if (dice.chance(0.2)) add(dice.int(0, horizon), life(dice))
  return {
    id,
    paused: dice.chance(0.05),
    pausedTrigger: dice.pick(['runs', 'refuses']),
    onCollision: dice.pick(['skip-run', 'skip-run', 'skip-run', 'error-200', 'conflict-409']),
    ours: dice.several(6, () => life(dice)),
    others,
  }
}

/** The life of a run. */
function life(dice: Dice): Timeline {
  const ms = dice.pick([dice.span(500, 30_000), dice.span(5000, 15 * MINUTE)])
  const plain = dice.among<Timeline>(
    [12, () => completesAfter(ms)],
    [3, () => completesAfter(ms, { rejected: dice.pick([1, 30, 120]), invalid: dice.pick([0, 0, 7]) })],
    [1, () => completesAfter(ms, { invalid: dice.int(1, 120) })],
    [5, () => failsAfter(ms)],
    [
      1,
      () =>
        working(ms, { status: dice.pick(['completed', 'failed', 'cancelled', 'canceled', 'working']), canceled: true }),
    ],
    [1, () => working(ms, { status: dice.pick(['cancelled', 'canceled']) })],
    [1, () => [{ at: dice.pick([0, ms]), status: 'skipped' }]],
    // A word that nobody knows, with all the signs of a good end; it may go on to a real one.
    [1, () => working(ms, { status: 'hibernating', counts: counted() })],
    [
      1,
      () =>
        working(
          ms,
          { status: 'hibernating' },
          { at: 2 * ms, status: dice.pick(['completed', 'failed']), counts: counted() },
        ),
    ],
    [1, () => working(ms, { vanished: true })],
    [1, () => worksForever()],
    // The counters never come, or come a moment after the end.
    [1, () => working(ms, { status: 'completed' })],
    [
      1,
      () =>
        working(
          ms,
          { status: 'completed' },
          { at: ms + dice.int(1, 900), counts: counted({ rejected: dice.pick([0, 2, 120]) }) },
        ),
    ],
    // Backwards, as a run that the provider itself tries again.
    [
      1,
      () =>
        working(
          ms,
          { status: 'retrying' },
          { at: ms + 500, status: 'queued' },
          { at: 2 * ms, status: 'completed', counts: counted() },
        ),
    ],
  )
  return dice.among<Timeline>(
    [8, () => plain],
    [1, () => hidden(plain, 'visible', dice.pick([dice.span(500, 58_000), dice.span(58_000, 5 * MINUTE)]))],
    [2, () => hidden(plain, 'listed', dice.pick([dice.span(500, 58_000), dice.span(58_000, 5 * MINUTE)]))],
  )
}

type Change = Timeline[number]

function working(ms: number, end: Omit<Change, 'at'>, ...later: Change[]): Timeline {
  return [{ at: 0, status: 'queued' }, { at: Math.round(ms / 4), status: 'working' }, { at: ms, ...end }, ...later]
}

/** The same life, which shows only later. */
function hidden(timeline: Timeline, what: 'visible' | 'listed', until: number): Timeline {
  const off: Change = { at: 0, ...(what === 'visible' ? { visible: false } : { listed: false }) }
  const on: Change = { at: until, ...(what === 'visible' ? { visible: true } : { listed: true }) }
  return [off, ...timeline, on].toSorted((one, other) => one.at - other.at)
}

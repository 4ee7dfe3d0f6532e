import { checkBaseUrl } from '../../src/address.ts'
import type { Inputs } from '../../src/core/inputs.ts'
import { parseInputs } from '../../src/core/parse-inputs.ts'
import type { Dbt } from '../../src/dbt/consult.ts'
import { weigh } from '../../src/dbt/evidence.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import type { Report } from '../../src/report/outputs.ts'
import { summaryOf } from '../../src/report/summary.ts'
import { createTimekeeper } from '../../src/report/timeline.ts'
import {
  completesAfter,
  type Destination,
  failsAfter,
  type Simulator,
  type SimulatorOptions,
  type SyncSettings,
  worksForever,
} from '../simulator/index.ts'
import { START } from '../support/builders.ts'
import {
  check,
  evidence,
  exposure,
  FRESH,
  found,
  manifest,
  model,
  type Part,
  type Rows,
  results,
} from '../support/dbt.ts'
import { Rehearsal } from '../support/in-memory.ts'

/**
 * The nights that a job summary has to tell of: each is the whole action below its shell, played against the simulator in virtual time,
 * so that the texts are the real ones.
 */
export interface Situation {
  name: string
  summary(): Promise<string>
}

const MINUTE = 60_000

type Syncs = NonNullable<SimulatorOptions['syncs']>

const DESTINATIONS: Destination[] = [
  { id: 1, activationId: 'brisk_heron', name: 'Iterable' },
  { id: 2, activationId: 'calm_otter', name: 'Salesforce' },
  { id: 3, activationId: 'quick_finch', name: 'HubSpot' },
]

function reading(table: string): SyncSettings['source'] {
  return { kind: 'table', database: 'shop', schema: 'marts', table }
}

const REENGAGE = {
  id: 8290,
  label: 'Customers for re-engagement',
  source: reading('customers_for_reengagement'),
  destination: { connectionId: 1, object: 'user' },
  timeline: completesAfter(3 * MINUTE, { sourceUpdates: 412 }),
}
const ACCOUNTS = {
  id: 8291,
  label: 'Customers to accounts',
  source: reading('customers'),
  destination: { connectionId: 2, object: 'Account' },
  timeline: completesAfter(7 * MINUTE, { sourceUpdates: 9127 }),
}
const OPPORTUNITIES = {
  id: 8292,
  label: 'Orders to opportunities',
  source: reading('orders'),
  destination: { connectionId: 2, object: 'Opportunity' },
  timeline: completesAfter(4.5 * MINUTE, { sourceUpdates: 40_311 }),
}
const SHOP: Syncs = [REENGAGE, ACCOUNTS, OPPORTUNITIES]

const PROJECT: Part[] = [
  model('stg_customers'),
  model('stg_orders'),
  model('customers', ['model.shop.stg_customers', 'model.shop.stg_orders']),
  model('orders', ['model.shop.stg_orders']),
  model('customers_for_reengagement', ['model.shop.customers']),
  check('unique_customers_customer_id', ['model.shop.customers']),
  exposure('customers_to_accounts', ['model.shop.customers'], {
    config: { meta: { post_transform_sync: { provider: 'census', sync_ids: [8291] } } },
  }),
]
const BUILT: Rows = {
  'model.shop.stg_customers': 'success',
  'model.shop.stg_orders': 'success',
  'model.shop.customers': 'success',
  'test.shop.unique_customers_customer_id': 'pass',
  'model.shop.orders': 'success',
  'model.shop.customers_for_reengagement': 'success',
}

/** What dbt has left: all good, or with these rows in place of others. */
function built(rows: Rows = {}): Dbt {
  const given = found({ manifest: manifest(PROJECT), results: results({ ...BUILT, ...rows }) })
  const weighed = evidence([given])
  return { rulings: new Rulings(weighed, CENSUS), builtAt: weighed.builtAt, problems: [], badNames: [] }
}

interface Night {
  inputs?: Partial<Inputs>
  syncs?: Syncs
  simulator?: Partial<SimulatorOptions>
  dbt?: Dbt
  prepare?(simulator: Simulator, stage: Rehearsal): void
}

async function play({ inputs = {}, syncs = SHOP, simulator = {}, dbt, prepare }: Night): Promise<string> {
  const stage = new Rehearsal(inputs, { destinations: DESTINATIONS, ...simulator, syncs })
  if (dbt !== undefined) stage.dbt = dbt
  prepare?.(stage.simulator, stage)
  const { on, spans } = createTimekeeper(() => stage.clock.now())
  const report = await stage.run(on)
  return tell(report, { mode: inputs.mode ?? 'run', tookMs: stage.clock.now(), spans })
}

function tell(report: Report, options: Partial<Parameters<typeof summaryOf>[1]>): string {
  return summaryOf(report, { mode: 'run', details: false, tookMs: 80, spans: new Map(), ...options })
}

/** As many syncs as that, of which some do not go well. */
function many(count: number, bad: (index: number) => SyncSettings['timeline'] | null): Syncs {
  return Array.from({ length: count }, (_, index) => ({
    id: 5000 + index,
    label: `Segment ${index + 1}`,
    destination: { connectionId: 1 + (index % 3), object: ['user', 'Contact', 'company'][index % 3] ?? '' },
    timeline: bad(index) ?? completesAfter((40 + (index % 7) * 25) * 1000, { sourceUpdates: 100 + index }),
  }))
}

const LOCKED = {
  code: 'UNABLE_TO_LOCK_ROW',
  message:
    'Salesforce rejected the batch: unable to obtain exclusive access to this record "0015g00000XyZ" (jo@shop.example)',
}

/** Names as nobody should choose them, and somebody will. */
const HOSTILE = [
  'Orders "final" [v2] (new) | all',
  '🚀 Launch :: users, <b>bold</b> `code`',
  'עברית and العربية #1 @team',
  'end subgraph; click section: title %% done --> https://evil.example',
]

export const SITUATIONS: Situation[] = [
  { name: 'one-good', summary: () => play({ syncs: [REENGAGE] }) },
  { name: 'three-good', summary: () => play({ dbt: built() }) },
  {
    // The main picture of the README.
    name: 'failing',
    summary: () =>
      play({
        dbt: built(),
        prepare: (simulator, { clock }) => {
          simulator.script(8291, failsAfter(2.5 * MINUTE, LOCKED, { sourceUpdates: 9127 }))
          simulator.startRun(8292, { createdAt: clock.wall() - MINUTE, timeline: completesAfter(3 * MINUTE) })
        },
      }),
  },
  {
    name: 'blocked',
    summary: () =>
      play({
        inputs: { jobStatus: 'failure' },
        dbt: built({
          'test.shop.unique_customers_customer_id': { status: 'fail', failures: 3, message: 'Got 3 results' },
          'model.shop.customers_for_reengagement': 'skipped',
        }),
      }),
  },
  {
    name: 'records-rejected',
    summary: () =>
      play({
        inputs: { maxFailed: { percent: 1 } },
        prepare: (simulator) => {
          simulator.script(8290, completesAfter(3 * MINUTE, { sourceUpdates: 412, invalid: 5, rejected: 3 }))
          simulator.script(8291, completesAfter(7 * MINUTE, { sourceUpdates: 9127, rejected: 1204 }))
        },
      }),
  },
  {
    name: 'plan',
    summary: () =>
      play({
        inputs: { mode: 'plan', onPaused: 'skip' },
        dbt: { ...built(), builtAt: null },
        syncs: [REENGAGE, { ...ACCOUNTS, paused: true }, OPPORTUNITIES],
      }),
  },
  {
    name: 'plan-after-a-bad-build',
    summary: () =>
      play({
        inputs: { mode: 'plan', onRunning: 'skip' },
        dbt: built({
          'test.shop.unique_customers_customer_id': { status: 'fail', failures: 3, message: 'Got 3 results' },
        }),
        prepare: (simulator, { clock }) => {
          simulator.startRun(8292, { createdAt: clock.wall() - MINUTE, timeline: completesAfter(3 * MINUTE) })
        },
      }),
  },
  { name: 'trigger', summary: () => play({ inputs: { mode: 'trigger' } }) },
  {
    name: 'wrong-inputs',
    summary: async () => {
      const raw = { 'api-token': 'secret-token:abcdefgh', 'sync-ids': '8290 x7', 'max-parallel': 'two', mode: 'walk' }
      const parsed = parseInputs(raw, [CENSUS], checkBaseUrl, '')
      const problems = parsed.ok ? [] : parsed.problems
      const head = `Nothing was triggered: there are ${problems.length} mistakes in the inputs.`
      return tell({ conclusion: 'failure', results: [], problems: [head, ...problems] }, {})
    },
  },
  {
    name: 'token-refused',
    summary: () => play({ inputs: { token: 'secret-token:not-the-right-one' } }),
  },
  {
    name: 'stale-evidence',
    summary: () => {
      const given = found({ manifest: manifest(PROJECT), results: results(BUILT, { at: START - 30 * 60 * MINUTE }) })
      const { problems } = weigh([given], FRESH)
      return play({ dbt: { ...built(), problems } })
    },
  },
  {
    name: 'cancelled',
    summary: () =>
      play({
        prepare: (simulator, { clock, cancel }) => {
          simulator.startRun(8292, { createdAt: clock.wall() - MINUTE, timeline: worksForever() })
          clock.at(4 * MINUTE, () => cancel.abort())
        },
      }),
  },
  {
    name: 'timed-out',
    summary: () =>
      play({
        inputs: { timeoutMs: 30 * MINUTE },
        prepare: (simulator) => simulator.script(8291, worksForever()),
      }),
  },
  {
    name: 'unknown',
    summary: () =>
      play({
        prepare: (simulator) => {
          // The answer is lost on the way, and no run ever appears.
          simulator.faults.push((_request, { operation, id }) =>
            operation === 'trigger' && id === 8291 ? { kind: 'reset', when: 'before' } : undefined,
          )
        },
      }),
  },
  {
    name: 'nothing-to-sync',
    summary: () => {
      const untouched = Object.fromEntries(
        Object.keys(BUILT).flatMap((id) => (id.startsWith('model.') ? [[id, 'no-op']] : [])),
      )
      return play({
        dbt: built(untouched),
        prepare: (simulator, { clock }) => {
          for (const { id } of SHOP)
            simulator.startRun(id, { createdAt: clock.wall() - 600 * MINUTE, timeline: completesAfter(MINUTE) })
        },
      })
    },
  },
  {
    name: 'fifty',
    summary: () => play({ syncs: many(50, (index) => (index % 20 === 7 ? failsAfter(90_000, LOCKED) : null)) }),
  },
  {
    name: 'five-hundred',
    summary: () =>
      play({
        inputs: { maxParallel: 50 },
        syncs: many(500, (index) => {
          if (index % 10 === 3) return failsAfter(60_000, LOCKED)
          return index % 100 === 55 ? completesAfter(60_000, { sourceUpdates: 100, rejected: 2 }) : null
        }),
      }),
  },
  {
    name: 'hostile-names',
    summary: () =>
      play({
        syncs: HOSTILE.map((label, index) => ({ ...ACCOUNTS, id: 9000 + index, label })),
        dbt: built(),
        prepare: (simulator) =>
          simulator.script(9001, failsAfter(MINUTE, { message: `${HOSTILE.join('\n')} ::error::x` })),
      }),
  },
]

import { completesAfter, Simulator } from '../../simulator/index.ts'
import {
  check,
  exposure,
  manifest,
  model,
  node,
  type Part,
  type Rows,
  results,
  source,
  sourceResults,
} from '../../support/dbt.ts'
import { type Workspace, workspace } from '../workspace.ts'
import { step, type Trouble } from './scene.ts'

const MINUTE_AGO = () => Date.now() - 60_000

/** A model that feeds the sync with this id. */
const feeding = (id: number, name: string, on: readonly string[] = [], fields = {}): Part =>
  model(name, on, { meta: { census_sync_id: id }, ...fields })

const PARTS: readonly Part[] = [
  feeding(8001, 'orders'),
  feeding(8002, 'refunds'),
  feeding(8003, 'clicks'),
  feeding(8004, 'carts'),
  feeding(8005, 'customers'),
  check('unique_customers_id', ['model.shop.customers']),
  feeding(8006, 'events', ['source.shop.raw.events']),
  source('events'),
  feeding(8007, 'returns', ['model.shop.gone']),
  feeding(8008, 'prices', [], { schema: 'ci', relation_name: '"shop"."ci"."prices"' }),
  feeding(8009, 'stores'),
  feeding(8010, 'regions'),
  feeding(8011, 'bare'),
  feeding(8012, 'staff', ['model.shop.stores']),
  check('unique_staff_id', ['model.shop.staff']),
  feeding(8017, 'visits'),
  check('not_null_visits_id', ['model.shop.visits']),
  feeding(8018, 'shifts'),
  check('unique_shifts_id', ['model.shop.shifts']),
  exposure('board', ['model.shop.gone'], { meta: { census_sync_id: 8013 } }),
  exposure('letter', ['model.shop.orders'], { meta: { census_sync_id: 'letter' } }),
  exposure('campaign', ['model.shop.orders'], { url: 'https://app.getcensus.com/workspaces/1/models' }),
]

const ROWS: Rows = {
  'model.shop.orders': 'error',
  'model.shop.refunds': 'skipped',
  'model.shop.clicks': 'partial success',
  'model.shop.carts': 'resting',
  'model.shop.customers': 'success',
  'test.shop.unique_customers_id': { status: 'fail', failures: 3 },
  'model.shop.events': 'success',
  'model.shop.returns': 'success',
  'model.shop.prices': 'success',
  'model.shop.regions': 'no-op',
  'model.shop.bare': 'success',
  'model.shop.staff': 'success',
  'test.shop.unique_staff_id': 'pass',
  'model.shop.visits': 'success',
  'test.shop.not_null_visits_id': 'error',
  'model.shop.shifts': 'success',
}

const OTHERS: Rows = {
  'model.other.invoices': 'success',
  'model.other.unknown': 'error',
}

/** A night on which dbt has met with nearly everything, in two projects. */
function leave(job: Workspace): void {
  const at = MINUTE_AGO()
  job.write('target/manifest.json', manifest(PARTS))
  job.write('target/run_results.json', results(ROWS, { at }))
  job.write('target/sources.json', sourceResults({ 'source.shop.raw.events': 'error' }, at))
  const invoices = node('model.other.invoices', [], { meta: { census_sync_id: 8016 } })
  job.write(
    'other/manifest.json',
    manifest([invoices], { project: 'other', schema: 'v13', metadata: { invocation_id: 'two' } }),
  )
  job.write('other/run_results.json', results(OTHERS, { at }))
  job.write('other/sources.json', sourceResults({}, at))
  job.write('docs/run_results.json', results({ 'model.shop.orders': 'success' }, { at, which: 'generate' }))
  job.write('docs/sources.json', sourceResults({ 'source.shop.raw.events': 'pass' }, at - 20 * 3_600_000))
}

const IDS = Array.from({ length: 18 }, (_, index) => 8001 + index)

/** What dbt did, and what that means for the syncs. */
export const DBT_GATE: readonly Trouble[] = [
  {
    name: 'a night on which dbt has met with nearly everything',
    texts: [
      'model … failed',
      'model … was skipped',
      'model … was built in part only',
      'has a status that is not known, "…"',
      'test … failed … on model …',
      'test … ended with an error on model …',
      '… did not run',
      'source … is not fresh',
      'depends on …, which the manifest does not have',
      'dbt built …, the sync reads …',
      'dbt did not build … this time (on-not-built: skip)',
      'dbt changed nothing in … this time (on-not-built: skip)',
      'model … has no test',
      'model … was not built this time',
      'leads to …, which the manifest does not have',
      'The meta of … names no sync of census: …',
      'The url of exposure … leads to …, but to no sync.',
      'no model is …, which it reads, so all models count',
      'nothing says which models feed it, so all of them count',
      'and the manifest does not know what it feeds',
      'is left out: dbt … builds and tests nothing.',
      'sources.json is left out: it …',
      'says nothing of any source: one that dbt could not read has no row.',
      'has a newer format (v…) than this version of the action knows. …',
      'was written by another dbt command than the build. …',
    ],
    show: async () => {
      using job = workspace()
      leave(job)
      job.write('syncs.yml', {
        syncs: IDS.map((id) => ({ id, ...([8011, 8012, 8018].includes(id) && { 'dbt-gate': 'strict' }) })),
      })
      const simulator = new Simulator({ syncs: IDS.map((id) => ({ id, timeline: completesAfter(100) })) })
      const table = { kind: 'table', database: 'shop', schema: 'marts' } as const
      simulator.changeSync(8008, { source: { ...table, table: 'prices' } })
      simulator.changeSync(8014, { source: { ...table, table: 'somewhere_else' } })
      simulator.changeSync(8015, { source: { kind: 'model', name: 'Everybody', query: 'select 1' } })
      // What has once delivered is owed nothing today.
      for (const id of [8009, 8010])
        simulator.startRun(id, { createdAt: Date.now() - 7_200_000, timeline: completesAfter(1000) })
      return await step({
        simulator,
        with: { 'dbt-artifacts': 'target\nother\ndocs', config: 'syncs.yml', 'sync-ids': '' },
        options: { workspace: job.path },
      })
    },
  },
]

import { execFileSync } from 'node:child_process'
import { completesAfter, Simulator, shop } from '../../simulator/index.ts'
import { check, manifest, model, node, type ResultsOptions, type Rows, results } from '../../support/dbt.ts'
import { afterDbt, type State, type Workspace, workspace } from '../workspace.ts'
import { alone, type Shown, step, type Trouble } from './scene.ts'

const HOUR = 3_600_000
const GATED = { 'dbt-artifacts': 'target' }

type JobStatus = 'success' | 'failure'

/** A step in a workspace in which dbt has left one of the states of test/fixtures/dbt. */
async function after(
  state: string,
  given: Record<string, string> = {},
  { jobStatus = 'success', ...options }: State & { jobStatus?: JobStatus } = {},
): Promise<Shown> {
  using job = afterDbt(state, options)
  return await step({
    simulator: shop('good', { speed: 40 }),
    with: { ...GATED, ...given },
    options: { workspace: job.path, jobStatus },
  })
}

/** Results of a build of a minute ago, in a folder of their own. */
function built(
  job: Workspace,
  folder: string,
  options: ResultsOptions = {},
  rows: Rows = { 'model.shop.orders': 'success' },
) {
  job.write(`${folder}/run_results.json`, results(rows, { at: Date.now() - 60_000, ...options }))
}

const knowing = (models: readonly string[]) =>
  manifest(
    models.map((name) => model(name)),
    { metadata: { generated_at: new Date(Date.now() - 90_000).toISOString() } },
  )

/** Everything that makes a file of dbt no evidence, each in a folder of its own. */
function litter(job: Workspace): string[] {
  const git = (...words: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false', ...words],
      {
        cwd: job.path,
      },
    )
  built(job, 'committed')
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'all')
  job.write('hollow/readme.txt', 'nothing of dbt')
  job.write('manifest-alone/manifest.json', knowing(['orders']))
  built(job, 'strange', {}, { 'model.other.invoices': 'success' })
  built(job, 'foreign', { metadata: { env: { GITHUB_RUN_ID: '4711' } } })
  built(job, 'old', { at: Date.now() - 20 * HOUR })
  built(job, 'ahead', { at: Date.now() + HOUR })
  built(job, 'empty', { args: { empty: true } })
  job.write('cut/run_results.json', '{"metadata":{"dbt_schema')
  job.write('wrong/run_results.json', { metadata: {}, results: [] })
  built(job, 'ancient', { schema: 'run-results/v3' })
  job.write('undated/run_results.json', { metadata: { dbt_schema_version: 'x/run-results/v6.json' }, results: [] })
  job.write('unlisted/run_results.json', { ...results({}), results: null })
  job.write('no-manifest/manifest.json', { metadata: {} })
  built(job, 'damaged', {}, { 'model.shop.orders': { status: null } })
  job.write('locked/run_results.json/folder', '')
  return `nowhere hollow manifest-alone strange foreign old ahead empty cut wrong ancient undated unlisted no-manifest damaged locked committed`.split(
    ' ',
  )
}

/** What dbt has left, as files. */
export const DBT_FILES: readonly Trouble[] = [
  {
    name: 'files that are no evidence of anything',
    texts: [
      'what dbt left is no evidence: …',
      '… holds neither run_results.json nor manifest.json…',
      '… holds no run_results.json: dbt has not come to its end there.',
      '… has no manifest.json beside it, and no other given folder has one that knows its models. …',
      '… was made by workflow run …, not by …',
      '… ago: older than dbt-max-age-hours (…) allows. …',
      "… is dated ahead of this machine's clock (…): one of the two clocks is wrong.",
      '… comes from a dbt with …, which leaves rows out of the tables: …',
      '… is empty, cut off or no JSON: …. Did dbt end before it had written it?',
      '… is not what it should be, a … file of dbt: …',
      '… was written by a dbt older than 1.0 (…), which is not supported. Use dbt 1.0 or later.',
      '… is not a manifest of dbt: it has no metadata or no nodes.',
      '… does not say when it was made (metadata.generated_at).',
      '… has no list of results.',
      '… is damaged: result … of … has no unique_id or no status.',
      'run_results.json cannot be read (…)',
      '… is committed to the repository and unchanged since: …',
    ],
    show: async () => {
      using job = workspace()
      const paths = litter(job).join('\n')
      return await alone({ 'dbt-artifacts': paths, 'github-run-id': '4712' }, { workspace: job.path })
    },
  },
  {
    name: 'a dbt project in a folder of its own',
    texts: ['… does not exist, but … has a run_results.json: is that the folder you mean?'],
    show: () => after('all-good', {}, { into: 'dbt/target' }),
  },
  {
    name: 'a place that there is not',
    texts: ['… does not exist. Paths start from the workspace, …'],
    show: () => alone({ 'dbt-artifacts': 'nowhere' }),
  },
  {
    name: 'one of two places that nobody has written to',
    texts: ['… does not exist: was the dbt step that writes it left out? …'],
    show: () => after('all-good', { 'dbt-artifacts': 'target\ntarget/test' }),
  },
  {
    name: 'documentation generated after the build',
    texts: [
      '… was written by dbt …, which has overwritten what the build had written and says nothing about the data. …',
    ],
    show: () => after('docs-after-build'),
  },
  {
    name: 'tests run after the models, into the same folder',
    texts: ['… holds tests only: dbt test has overwritten what dbt run had written. …'],
    show: () => after('run-and-test', { 'dbt-artifacts': 'target/test' }),
  },
  {
    name: 'a manifest where results were expected',
    texts: ['There is no run_results.json, so nobody can say what dbt has built.'],
    show: () => after('all-good', { 'dbt-artifacts': 'target/manifest.json' }),
  },
  {
    name: 'a dbt that ended before its first model',
    texts: ['An earlier step of this job has failed, and … holds no result: dbt has ended before its first model.'],
    show: () => after('nothing-selected', {}, { jobStatus: 'failure' }),
  },
  {
    name: 'a second dbt that ended before it could write',
    texts: ['An earlier step of this job has failed, and … is newer than the results beside it: …'],
    show: () => after('on-run-start-fail', {}, { jobStatus: 'failure' }),
  },
  {
    name: 'a dbt that was stopped halfway',
    texts: ['an earlier step of this job has failed, nothing that dbt left says why, and …'],
    show: () => after('run-and-test', { 'dbt-artifacts': 'target/run' }, { jobStatus: 'failure' }),
  },
  {
    name: 'a dbt that was stopped at its first failure',
    texts: ['dbt was stopped at its first failure, and … did not run because of that'],
    show: async () => {
      using job = workspace()
      const parts = [model('customers', [], { meta: { census_sync_id: 8290 } }), model('orders')]
      job.write('target/manifest.json', manifest([...parts, check('unique_customers', ['model.shop.customers'])]))
      const rows = {
        'model.shop.customers': 'success',
        'test.shop.unique_customers': { status: 'skipped', message: 'Skipping due to fail_fast' },
        'model.shop.orders': 'error',
      }
      built(job, 'target', {}, rows)
      return await step({
        simulator: { syncs: [{ id: 8290 }] },
        with: GATED,
        options: { workspace: job.path, jobStatus: 'failure' },
      })
    },
  },
  {
    name: 'a build of something else, with a target for tests',
    texts: ['with this target dbt builds …, the sync reads …'],
    show: async () => {
      using job = workspace()
      const elsewhere = { schema: 'ci', relation_name: '"shop"."ci"."customers"' }
      job.write('target/manifest.json', manifest([model('customers', [], elsewhere), model('orders')]))
      built(job, 'target')
      const simulator = new Simulator({ syncs: [{ id: 8290 }] })
      const source = { kind: 'table', database: 'shop', schema: 'marts', table: 'customers' } as const
      simulator.changeSync(8290, { source })
      return await step({ simulator, with: GATED, options: { workspace: job.path } })
    },
  },
  {
    name: 'an earlier step failed, and nobody asks dbt why',
    texts: ['an earlier step of this job failed, so nobody can say whether the data is good'],
    show: () => alone({}, { jobStatus: 'failure' }),
  },
  {
    name: 'a plan with results that are not used',
    texts: ['Not used: …'],
    show: () => after('all-good', { mode: 'plan' }, { ageMs: 20 * HOUR }),
  },
  {
    name: 'results and models that nobody uses',
    texts: [
      'target/run_results.json is there and not used. …',
      'The config file names models, but without the input dbt-artifacts there is no gate.',
    ],
    show: async () => {
      using job = afterDbt('all-good')
      job.write('syncs.yml', 'syncs: [{ id: 8290, models: [customers] }]')
      return await step({
        simulator: { syncs: [{ id: 8290, timeline: completesAfter(100) }] },
        with: { config: 'syncs.yml' },
        options: { workspace: job.path },
      })
    },
  },
  {
    name: 'a build of nothing, and syncs that were to be found',
    texts: ['discover: … found no sync that this dbt invocation feeds.'],
    show: () => after('nothing-selected', { 'sync-ids': '', discover: 'exposures' }),
  },
  {
    name: 'a project that names more syncs than one step takes',
    texts: ['there are … syncs, more than the 2000 of one step'],
    show: async () => {
      using job = workspace()
      const ids = Array.from({ length: 2001 }, (_, index) => index + 1)
      job.write('target/manifest.json', manifest([model('orders', [], { meta: { census_sync_ids: ids } })]))
      built(job, 'target')
      return await alone({ ...GATED, discover: 'exposures' }, { workspace: job.path })
    },
  },
  {
    name: 'a config file with models that dbt does not know',
    texts: [
      'config: sync …: models: "…" is no model of dbt.',
      'config: sync …: models: "…" is disabled in dbt.',
      'config: sync …: models: "…" means … models: give one of …',
    ],
    show: async () => {
      using job = workspace()
      const parts = [model('orders'), model('customers'), node('model.other.customers')]
      job.write('target/manifest.json', manifest(parts, { disabled: { 'model.shop.invoices': [] } }))
      built(job, 'target')
      const models = ['custmers', 'invoices', 'customers']
      job.write('syncs.yml', { syncs: models.map((name, index) => ({ id: 8001 + index, models: [name] })) })
      return await alone({ ...GATED, config: 'syncs.yml', 'sync-ids': '' }, { workspace: job.path })
    },
  },
]

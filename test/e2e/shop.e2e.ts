import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitHub, serveGitHub } from '../github-api/index.ts'
import { ROOT, runStage, type Step } from '../runner/runner.ts'
import { failsAfter, type Simulator, serve, shop } from '../simulator/index.ts'

const run = promisify(execFile)
const DBT = required('DBT')
const ACT = required('ACT')

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} must name a program: run .ci/run, which installs it`)
  return value
}

let temp = ''
beforeAll(() => {
  temp = mkdtempSync(join(tmpdir(), 'e2e-'))
})
afterAll(() => rmSync(temp, { recursive: true, force: true }))

/** A copy of the shop for the real dbt to work on. */
class Shop {
  readonly folder: string
  constructor(name: string) {
    this.folder = join(temp, name)
    cpSync(join(ROOT, 'examples', 'shop'), this.folder, {
      recursive: true,
      filter: (source) => !/target$|logs$/.test(source),
    })
    mkdirSync(join(this.folder, 'target'))
  }

  /** Runs dbt. Returns what `job.status` is after it. */
  async dbt(...words: string[]): Promise<'success' | 'failure'> {
    return await run(DBT, words, { cwd: this.folder }).then(
      () => 'success' as const,
      (error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error
        return 'failure' as const
      },
    )
  }

  /** The step after dbt, against these syncs. */
  async step(simulator: Simulator, jobStatus: 'success' | 'failure'): Promise<Step & { outcomes: string[] }> {
    await using server = await serve(simulator)
    const step = await runStage('main', {
      with: {
        'api-token': simulator.token(),
        'base-url': server.url,
        'sync-ids': '8290 8291 8292',
        'dbt-artifacts': 'target',
      },
      jobStatus,
      workspace: this.folder,
    })
    expect(simulator.problems).toEqual([])
    const results: { outcome: string }[] = JSON.parse(step.outputs.results ?? '[]')
    return { ...step, outcomes: results.map(({ outcome }) => outcome) }
  }
}

const created = (simulator: Simulator) => [8290, 8291, 8292].map((id) => simulator.runsCreated(id))

describe('after a real dbt', () => {
  test('all good: every sync delivers; a second attempt on the same build repeats only what is missing', async () => {
    const project = new Shop('good')
    const status = await project.dbt('build')
    expect(status).toBe('success')
    const simulator = shop('good', { speed: 4 })
    simulator.script(8291, failsAfter(500))
    expect(await project.step(simulator, status)).toMatchObject({
      exitCode: 1,
      outcomes: ['succeeded', 'failed', 'succeeded'],
    })
    expect(await project.step(simulator, status)).toMatchObject({
      exitCode: 0,
      outcomes: ['fresh', 'succeeded', 'fresh'],
    })
    expect(created(simulator)).toEqual([1, 2, 1])
  })

  test('a broken test: only the syncs downstream are blocked, the other ships, the job is red', async () => {
    const project = new Shop('broken')
    const status = await project.dbt('build', '--vars', '{break_customers_test: true}')
    expect(status).toBe('failure')
    const simulator = shop('good', { speed: 4 })
    const step = await project.step(simulator, status)
    expect(step).toMatchObject({ exitCode: 1, outcomes: ['blocked', 'blocked', 'succeeded'] })
    expect(created(simulator)).toEqual([0, 0, 1])
    const summary = step.summary.replaceAll('\\_', '_')
    expect(summary).toContain('8290 Customers for re-engagement')
    expect(summary).toContain(
      'test unique_customers_customer_id failed (1 row) on model shop.customers, one step upstream',
    )
  })

  test('a broken model: its sync is blocked', async () => {
    const project = new Shop('model')
    const status = await project.dbt('build', '--vars', '{break_orders_model: true}')
    const step = await project.step(shop('good', { speed: 4 }), status)
    expect(step).toMatchObject({ exitCode: 1, outcomes: ['succeeded', 'succeeded', 'blocked'] })
  })

  test('dbt docs generate after the build: red before anything is triggered, with the cure', async () => {
    const project = new Shop('docs')
    await project.dbt('build')
    await project.dbt('docs', 'generate')
    const simulator = shop('good')
    const step = await project.step(simulator, 'success')
    expect(step).toMatchObject({ exitCode: 1, outcomes: ['not_started', 'not_started', 'not_started'] })
    expect(step.log).toContain('dbt docs generate --target-path target/docs')
    expect(simulator.requests).toEqual([])
  })

  test('a build under another target triggers no production sync', async () => {
    const project = new Shop('ci')
    const simulator = shop('good')
    const step = await project.step(simulator, await project.dbt('build', '--target', 'ci'))
    expect(step).toMatchObject({ exitCode: 1, outcomes: ['blocked', 'blocked', 'blocked'] })
    expect(created(simulator)).toEqual([0, 0, 0])
  })

  test('a slim build: what is owed is brought although its models were not touched', async () => {
    const project = new Shop('slim')
    await project.dbt('build')
    const status = await project.dbt('build', '--select', 'customers_for_reengagement')
    const simulator = shop('good', { speed: 4 })
    simulator.startRun(8291, { createdAt: Date.now() - 3_600_000, timeline: failsAfter(60_000) })
    expect(await project.step(simulator, status)).toMatchObject({
      exitCode: 0,
      outcomes: ['succeeded', 'succeeded', 'skipped'],
    })
  })
})

describe('on a real workflow engine', () => {
  interface Job {
    scenario?: 'good' | 'failing'
    vars?: string
    file?: string
    /** The name of the event, and what it holds. */
    event?: [string, unknown]
    /** More environment. */
    env?: Record<string, string>
    /** May change the copy. */
    prepare?(checkout: string, url: string): void
  }

  /** Runs a workflow in a clean copy of the checkout, on this machine. */
  async function workflow({
    scenario = 'good',
    vars = '{}',
    file = 'test/e2e/workflows/after-dbt.yml',
    event: [name, payload] = ['workflow_dispatch', {}],
    env: more = {},
    prepare = () => {},
  }: Job) {
    const checkout = mkdtempSync(join(temp, 'checkout-'))
    await run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, checkout])
    // What the engine takes for the name of the repository.
    await run('git', ['-C', checkout, 'remote', 'set-url', 'origin', 'https://github.com/octo-org/shop.git'])
    const simulator = shop(scenario, { speed: 4 })
    await using server = await serve(simulator)
    prepare(checkout, server.url)
    const eventFile = join(checkout, '..', `${basename(checkout)}.json`)
    writeFileSync(eventFile, JSON.stringify(payload))
    const env = { DBT, DBT_VARS: vars, CENSUS_TOKEN: simulator.token(), CENSUS_URL: server.url, ...more }
    const given = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`])
    const secret = ['--secret', `CENSUS_TOKEN=${simulator.token()}`]
    const args = [name, '-W', file, '-e', eventFile, '-P', 'ubuntu-latest=-self-hosted', ...given, ...secret]
    const { code, log } = await run(ACT, args, { cwd: checkout, maxBuffer: 64 * 1024 * 1024 }).then(
      ({ stdout, stderr }) => ({ code: 0, log: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        log: error.stdout + error.stderr,
      }),
    )
    return { code, log, simulator }
  }

  /** Lets an example run here: the action of this checkout, the simulator, and the dbt that is installed. */
  function adapt(file: string, ...edits: [string | RegExp, string][]) {
    return (checkout: string, url: string) => {
      const path = join(checkout, file)
      const usual: [string | RegExp, string][] = [
        [/uses: post-transform-sync\/.*$/m, 'uses: ./'],
        [/^( +)api-token:/m, `$1base-url: ${url}\n$1api-token:`],
        [
          'pip install dbt-core dbt-duckdb',
          `mkdir -p bin && ln -s "${DBT}" bin/dbt && echo "$PWD/bin" >> "$GITHUB_PATH"`,
        ],
      ]
      const text = [...usual, ...edits].reduce(
        (edited, [from, to]) => {
          const next = edited.replace(from, to)
          if (next === edited && !usual.some(([known]) => known === from)) throw new Error(`${file} has no ${from}`)
          return next
        },
        readFileSync(path, 'utf8'),
      )
      writeFileSync(path, text)
    }
  }

  test('all good: the job goes on, outputs and all', async () => {
    const { code, log, simulator } = await workflow({})
    expect(log).toContain('verdict=success failed=[] blocked=[]')
    expect(log).toContain('the deploy goes on')
    expect(code).toBe(0)
    expect(simulator.runsCreated(8290)).toBe(1)
  })

  test('a sync fails: the job is red and the deploy does not happen', async () => {
    const { code, log } = await workflow({ scenario: 'failing' })
    expect(log).toContain('verdict=failure failed=["8291"] blocked=[]')
    expect(log).not.toContain('| the deploy goes on')
    expect(code).toBe(1)
  })

  test('a test of dbt fails: the step runs all the same, ships what dbt vouches for, and the job is red', async () => {
    const { code, log, simulator } = await workflow({ vars: '{break_customers_test: true}' })
    expect(log).toContain('verdict=failure failed=[] blocked=["8290","8291"]')
    expect(created(simulator)).toEqual([0, 0, 1])
    expect(code).toBe(1)
  })

  test('a list that is split over a matrix of jobs: each part is synced, and their verdicts are joined', async () => {
    const file = 'examples/workflows/many.yml'
    const [getIt = ''] = /^ +- uses: actions\/checkout@.*$/m.exec(readFileSync(join(ROOT, file), 'utf8')) ?? []
    const inParts = adapt(file, [/^ +- uses: \.\/.*$/m, `${getIt}\n      - uses: ./`], ['500] | max', '1] | max'])
    const { code, log, simulator } = await workflow({
      scenario: 'failing',
      file,
      prepare: (checkout, url) => {
        writeFileSync(join(checkout, 'syncs.txt'), '8290 # customers\n\n8291\n8292\n')
        inParts(checkout, url)
      },
    })
    // This engine lets only one job of a matrix set the outputs of all; on GitHub each sets its own.
    expect(log).toMatch(/set-output:: part-0=1 sync: 1 succeeded/)
    expect(log).toMatch(/set-output:: part-1=1 sync: 1 failed/)
    expect(log).toMatch(/set-output:: part-2=1 sync: 1 succeeded/)
    expect(log).toMatch(/\[many\/verdict\].*\|\s+part-[0-2]: 1 sync: /)
    expect(created(simulator)).toEqual([1, 1, 1])
    expect(code).toBe(1)
  })

  test.each([
    ['all good', 'good', {}, ['deploy-all', 'deploy-accounts']],
    ['the sync that a deploy needs has failed', 'failing', {}, []],
    ['another sync is blocked', 'good', { break_orders_model: true }, ['deploy-accounts']],
  ] as const)('deploys in the next job: %s', async (_what, scenario, vars, deployed) => {
    const file = 'examples/workflows/deploy-next-job.yml'
    const build = `dbt build --vars '${JSON.stringify(vars)}'`
    const { log } = await workflow({ scenario, file, prepare: adapt(file, [/dbt build$/m, build]) })
    const ran = ['deploy-all', 'deploy-accounts'].filter((job) => new RegExp(`/${job} *\\].*Job succeeded`).test(log))
    expect(ran).toEqual(deployed)
  })

  test('a pull request gets its comment, with no more of dbt than a manifest', async () => {
    const file = 'examples/workflows/pr-plan.yml'
    const github = new GitHub({ permissions: { pullRequests: 'write' } })
    const number = github.openPullRequest({ files: [{ filename: 'examples/shop/models/marts/orders.sql' }] })
    await using api = await serveGitHub(github)
    const { code, log } = await workflow({
      file,
      event: ['pull_request', { pull_request: { number, head: { repo: { full_name: 'octo-org/shop' } } } }],
      env: { GITHUB_API_URL: api.url },
      prepare: adapt(file, [/^( +)api-token:/m, `$1github-token: ${github.settings.token}\n$1api-token:`]),
    })
    expect(log).toContain('Job succeeded')
    expect(code).toBe(0)
    expect(github.comments(number).map(({ body }) => body)).toEqual([
      expect.stringContaining(
        'This change touches 1 model (orders), which feeds 1 of 3 syncs, to Salesforce · Opportunity.',
      ),
    ])
  })
})

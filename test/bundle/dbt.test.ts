import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { completesAfter, failsAfter, shop, worksForever } from '../simulator/index.ts'
import { annotations, play, triggersOf } from './stage.ts'
import { afterDbt, leave, workspace } from './workspace.ts'

const GATED = { 'dbt-artifacts': 'target' }
/** The shop as it is by day: runs end at once. */
const quick = () => shop('good', { speed: 40 })

describe.concurrent('a build with one broken test', () => {
  test.each(['1', '2'] as const)(
    'dbt %s: only the syncs downstream are blocked, the other ships, the step is red',
    async (major) => {
      using job = afterDbt('test-fail', { major })
      const { step, results, outcomes, simulator } = await play({
        simulator: quick(),
        with: GATED,
        options: { workspace: job.path, jobStatus: 'failure' },
      })
      expect(outcomes).toEqual(['blocked', 'blocked', 'succeeded'])
      expect(step.exitCode).toBe(1)
      expect(triggersOf(simulator)).toBe(1)
      expect(simulator.runsCreated(8292)).toBe(1)
      expect(step.outputs).toMatchObject({
        conclusion: 'failure',
        'blocked-count': '2',
        'blocked-sync-ids': '["8290","8291"]',
        'failed-count': '0',
        'succeeded-count': '1',
      })
      const reason = /^test unique_customers_customer_id failed \(1 row\) on model shop\.customers/
      expect(results[1]?.reason).toMatch(reason)
      expect(results[1]?.models).toEqual(['model.shop.customers'])
      expect(annotations(step, 'error').join('\n')).toMatch(
        /8291 Customers to accounts → Salesforce · Account: test unique_customers_customer_id/,
      )
      for (const text of ['unique_customers_customer_id', 'shop.customers', 'Customers to accounts', 'blocked']) {
        expect(step.summary.replaceAll('\\_', '_')).toContain(text)
      }
    },
  )

  test('on-blocked: skip reports them, and the step is green', async () => {
    using job = afterDbt('test-fail')
    const { step, outcomes } = await play({
      simulator: quick(),
      with: { ...GATED, 'on-blocked': 'skip' },
      options: { workspace: job.path, jobStatus: 'failure' },
    })
    expect(outcomes).toEqual(['blocked', 'blocked', 'succeeded'])
    expect(step.exitCode).toBe(0)
    expect(step.outputs).toMatchObject({ conclusion: 'success', 'blocked-sync-ids': '["8290","8291"]' })
    expect(annotations(step, 'error')).toEqual([])
    expect(annotations(step, 'notice')).toHaveLength(2)
  })

  test('on-blocked: skip with everything blocked: nothing was synced, and a warning says so', async () => {
    using job = afterDbt('test-fail')
    const { step, simulator } = await play({
      simulator: quick(),
      with: { ...GATED, 'on-blocked': 'skip', 'sync-ids': '8290 8291' },
      options: { workspace: job.path },
    })
    expect(step.exitCode).toBe(0)
    expect(step.outputs).toMatchObject({ conclusion: 'skipped', 'blocked-sync-ids': '["8290","8291"]' })
    expect(annotations(step, 'warning')).toContainEqual(expect.stringContaining('None of 2 syncs ran'))
    expect(triggersOf(simulator)).toBe(0)
  })
})

describe.concurrent('the plan', () => {
  test('says which models feed each sync, who says so, and what dbt did with them', async () => {
    using job = afterDbt('model-error')
    const { step } = await play({ simulator: quick(), with: GATED, options: { workspace: job.path } })
    const plan = step.lines.join('\n')
    expect(plan).toContain(
      'fed by customers, as the meta of exposure shop.customers_to_salesforce_accounts says; dbt built shop.customers, and',
    )
    expect(plan).toContain('8292 Orders to opportunities → Salesforce · Opportunity: blocked, model shop.orders failed')
  })

  test('of mode: plan stands before the build: the manifest is enough', async () => {
    using job = workspace()
    leave(job, 'all-good', { into: 'kept' })
    const inputs = { mode: 'plan', 'dbt-artifacts': 'kept/manifest.json' }
    const { step, outcomes, results, simulator } = await play({
      simulator: quick(),
      with: inputs,
      options: { workspace: job.path },
    })
    expect([step.exitCode, outcomes]).toEqual([0, ['planned', 'planned', 'planned']])
    expect(results.map(({ models }) => models)).toEqual([
      ['model.shop.customers_for_reengagement'],
      ['model.shop.customers'],
      ['model.shop.orders'],
    ])
    expect(triggersOf(simulator)).toBe(0)
  })

  test('of mode: plan before the build has nothing to warn of, in a target folder without results as well', async () => {
    using job = afterDbt('all-good')
    rmSync(join(job.path, 'target/run_results.json'))
    const { step, outcomes } = await play({
      simulator: quick(),
      with: { mode: 'plan', ...GATED },
      options: { workspace: job.path },
    })
    expect(outcomes).toEqual(['planned', 'planned', 'planned'])
    expect(annotations(step, 'warning').filter((text) => text.includes('target'))).toEqual([])
  })

  test('of mode: plan after a failure that nobody can explain is red, as the run would be', async () => {
    const { step, outcomes } = await play({
      simulator: quick(),
      with: { mode: 'plan' },
      options: { jobStatus: 'failure' },
    })
    expect([step.exitCode, outcomes]).toEqual([1, ['not_started', 'not_started', 'not_started']])
  })

  test('of mode: plan takes yesterday’s results for none', async () => {
    using job = afterDbt('test-fail', { ageMs: 20 * 3_600_000 })
    const { step, results } = await play({
      simulator: quick(),
      with: { mode: 'plan', ...GATED },
      options: { workspace: job.path },
    })
    expect(step.exitCode).toBe(0)
    expect(results.map(({ reason }) => reason)).toEqual(Array(3).fill('would trigger'))
    expect(annotations(step, 'warning')).toContainEqual(
      expect.stringContaining('Not used: target/run_results.json is from'),
    )
  })

  test('of mode: plan after a build says what would be blocked', async () => {
    using job = afterDbt('test-fail')
    const { results, step } = await play({
      simulator: quick(),
      with: { mode: 'plan', ...GATED },
      options: { workspace: job.path },
    })
    expect(results[1]?.reason).toContain('would be blocked, test unique_customers_customer_id failed')
    expect(step.exitCode).toBe(0)
    expect(step.summary).toMatch(/^## 📝 The plan: \d of 3 syncs would not ship$/m)
  })
})

describe.concurrent('a plan', () => {
  test('is not red for what a run does now, also where the sync is paused and that is no matter', async () => {
    for (const paused of [false, true]) {
      const { step, results } = await play({
        simulator: { syncs: [{ id: 8290, paused, timeline: worksForever() }] },
        prepare: (simulator) => simulator.startRun(8290, { createdAt: Date.now() - 60_000, timeline: worksForever() }),
        with: { mode: 'plan', 'on-paused': 'trigger', 'on-running': 'fail' },
      })
      expect(results).toMatchObject([{ outcome: 'planned', reason: expect.stringContaining('would be failed, run') }])
      expect(step.exitCode).toBe(0)
      expect(step.summary).toContain('📝 The plan: the sync would not ship')
      expect(step.outputs.message).toBe('1 sync: 1 would not ship.')
      expect(step.log).toContain('❌ planned: would be failed, run')
    }
  })
})

describe.concurrent('no evidence, no sync', () => {
  const refused = async (
    state: string,
    options: Parameters<typeof afterDbt>[1],
    inputs: Record<string, string> = GATED,
  ) => {
    using job = afterDbt(state, options)
    const { step, simulator, outcomes } = await play({
      simulator: quick(),
      with: inputs,
      options: { workspace: job.path },
    })
    expect(step.exitCode).toBe(1)
    expect(simulator.requests).toEqual([])
    expect(outcomes).toEqual(['not_started', 'not_started', 'not_started'])
    expect(step.outputs).toMatchObject({ conclusion: 'failure', 'failed-sync-ids': '["8290","8291","8292"]' })
    return annotations(step, 'error')
  }

  test('dbt docs generate after the build: red before anything is triggered, with the cure', async () => {
    expect(await refused('docs-after-build', {})).toEqual([
      expect.stringMatching(
        /^target\/run_results\.json was written by dbt docs generate.*dbt docs generate --target-path target\/docs/,
      ),
    ])
  })

  test('yesterday’s file', async () => {
    expect(await refused('all-good', { ageMs: 20 * 3_600_000 })).toEqual([expect.stringContaining('20 hours ago')])
  })

  test('the file of another workflow run', async () => {
    const errors = await refused('with-run-id', {}, { ...GATED, 'github-run-id': '4712' })
    expect(errors).toEqual([expect.stringContaining('was made by workflow run 4711, not by 4712')])
  })

  test('a path where nothing is', async () => {
    expect(await refused('all-good', { into: 'dbt/target' })).toEqual([
      expect.stringContaining('target does not exist, but dbt/target has a run_results.json'),
    ])
  })

  test('an earlier step failed and the results do not show why, for they are older than dbt’s crash', async () => {
    using job = afterDbt('on-run-start-fail')
    const { step, simulator } = await play({
      simulator: quick(),
      with: GATED,
      options: { workspace: job.path, jobStatus: 'failure' },
    })
    expect(step.exitCode).toBe(1)
    expect(simulator.requests).toEqual([])
  })

  test('with dbt-gate: off none is needed', async () => {
    using job = afterDbt('docs-after-build')
    const { step, outcomes } = await play({
      simulator: quick(),
      with: { ...GATED, 'dbt-gate': 'off' },
      options: { workspace: job.path },
    })
    expect([step.exitCode, outcomes]).toEqual([0, ['succeeded', 'succeeded', 'succeeded']])
    expect(annotations(step, 'warning')).toContainEqual(
      expect.stringContaining('Not used: target/run_results.json was written by'),
    )
  })
})

describe.concurrent('the evidence of this very workflow run', () => {
  test('may be from the day before yesterday', async () => {
    using job = afterDbt('with-run-id', { ageMs: 50 * 3_600_000 })
    const options = { workspace: job.path, env: { GITHUB_RUN_ID: '4711' } }
    const { outcomes } = await play({ simulator: quick(), with: GATED, options })
    // The history of the shop has good runs since then.
    expect(outcomes).toEqual(['fresh', 'fresh', 'fresh'])
  })
})

describe.concurrent('a second attempt on the same evidence', () => {
  test('triggers only what has not yet received this build', async () => {
    using job = afterDbt('all-good')
    const simulator = quick()
    simulator.script(8291, failsAfter(100))
    const first = await play({ simulator, with: GATED, options: { workspace: job.path } })
    expect(first.outcomes).toEqual(['succeeded', 'failed', 'succeeded'])
    const second = await play({ simulator, with: GATED, options: { workspace: job.path } })
    expect(second.outcomes).toEqual(['fresh', 'succeeded', 'fresh'])
    expect([8290, 8291, 8292].map((id) => simulator.runsCreated(id))).toEqual([1, 2, 1])
    expect(second.results[0]?.run_id).toBe(first.results[0]?.run_id)
  })

  test('joins the run that the first one started', async () => {
    using job = afterDbt('all-good')
    const simulator = quick()
    const inputs = { ...GATED, 'sync-ids': '8290' }
    const first = await play({ simulator, with: { ...inputs, mode: 'trigger' }, options: { workspace: job.path } })
    simulator.script(8290, completesAfter(100))
    const second = await play({ simulator, with: inputs, options: { workspace: job.path } })
    expect(second.results[0]?.run_id).toBe(first.results[0]?.run_id)
    expect(simulator.runsCreated(8290)).toBe(1)
  })
})

test('a step right after dbt: its run waits for the data to settle, so that it counts for a second attempt', async () => {
  using job = afterDbt('all-good', { ageMs: 0 })
  const began = Date.now()
  const scene = { simulator: quick(), with: { ...GATED, 'sync-ids': '8290' }, options: { workspace: job.path } }
  const first = await play(scene)
  expect(first.outcomes).toEqual(['succeeded'])
  expect(scene.simulator.requests.find(({ operation }) => operation === 'trigger')?.at).toBeGreaterThanOrEqual(
    began + 5000,
  )
  expect((await play(scene)).outcomes).toEqual(['fresh'])
})

describe.concurrent('a build of some models only', () => {
  test('skips the syncs of the others if they are well, and brings what is owed', async () => {
    using job = afterDbt('partial')
    const simulator = quick()
    simulator.startRun(8291, { createdAt: Date.now() - 60_000, timeline: failsAfter(100) })
    const { step, outcomes, results } = await play({ simulator, with: GATED, options: { workspace: job.path } })
    expect(outcomes).toEqual(['succeeded', 'succeeded', 'skipped'])
    expect(step.exitCode).toBe(0)
    expect(results[2]?.reason).toBe('dbt did not build shop.orders this time (on-not-built: skip)')
    expect(step.log).toMatch(
      /8291 .*: trigger, dbt did not build shop\.customers this time, but run \d+, its last one, did not deliver/,
    )
    expect(simulator.runsCreated(8292)).toBe(0)
  })

  test('on-not-built: trigger brings them all', async () => {
    using job = afterDbt('partial')
    const { outcomes } = await play({
      simulator: quick(),
      with: { ...GATED, 'on-not-built': 'trigger' },
      options: { workspace: job.path },
    })
    expect(outcomes).toEqual(['succeeded', 'succeeded', 'succeeded'])
  })

  test('that skips every sync says so in a warning', async () => {
    using job = afterDbt('nothing-selected')
    const { step, outcomes } = await play({ simulator: quick(), with: GATED, options: { workspace: job.path } })
    expect(outcomes).toEqual(['skipped', 'skipped', 'skipped'])
    expect([step.exitCode, step.outputs.conclusion]).toEqual([0, 'skipped'])
    expect(annotations(step, 'warning')).toContainEqual(
      expect.stringContaining('None of 3 syncs ran. 8290 Customers for re-engagement: dbt did not build'),
    )
  })
})

test('a build under another target triggers no production sync', async () => {
  using job = afterDbt('ci-target')
  const { step, outcomes, results, simulator } = await play({
    simulator: quick(),
    with: GATED,
    options: { workspace: job.path },
  })
  expect([step.exitCode, outcomes]).toEqual([1, ['blocked', 'blocked', 'blocked']])
  expect(results[1]?.reason).toBe('dbt built shop.ci_marts.customers, the sync reads shop.marts.customers')
  expect(triggersOf(simulator)).toBe(0)
})

describe.concurrent('syncs that find themselves', () => {
  const inputs = { ...GATED, 'sync-ids': '' }

  test('discover: exposures runs the syncs of what was built', async () => {
    using job = afterDbt('partial')
    const { results, outcomes } = await play({
      simulator: quick(),
      with: { ...inputs, discover: 'exposures' },
      options: { workspace: job.path },
    })
    expect(results.map(({ sync_id }) => sync_id)).toEqual(['8290'])
    expect(outcomes).toEqual(['succeeded'])
  })

  test('discover: exposures shows those whose model failed as blocked', async () => {
    using job = afterDbt('model-error')
    const { results } = await play({
      simulator: quick(),
      with: { ...inputs, discover: 'exposures' },
      options: { workspace: job.path },
    })
    expect(results.map(({ sync_id, outcome }) => `${sync_id} ${outcome}`)).toEqual([
      '8290 succeeded',
      '8291 succeeded',
      '8292 blocked',
    ])
  })

  test('discover: lineage asks the provider which syncs read what was built, and leaves paused ones out', async () => {
    using job = afterDbt('all-good')
    const simulator = quick()
    const source = { kind: 'table', database: 'SHOP', schema: 'MARTS', table: 'ORDERS' } as const
    simulator.addSync({ id: 77, source, timeline: completesAfter(50) })
    simulator.addSync({ id: 78, source, paused: true })
    simulator.addSync({ id: 79, timeline: completesAfter(50) })
    const { results } = await play({
      simulator,
      with: { ...inputs, discover: 'lineage' },
      options: { workspace: job.path },
    })
    expect(results.map(({ sync_id, outcome }) => `${sync_id} ${outcome}`).sort()).toEqual([
      '77 succeeded',
      '8290 succeeded',
      '8291 succeeded',
      '8292 succeeded',
    ])
  })

  test('discover: lineage reads every page of the list', async () => {
    using job = afterDbt('partial')
    const simulator = quick()
    for (let id = 1; id <= 130; id += 1) simulator.addSync({ id })
    const source = { kind: 'table', database: 'shop', schema: 'marts', table: 'customers_for_reengagement' } as const
    simulator.addSync({ id: 3, source, timeline: completesAfter(50) })
    const { results } = await play({
      simulator,
      with: { ...inputs, discover: 'lineage' },
      options: { workspace: job.path },
    })
    expect(results.map(({ sync_id }) => sync_id).sort()).toEqual(['3', '8290'])
    expect(simulator.requests.filter(({ operation }) => operation === 'list-syncs')).toHaveLength(2)
  })

  test('none found: nothing had to run, and a warning says so', async () => {
    using job = afterDbt('nothing-selected')
    const { step } = await play({
      simulator: quick(),
      with: { ...inputs, discover: 'exposures' },
      options: { workspace: job.path },
    })
    expect([step.exitCode, step.outputs.conclusion, step.outputs.results]).toEqual([0, 'skipped', '[]'])
    expect(annotations(step, 'warning')).toContainEqual(expect.stringContaining('discover: exposures found no sync'))
  })
})

describe.concurrent('the config file', () => {
  const config = { config: 'syncs.yml', 'sync-ids': '' }

  test('lists the syncs with settings of their own', async () => {
    using job = afterDbt('model-error')
    job.write(
      'syncs.yml',
      [
        'provider: census',
        'syncs:',
        '  - id: 8292',
        '    name: the orders',
        '    models: [customers]',
        '  - id: 8291',
        '    models: [shop.orders]',
        '    allow-failure: true',
        '  - id: 8290',
        '    retries: 1',
      ].join('\n'),
    )
    const simulator = quick()
    simulator.script(8290, failsAfter(50))
    const { step, results } = await play({ simulator, with: { ...GATED, ...config }, options: { workspace: job.path } })
    expect(results.map(({ sync_id, outcome, attempts }) => [sync_id, outcome, attempts])).toEqual([
      ['8292', 'succeeded', 1],
      ['8291', 'blocked', 0],
      ['8290', 'succeeded', 2],
    ])
    expect(results[0]?.name).toBe('the orders')
    expect([step.exitCode, step.outputs.conclusion]).toEqual([0, 'success'])
    expect(step.summary).toContain('allow-failure')
    expect(annotations(step, 'warning').join()).toContain('allow-failure')
  })

  test('is selected from by sync-ids', async () => {
    using job = workspace()
    job.write('syncs.yml', 'syncs: [{ id: 8290 }, { id: 8291 }]')
    const { results } = await play({
      simulator: quick(),
      with: { ...config, 'sync-ids': '8291' },
      options: { workspace: job.path },
    })
    expect(results.map(({ sync_id }) => sync_id)).toEqual(['8291'])
    const wrong = await play({
      simulator: quick(),
      with: { ...config, 'sync-ids': '8291 8292' },
      options: { workspace: job.path },
    })
    expect(annotations(wrong.step, 'error')).toEqual([
      expect.stringContaining('sync-ids: "8292" is not allowed. The config file does not list it'),
    ])
  })

  test('with a mistake: told with its line and column, together with the mistakes of the inputs', async () => {
    using job = workspace()
    job.write('syncs.yml', 'syncs:\n  - id: 8290\n    on-runing: skip\n')
    const { step, simulator } = await play({
      simulator: quick(),
      with: { ...config, retries: 'many' },
      options: { workspace: job.path },
    })
    expect(step.exitCode).toBe(1)
    expect(annotations(step, 'error')).toEqual([
      expect.stringMatching(/^config: syncs\.yml:3:5: .*"on-runing".*Did you mean on-running\?/),
      expect.stringMatching(/^retries: /),
    ])
    expect(simulator.requests).toEqual([])
  })

  test('with models that dbt does not have: an input error, before any request', async () => {
    using job = afterDbt('all-good')
    job.write('syncs.yml', 'syncs:\n  - id: 8290\n    models: [custmers, orders]\n')
    const { step, simulator } = await play({
      simulator: quick(),
      with: { ...GATED, ...config },
      options: { workspace: job.path },
    })
    expect(annotations(step, 'error')).toEqual([
      'config: sync 8290: models: "custmers" is no model of dbt. Did you mean customers?',
    ])
    expect([step.exitCode, step.outputs.results, simulator.requests]).toEqual([1, '[]', []])
  })
})

describe.concurrent('without dbt-artifacts', () => {
  test('results that lie in target are pointed to', async () => {
    using job = afterDbt('all-good')
    const { step } = await play({ simulator: quick(), options: { workspace: job.path } })
    expect(step.exitCode).toBe(0)
    expect(annotations(step, 'notice')).toEqual([
      expect.stringContaining('target/run_results.json is there and not used'),
    ])
  })

  test('but not to a step that waits for runs, which would refuse them', async () => {
    using job = afterDbt('all-good')
    const waiting = { mode: 'wait', 'sync-ids': '', runs: '[]' }
    const { step } = await play({ simulator: quick(), with: waiting, options: { workspace: job.path } })
    expect(step.exitCode).toBe(0)
    expect(annotations(step, 'notice')).toEqual([])
  })

  test('a setting of the gate is an error: it would protect nothing', async () => {
    const inputs = { 'dbt-gate': 'strict', 'on-blocked': 'skip', discover: 'exposures' }
    const { step, simulator } = await play({ simulator: quick(), with: inputs })
    expect(annotations(step, 'error').map((text) => text.split(':')[0])).toEqual(['dbt-gate', 'on-blocked', 'discover'])
    expect(simulator.requests).toEqual([])
  })
})

test('names from dbt that try to be commands or markup are text and nothing else', async () => {
  using job = afterDbt('test-fail')
  const hostile = '\\n::set-output name=conclusion::success\\n##[error]x <img src=x> [a](https://evil.example) @team `'
  const path = 'target'
  const { readFileSync } = await import('node:fs')
  for (const file of ['manifest.json', 'run_results.json']) {
    const text = readFileSync(`${job.path}/${path}/${file}`, 'utf8')
    job.write(
      `${path}/${file}`,
      text.replaceAll('unique_customers_customer_id', hostile).replaceAll('customers_to_salesforce_accounts', hostile),
    )
  }
  const { step, outcomes } = await play({ simulator: quick(), with: GATED, options: { workspace: job.path } })
  expect(outcomes).toContain('blocked')
  const known = ['add-mask', 'group', 'endgroup', 'error', 'warning', 'notice']
  expect(step.commands.filter(({ name }) => !known.includes(name))).toEqual([])
  expect(step.outputs.conclusion).toBe('failure')
  expect(step.summary).not.toMatch(/<img|\]\(https:\/\/evil|(?<!&#64;|\w)@team/)
})

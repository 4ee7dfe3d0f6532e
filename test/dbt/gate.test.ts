import { describe, expect, test } from 'vitest'
import { check, exposure, model, node, type Part, type Rows, rule, source, sourceResults } from '../support/dbt.ts'

/** raw_orders (source) → stg_orders (view) → orders (table), which the sync reads; each with a test. */
const CHAIN: Part[] = [
  source('orders'),
  model('stg_orders', ['source.shop.raw.orders'], { materialized: 'view' }),
  model('orders', ['model.shop.stg_orders']),
  check('unique_stg_orders_id', ['model.shop.stg_orders']),
  check('unique_orders_id', ['model.shop.orders']),
]
const GOOD: Rows = {
  'model.shop.stg_orders': 'success',
  'test.shop.unique_stg_orders_id': 'pass',
  'model.shop.orders': 'success',
  'test.shop.unique_orders_id': 'pass',
}
const without = (...ids: string[]): Rows => Object.fromEntries(Object.entries(GOOD).filter(([id]) => !ids.includes(id)))

const MODES = ['direct', 'upstream', 'strict'] as const
type Verdicts = [direct: string, upstream: string, strict: string]
const OPEN: Verdicts = ['open', 'open', 'open']
const SHUT: Verdicts = ['closed', 'closed', 'closed']
const UPSTREAM: Verdicts = ['open', 'closed', 'closed']
const STRICT: Verdicts = ['open', 'open', 'closed']
const IDLE: Verdicts = ['not-built', 'not-built', 'not-built']

/** The decision table, row by row, in every mode. Row 1, evidence that fails, is in evidence.test.ts. */
const TABLE: [row: string, rows: Rows, verdicts: Verdicts, reason?: string][] = [
  ['13: all is good', GOOD, OPEN, 'dbt built shop.orders, and 2 tests passed'],
  ['2: what it reads failed', { ...GOOD, 'model.shop.orders': 'error' }, SHUT, 'model shop.orders failed'],
  ['2: what it reads was skipped', { ...GOOD, 'model.shop.orders': 'skipped' }, SHUT, 'model shop.orders was skipped'],
  [
    '2: what it reads was built in part',
    { ...GOOD, 'model.shop.orders': 'partial success' },
    SHUT,
    'model shop.orders was built in part only',
  ],
  [
    '2: what it reads has a status that nobody knows',
    { ...GOOD, 'model.shop.orders': 'hibernated' },
    SHUT,
    'model shop.orders has a status that is not known, "hibernated"',
  ],
  [
    '3: a test of what it reads failed',
    { ...GOOD, 'test.shop.unique_orders_id': { status: 'fail', failures: 12 } },
    SHUT,
    'test unique_orders_id failed (12 rows) on model shop.orders',
  ],
  [
    '3: a test of what it reads could not run',
    { ...GOOD, 'test.shop.unique_orders_id': 'error' },
    SHUT,
    'test unique_orders_id ended with an error on model shop.orders',
  ],
  [
    '3: a test of what it reads has a status that nobody knows',
    { ...GOOD, 'test.shop.unique_orders_id': 'flaky' },
    SHUT,
    'test unique_orders_id has a status that is not known, "flaky" on model shop.orders',
  ],
  [
    '4: upstream failed',
    { ...GOOD, 'model.shop.stg_orders': 'error' },
    UPSTREAM,
    'model shop.stg_orders failed, one step upstream',
  ],
  ['4: upstream was skipped', { ...GOOD, 'model.shop.stg_orders': 'skipped' }, UPSTREAM],
  ['4: upstream was built in part', { ...GOOD, 'model.shop.stg_orders': 'partial success' }, UPSTREAM],
  ['4: upstream has a status that nobody knows', { ...GOOD, 'model.shop.stg_orders': 'hibernated' }, UPSTREAM],
  [
    '5: a test upstream failed',
    { ...GOOD, 'test.shop.unique_stg_orders_id': { status: 'fail', failures: 1 } },
    UPSTREAM,
    'test unique_stg_orders_id failed (1 row) on model shop.stg_orders, one step upstream',
  ],
  ['7: a test of what it reads warned', { ...GOOD, 'test.shop.unique_orders_id': 'warn' }, STRICT],
  ['7: a test upstream warned', { ...GOOD, 'test.shop.unique_stg_orders_id': 'warn' }, STRICT],
  ['8: nothing that it reads was built', without('model.shop.orders'), IDLE, 'dbt did not build shop.orders this time'],
  [
    '10: what it reads was kept as it was',
    { ...GOOD, 'model.shop.orders': 'reused' },
    IDLE,
    'dbt changed nothing in shop.orders this time',
  ],
  ['10: what it reads had nothing to do', { ...GOOD, 'model.shop.orders': 'no-op' }, IDLE],
  [
    '11: upstream was not built',
    without('model.shop.stg_orders'),
    STRICT,
    'model shop.stg_orders was not built this time, one step upstream',
  ],
  ['12: a test of what it reads did not run', without('test.shop.unique_orders_id'), STRICT, '1 test did not run'],
  ['12: a test upstream was skipped', { ...GOOD, 'test.shop.unique_stg_orders_id': 'skipped' }, STRICT],
  ['12: a test was rendered, and not run', { ...GOOD, 'test.shop.unique_orders_id': 'success' }, STRICT],
]

describe('the decision table', () => {
  describe.each(TABLE)('%s', (_row, rows, verdicts, reason) => {
    test.each(MODES.map((mode, index) => [mode, verdicts[index] ?? ''] as const))('%s: %s', (mode, gate) => {
      const ruling = rule(CHAIN, rows, { models: ['orders'], mode })
      expect(ruling.gate).toBe(gate)
      if (reason !== undefined && gate === verdicts[2]) expect(ruling.reason).toBe(reason)
    })
  })

  const stale = sourceResults({ 'source.shop.raw.orders': 'Error' })
  test.each<[string, string]>([
    ['direct', 'open'],
    ['upstream', 'closed'],
    ['strict', 'closed'],
  ])('6: a source upstream is not fresh; %s: %s', (mode, gate) => {
    const how = MODES.find((known) => known === mode) ?? 'strict'
    const ruling = rule(CHAIN, GOOD, { models: ['orders'], mode: how, sources: stale })
    expect(ruling.gate).toBe(gate)
    if (gate === 'closed') expect(ruling.reason).toBe('source raw.orders is not fresh, 2 steps upstream')
  })

  test.each(MODES)('6: a source that the sync reads itself is not fresh; %s: closed', (mode) => {
    const parts = [...CHAIN, model('both', ['model.shop.orders'])]
    const rows = { ...GOOD, 'model.shop.both': 'success' }
    expect(rule(parts, rows, { models: ['both', 'source:raw.orders'], mode, sources: stale }).gate).toBe('closed')
  })

  test.each(['pass', 'Pass', 'warn', 'Warn'])('6: a source that is %s is good enough for every mode', (status) => {
    const sources = sourceResults({ 'source.shop.raw.orders': status })
    for (const mode of MODES) expect(rule(CHAIN, GOOD, { models: ['orders'], mode, sources }).gate).toBe('open')
  })

  test('6: a source that could not be read is not fresh', () => {
    const sources = sourceResults({ 'source.shop.raw.orders': 'runtime error' })
    expect(rule(CHAIN, GOOD, { models: ['orders'], sources }).gate).toBe('closed')
  })

  describe('9: part of what it reads was not built', () => {
    const parts = [...CHAIN, model('returns'), check('unique_returns_id', ['model.shop.returns'])]
    const rows = { ...GOOD, 'test.shop.unique_returns_id': 'pass' }
    test.each([
      ['direct', 'open'],
      ['upstream', 'open'],
      ['strict', 'closed'],
    ] as const)('%s: %s, with a notice', (mode, gate) => {
      const ruling = rule(parts, rows, { models: ['orders', 'returns'], mode })
      expect(ruling.gate).toBe(gate)
      if (gate === 'open')
        expect(ruling.notes).toContainEqual({ level: 'notice', text: 'dbt did not build shop.returns this time' })
    })
  })

  test('12: strict wants a test on everything that the sync reads', () => {
    const parts = CHAIN.filter(({ id }) => id !== 'test.shop.unique_orders_id')
    const rows = without('test.shop.unique_orders_id')
    expect(rule(parts, rows, { models: ['orders'], mode: 'strict' })).toMatchObject({
      gate: 'closed',
      reason: 'model shop.orders has no test',
    })
    expect(rule(parts, rows, { models: ['orders'] }).gate).toBe('open')
  })

  test('closed wins over not built: what the sync depends on is broken now, although its own model was not in this run', () => {
    const rows = { 'model.shop.stg_orders': 'error' }
    expect(rule(CHAIN, rows, { models: ['orders'] }).gate).toBe('closed')
    expect(rule(CHAIN, rows, { models: ['orders'], mode: 'direct' }).gate).toBe('not-built')
  })

  test('off lets everything pass', () => {
    expect(rule(CHAIN, { ...GOOD, 'model.shop.orders': 'error' }, { models: ['orders'], mode: 'off' }).gate).toBe(
      'open',
    )
  })
})

describe('what does not close the gate is told', () => {
  test('a warning of a test', () => {
    const rows = { ...GOOD, 'test.shop.unique_orders_id': { status: 'warn', failures: 3 } }
    expect(rule(CHAIN, rows, { models: ['orders'] }).notes).toEqual([
      { level: 'warning', text: 'test unique_orders_id warned (3 rows) on model shop.orders' },
    ])
  })

  test('a failure upstream, where only what the sync reads counts', () => {
    const rows = { ...GOOD, 'model.shop.stg_orders': 'error' }
    expect(rule(CHAIN, rows, { models: ['orders'], mode: 'direct' }).notes).toEqual([
      { level: 'warning', text: 'model shop.stg_orders failed, one step upstream' },
    ])
  })

  test('tests that did not run, if others did', () => {
    expect(rule(CHAIN, without('test.shop.unique_orders_id'), { models: ['orders'] }).notes).toEqual([
      { level: 'notice', text: '1 test did not run' },
    ])
    const untested = without('test.shop.unique_orders_id', 'test.shop.unique_stg_orders_id')
    expect(rule(CHAIN, untested, { models: ['orders'] }).notes).toEqual([])
  })

  test('a failed hook, which closes the gate under strict only', () => {
    const rows = { ...GOOD, 'operation.shop.shop-on-run-end-0': { status: 'error', failures: 1 } }
    expect(rule(CHAIN, rows, { models: ['orders'] })).toMatchObject({
      gate: 'open',
      notes: [{ level: 'warning', text: 'hook shop-on-run-end-0 ended with an error' }],
    })
    expect(rule(CHAIN, rows, { models: ['orders'], mode: 'strict' }).gate).toBe('closed')
  })
})

describe('the reason', () => {
  const rows = {
    ...GOOD,
    'model.shop.stg_orders': 'error',
    'test.shop.unique_stg_orders_id': 'fail',
    'model.shop.orders': 'skipped',
  }

  test('is the nearest cause, and says how many more there are', () => {
    expect(rule(CHAIN, rows, { models: ['orders'] }).reason).toBe(
      'model shop.stg_orders failed, one step upstream, and 1 more reason',
    )
  })

  test('is that the model was skipped where nothing shows why', () => {
    expect(rule(CHAIN, rows, { models: ['orders'], mode: 'direct' }).reason).toBe('model shop.orders was skipped')
  })
})

describe('which tests speak for a model', () => {
  const models = [model('customers'), model('orders')]
  const rows = (test: string, status: string) => ({
    'model.shop.customers': 'success',
    'model.shop.orders': 'success',
    [test]: status,
  })

  test('a test of relationships speaks for the model that it is attached to, and for no other', () => {
    const parts = [...models, check('relationships', ['model.shop.orders', 'model.shop.customers'])]
    const failed = rows('test.shop.relationships', 'fail')
    expect(rule(parts, failed, { models: ['orders'] }).gate).toBe('closed')
    expect(rule(parts, failed, { models: ['customers'] }).gate).toBe('open')
  })

  test.each([{ attached_node: null }, {}])('a singular test (%j) speaks for everything that it reads', (fields) => {
    const parts = [...models, node('test.shop.totals_agree', ['model.shop.orders', 'model.shop.customers'], fields)]
    const failed = rows('test.shop.totals_agree', 'fail')
    expect(rule(parts, failed, { models: ['orders'] }).gate).toBe('closed')
    expect(rule(parts, failed, { models: ['customers'] }).gate).toBe('closed')
  })

  test('before dbt 1.5 the key of its file says what a generic test is attached to', () => {
    const fields = { file_key_name: 'models.orders', test_metadata: { name: 'relationships' } }
    const parts = [...models, node('test.shop.relationships', ['model.shop.customers', 'model.shop.orders'], fields)]
    const failed = rows('test.shop.relationships', 'fail')
    expect(rule(parts, failed, { models: ['orders'] }).gate).toBe('closed')
    expect(rule(parts, failed, { models: ['customers'] }).gate).toBe('open')
  })

  test.each([
    ['dbt 2 names the node', { tested_node_unique_id: 'model.shop.orders' }, ['model.shop.customers']],
    ['dbt 1 names the model', { model: 'orders', version: null }, ['model.shop.customers']],
    ['or it is what the test depends on', {}, ['model.shop.orders']],
  ])('a unit test: %s', (_name, fields, on) => {
    const unit = { ...node('unit_test.shop.orders.adds_up', on, fields), section: 'unit_tests' }
    const failed = rows('unit_test.shop.orders.adds_up', 'fail')
    expect(rule([...models, unit], failed, { models: ['orders'] }).gate).toBe('closed')
    expect(rule([...models, unit], failed, { models: ['customers'] }).gate).toBe('open')
  })

  test('a test on a source speaks for the source', () => {
    const parts = [...CHAIN, check('source_not_null', ['source.shop.raw.orders'])]
    const failed = { ...GOOD, 'test.shop.source_not_null': 'fail' }
    expect(rule(parts, failed, { models: ['orders'] }).reason).toBe(
      'test source_not_null failed on source raw.orders, 2 steps upstream',
    )
    expect(rule(parts, failed, { models: ['orders'], mode: 'direct' }).gate).toBe('open')
  })
})

describe('models without data of their own', () => {
  const PARTS = [
    model('raw'),
    model('between', ['model.shop.raw'], { materialized: 'ephemeral' }),
    model('orders', ['model.shop.between']),
    check('unique_between_id', ['model.shop.between']),
    check('unique_orders_id', ['model.shop.orders']),
  ]
  const rows = {
    'model.shop.raw': 'success',
    'model.shop.orders': 'success',
    'test.shop.unique_between_id': 'pass',
    'test.shop.unique_orders_id': 'pass',
  }

  test.each<[string, Rows]>([
    ['no row, as in dbt 1', {}],
    ['a skipped one, as in dbt 2', { 'model.shop.between': 'skipped' }],
  ])('an ephemeral model upstream is looked through: %s', (_name, more) => {
    for (const mode of MODES) expect(rule(PARTS, { ...rows, ...more }, { models: ['orders'], mode }).gate).toBe('open')
  })

  test('an ephemeral model upstream that failed is not', () => {
    expect(rule(PARTS, { ...rows, 'model.shop.between': 'error' }, { models: ['orders'] }).gate).toBe('closed')
  })

  test('an ephemeral model that a sync reads stands for its parents, and keeps its own tests', () => {
    expect(rule(PARTS, rows, { models: ['between'], mode: 'direct' }).gate).toBe('open')
    expect(rule(PARTS, { ...rows, 'model.shop.raw': 'error' }, { models: ['between'], mode: 'direct' }).gate).toBe(
      'closed',
    )
    expect(
      rule(PARTS, { ...rows, 'test.shop.unique_between_id': 'fail' }, { models: ['between'], mode: 'direct' }).gate,
    ).toBe('closed')
    expect(rule(PARTS, { 'model.shop.orders': 'success' }, { models: ['between'] }).gate).toBe('not-built')
  })

  test('a view that a sync reads is as new as what it shows', () => {
    const parts = [model('orders'), model('window', ['model.shop.orders'], { materialized: 'view' })]
    expect(rule(parts, { 'model.shop.orders': 'success' }, { models: ['window'] }).gate).toBe('open')
    expect(
      rule(parts, { 'model.shop.orders': 'success', 'model.shop.window': 'reused' }, { models: ['window'] }).gate,
    ).toBe('open')
    expect(rule(parts, { 'model.shop.orders': 'reused' }, { models: ['window'] }).gate).toBe('not-built')
    expect(rule(parts, {}, { models: ['window'] }).gate).toBe('not-built')
  })

  test('a view over a view over an ephemeral model, too', () => {
    const parts = [
      model('raw'),
      model('between', ['model.shop.raw'], { materialized: 'ephemeral' }),
      model('inner', ['model.shop.between'], { materialized: 'view' }),
      model('outer', ['model.shop.inner'], { materialized: 'view' }),
    ]
    expect(rule(parts, { 'model.shop.raw': 'success' }, { models: ['outer'] }).gate).toBe('open')
  })

  test('an exposure of a metric leads on to the models behind it', () => {
    const metric = { ...node('metric.shop.revenue', ['semantic_model.shop.orders']), section: 'metrics' }
    const semantic = { ...node('semantic_model.shop.orders', ['model.shop.orders']), section: 'semantic_models' }
    const seen = exposure('revenue', ['metric.shop.revenue'], { meta: { census_sync_id: 8290 } })
    const parts = [...CHAIN, metric, semantic, seen]
    expect(rule(parts, GOOD).gate).toBe('open')
    expect(rule(parts, { ...GOOD, 'model.shop.orders': 'error' }, { mode: 'direct' }).gate).toBe('closed')
  })
})

describe('what is upstream', () => {
  test('a model whose child went on in spite of its failure (on_error: continue) still closes the gate', () => {
    expect(rule(CHAIN, { ...GOOD, 'model.shop.stg_orders': 'error' }, { models: ['orders'] }).gate).toBe('closed')
  })

  test('a model of a project that was not given is nobody’s trouble', () => {
    const mesh = {
      ...model('elsewhere', [], { package_name: 'other', path: '', original_file_path: '' }),
      id: 'model.other.elsewhere',
    }
    const parts = [mesh, model('orders', ['model.other.elsewhere']), check('unique_orders_id', ['model.shop.orders'])]
    const rows = { 'model.shop.orders': 'success', 'test.shop.unique_orders_id': 'pass' }
    for (const mode of MODES) expect(rule(parts, rows, { models: ['orders'], mode }).gate).toBe('open')
  })

  test('a circle, which only a damaged manifest has, ends all the same', () => {
    const parts = [model('a', ['model.shop.b']), model('b', ['model.shop.a'])]
    const rows = { 'model.shop.a': 'success', 'model.shop.b': 'success' }
    expect(rule(parts, rows, { models: ['a'] }).gate).toBe('open')
    expect(rule(parts, { ...rows, 'model.shop.b': 'error' }, { models: ['a'] }).gate).toBe('closed')
    const views = parts.map((part) => ({ ...part, fields: { ...part.fields, config: { materialized: 'view' } } }))
    expect(rule(views, {}, { models: ['a'] }).gate).toBe('not-built')
  })

  test('a parent that the manifest does not have closes the gate: nobody can say what it did', () => {
    const parts = [model('orders', ['model.shop.gone'])]
    expect(rule(parts, { 'model.shop.orders': 'success' }, { models: ['orders'] })).toMatchObject({
      gate: 'closed',
      reason: 'model shop.orders depends on model.shop.gone, which the manifest does not have',
    })
  })

  test('trouble with something that the manifest does not know closes the gate, too: nobody can say what it feeds', () => {
    expect(rule(CHAIN, { ...GOOD, 'model.shop.new': 'error' }, { models: ['orders'] }).gate).toBe('closed')
    expect(rule(CHAIN, { ...GOOD, 'test.shop.new': 'fail' }, { models: ['orders'] }).gate).toBe('closed')
    expect(
      rule(CHAIN, { ...GOOD, 'model.shop.new': 'success', 'test.shop.new': 'pass' }, { models: ['orders'] }).gate,
    ).toBe('open')
  })

  test('the rows that dbt 1 writes for exposures decide nothing', () => {
    const parts = [...CHAIN, exposure('report', ['model.shop.orders'])]
    expect(rule(parts, { ...GOOD, 'exposure.shop.report': 'skipped' }, { models: ['orders'] }).gate).toBe('open')
    const failed = { ...GOOD, 'test.shop.unique_orders_id': 'fail', 'exposure.shop.report': 'no-op' }
    expect(rule(parts, failed, { models: ['exposure:report'] }).gate).toBe('closed')
  })

  test('names such as __proto__ and constructor are names like any other', () => {
    const parts = [model('__proto__'), model('constructor', ['model.shop.__proto__'])]
    const rows = { 'model.shop.__proto__': 'error', 'model.shop.constructor': 'success' }
    expect(rule(parts, rows, { models: ['constructor'] }).gate).toBe('closed')
  })
})

describe('the whole run, where nobody knows what feeds a sync', () => {
  test.each(MODES)('%s: anything that failed anywhere closes the gate', (mode) => {
    const parts = [...CHAIN, model('unrelated'), check('unrelated_test', ['model.shop.unrelated'])]
    const good = { ...GOOD, 'model.shop.unrelated': 'success', 'test.shop.unrelated_test': 'pass' }
    expect(rule(parts, good, { mode })).toMatchObject({ gate: 'open', models: null })
    expect(rule(parts, { ...good, 'model.shop.unrelated': 'error' }, { mode }).gate).toBe('closed')
    expect(rule(parts, { ...good, 'test.shop.unrelated_test': 'fail' }, { mode }).gate).toBe('closed')
    expect(rule(parts, { ...good, 'model.shop.unrelated': 'hibernated' }, { mode }).gate).toBe('closed')
  })

  test('a test that reads no model counts here', () => {
    const parts = [...CHAIN, node('test.shop.the_moon_is_up', [])]
    const failed = { ...GOOD, 'test.shop.the_moon_is_up': 'fail' }
    expect(rule(parts, failed).gate).toBe('closed')
    expect(rule(parts, failed, { models: ['orders'] }).gate).toBe('open')
  })

  test('a source that is not fresh closes it in every mode', () => {
    const sources = sourceResults({ 'source.shop.raw.orders': 'error' })
    for (const mode of MODES) expect(rule(CHAIN, GOOD, { sources, mode }).gate).toBe('closed')
  })

  test('nothing built is not built', () => {
    expect(rule(CHAIN, {})).toMatchObject({ gate: 'not-built', reason: 'dbt did not build anything this time' })
    expect(rule(CHAIN, { 'model.shop.orders': 'reused', 'model.shop.stg_orders': 'no-op' }).gate).toBe('not-built')
  })

  test('strict minds warnings, hooks and what did not run', () => {
    expect(rule(CHAIN, GOOD, { mode: 'strict' }).gate).toBe('open')
    expect(rule(CHAIN, { ...GOOD, 'test.shop.unique_orders_id': 'warn' }, { mode: 'strict' }).gate).toBe('closed')
    expect(rule(CHAIN, without('test.shop.unique_orders_id'), { mode: 'strict' }).gate).toBe('closed')
    expect(rule(CHAIN, { ...GOOD, 'operation.shop.hook': 'error' }, { mode: 'strict' }).gate).toBe('closed')
    expect(rule(CHAIN, { ...GOOD, 'operation.shop.hook': 'error' }).gate).toBe('open')
  })
})

describe('a job that has failed, and nothing that dbt left says why', () => {
  const jobFailed = true
  const models = ['orders']
  const why = 'an earlier step of this job has failed, nothing that dbt left says why, and '

  test('opens the gate where dbt came to everything', () => {
    for (const mapped of [models, null]) expect(rule(CHAIN, GOOD, { models: mapped, jobFailed }).gate).toBe('open')
  })

  test.each([
    ['a test that did not run', ['test.shop.unique_orders_id'], '1 test did not run'],
    ['no test that ran', ['test.shop.unique_orders_id', 'test.shop.unique_stg_orders_id'], '2 tests did not run'],
  ])('closes it for %s: dbt may have been stopped halfway', (_what, lacking, gap) => {
    const rows = without(...lacking)
    for (const mapped of [models, null])
      expect(rule(CHAIN, rows, { models: mapped, jobFailed })).toMatchObject({ gate: 'closed', reason: why + gap })
    expect(rule(CHAIN, rows, { models }).gate).toBe('open')
  })

  test('closes it for a whole run in which a model is missing', () => {
    const chain = [...CHAIN, model('leads'), model('inlined', [], { materialized: 'ephemeral' })]
    expect(rule(chain, GOOD, { jobFailed })).toMatchObject({
      gate: 'closed',
      reason: `${why}dbt did not build shop.leads this time`,
    })
    expect(rule(chain, GOOD, { models, jobFailed }).gate).toBe('open')
    expect(rule(chain, GOOD).gate).toBe('open')
  })

  test('does not mind unit tests, which are left out on purpose where their model was built', () => {
    const unit: Part = { ...node('unit_test.shop.orders.sums', ['model.shop.orders']), section: 'unit_tests' }
    expect(rule([...CHAIN, unit], GOOD, { models, jobFailed }).gate).toBe('open')
    expect(rule([...CHAIN, unit], GOOD, { models }).notes).toEqual([])
  })

  test('asks for no more than the commands build', () => {
    const parts = [model('orders'), node('seed.shop.raw', [], { path: 'raw.csv' })]
    const rows = { 'model.shop.orders': 'success' }
    expect(rule(parts, rows, { jobFailed, args: { which: 'run' } }).gate).toBe('open')
    expect(rule(parts, rows, { jobFailed }).gate).toBe('closed')
  })

  test('is explained by anything that failed, wherever it is, but not by what was skipped', () => {
    const rows = without('test.shop.unique_orders_id')
    const chain = [...CHAIN, model('leads')]
    expect(rule(chain, { ...rows, 'model.shop.leads': 'error' }, { models, jobFailed }).gate).toBe('open')
    expect(rule(chain, { ...rows, 'model.shop.leads': 'skipped' }, { models, jobFailed }).gate).toBe('closed')
  })
})

describe('a dbt that was stopped at its first failure', () => {
  const chain = [...CHAIN, model('leads'), check('same_orders', ['model.shop.orders', 'model.shop.leads'])]
  const cutOff = { status: 'skipped', message: 'Skipping due to fail_fast' }
  const rows = { ...GOOD, 'test.shop.unique_orders_id': cutOff, 'model.shop.other': 'error' }
  const parts = [...chain, model('other')]

  test('vouches for nothing whose tests it has skipped without a reason of their own', () => {
    expect(rule(parts, rows, { models: ['orders'], jobFailed: true })).toMatchObject({
      gate: 'closed',
      hint: 'dbt-stopped',
      reason: 'dbt was stopped at its first failure, and 1 test did not run because of that',
    })
    const upstream = { ...GOOD, 'test.shop.unique_stg_orders_id': cutOff, 'model.shop.other': 'error' }
    const under = (mode: 'direct' | 'upstream') =>
      rule(parts, upstream, { models: ['orders'], mode, jobFailed: true }).gate
    expect([under('direct'), under('upstream')]).toEqual(['open', 'closed'])
    // A green job has let this happen on purpose.
    expect(rule(parts, rows, { models: ['orders'] }).gate).toBe('open')
  })

  test('is not the reason of a test that reads something that failed', () => {
    const because = {
      ...GOOD,
      'model.shop.leads': 'error',
      'test.shop.same_orders': { status: 'skipped', message: null },
    }
    expect(rule(chain, because, { models: ['orders'], jobFailed: true }).gate).toBe('open')
  })
})

describe('a sync that reads sources alone', () => {
  test('is run each time: dbt has no news of what others load', () => {
    const rows = { 'model.shop.orders': 'success' }
    const models = ['source:raw.orders']
    expect(rule(CHAIN, rows, { models })).toMatchObject({ gate: 'open', reason: 'raw.orders is not built by dbt' })
    const seen = exposure('m', ['source.shop.raw.orders'], { meta: { census_sync_id: 8290 } })
    expect(rule([...CHAIN, seen], rows).gate).toBe('open')
  })

  test('is blocked while they are not fresh', () => {
    const sources = sourceResults({ 'source.shop.raw.orders': 'error' })
    expect(rule(CHAIN, GOOD, { models: ['source:raw.orders'], sources }).gate).toBe('closed')
  })

  test('and a model as well waits for the model', () => {
    expect(rule(CHAIN, {}, { models: ['source:raw.orders', 'orders'] }).gate).toBe('not-built')
  })
})

describe('the results of dbt retry alone', () => {
  const args = { invocation_command: 'dbt retry' }
  const chain = [...CHAIN, model('leads'), check('unique_leads', ['model.shop.leads'])]
  const rows = { 'model.shop.leads': 'success', 'test.shop.unique_leads': 'pass' }

  test('list what was repeated: the rest was built before it, and is not left behind', () => {
    const { gate, notes } = rule(chain, rows, { models: ['orders'], args })
    expect(gate).toBe('open')
    expect(notes).toEqual([{ level: 'notice', text: expect.stringContaining('these are the results of dbt retry') }])
    expect(rule(chain, rows, { models: ['orders'] }).gate).toBe('not-built')
    expect(rule(chain, rows, { models: ['leads'], args })).toMatchObject({ gate: 'open', notes: [] })
  })

  test('of a command that builds one kind say nothing of the others', () => {
    const of = (which: string, models: string[]) =>
      rule(
        [...chain, node('seed.shop.raw', [], { path: 'raw.csv' })],
        { 'seed.shop.raw': 'success' },
        { models, args: { which, ...args } },
      ).gate
    expect(of('seed', ['orders'])).toBe('not-built')
    expect(of('seed', ['raw'])).toBe('open')
    expect(of('run', ['orders'])).toBe('open')
    expect(of('build', ['orders'])).toBe('open')
    expect(of('snapshot', ['orders'])).toBe('not-built')
  })

  test('are not enough where the retry itself may have been stopped', () => {
    expect(rule(chain, rows, { models: ['orders'], args, jobFailed: true }).gate).toBe('not-built')
    expect(rule(chain, rows, { args, jobFailed: true }).gate).toBe('closed')
  })

  test('are enough for strict, as far as they go', () => {
    const strict = (which: string, more: Rows = {}) =>
      rule(chain, { ...rows, ...more }, { models: ['orders'], mode: 'strict', args: { which, ...args } }).gate
    expect(strict('build')).toBe('open')
    // What was repeated has to have been tested again, and a command that runs no tests excuses none.
    expect(strict('build', { 'model.shop.orders': 'success' })).toBe('closed')
    expect(strict('run')).toBe('closed')
  })

  test('close the gate as any others do', () => {
    expect(rule(chain, { ...rows, 'model.shop.leads': 'error' }, { models: ['leads'], args }).gate).toBe('closed')
    expect(rule(chain, { ...rows, 'model.shop.stg_orders': 'error' }, { models: ['orders'], args }).gate).toBe('closed')
  })
})

test('a test that reads several models is one', () => {
  const chain = [...CHAIN, check('both', ['model.shop.orders', 'model.shop.stg_orders'], { attached_node: null })]
  expect(rule(chain, GOOD, { models: ['orders'] }).notes).toEqual([{ level: 'notice', text: '1 test did not run' }])
})

test('tests that did not run are told where others did, whoever they belong to', () => {
  const chain = [...CHAIN, model('leads'), check('unique_leads', ['model.shop.leads'])]
  const rows = without('test.shop.unique_orders_id', 'test.shop.unique_stg_orders_id')
  const told = (more: Rows) => rule(chain, { ...rows, ...more }, { models: ['orders'] }).notes
  expect(told({ 'model.shop.leads': 'success', 'test.shop.unique_leads': 'pass' })).toEqual([
    { level: 'notice', text: '2 tests did not run' },
  ])
  expect(told({ 'model.shop.leads': 'success' })).toEqual([])
})

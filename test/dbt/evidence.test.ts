import { describe, expect, test } from 'vitest'
import { type Found, type Freshness, weigh } from '../../src/dbt/evidence.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { START, sync } from '../support/builders.ts'
import { check, FRESH, found, manifest, model, type Rows, results, source, sourceResults } from '../support/dbt.ts'

const HOUR = 3_600_000
const SHOP = manifest([model('orders'), check('unique_orders', ['model.shop.orders'])])
const GOOD: Rows = { 'model.shop.orders': 'success', 'test.shop.unique_orders': 'pass' }
const BUILD = results(GOOD)

const weighed = (places: Found[], freshness: Partial<Freshness> = {}) => weigh(places, { ...FRESH, ...freshness })
const build = (options: Parameters<typeof results>[1] = {}, rows = GOOD) =>
  found({ manifest: SHOP, results: results(rows, options) })
/** What the gate says of a sync that reads `orders`. */
const gateOf = (places: Found[], freshness: Partial<Freshness> = {}, name = 'orders') => {
  const { problems, ...evidence } = weighed(places, freshness)
  expect(problems).toEqual([])
  return new Rulings(evidence, CENSUS).rule(sync(), { models: [name], gate: 'upstream' })
}

describe('a build of today', () => {
  test('is evidence, and tells when the data was ready', () => {
    expect(weighed([build()])).toMatchObject({ builtAt: START - 30_000, problems: [], warnings: [], notices: [] })
  })

  test.each(['build', 'run', 'seed', 'snapshot', 'retry'])('by dbt %s is one', (which) => {
    expect(weighed([build({ which })]).problems).toEqual([])
  })
})

describe('what was not made by today’s dbt is no evidence', () => {
  test('a file of another day', () => {
    expect(weighed([build({ at: START - 22 * HOUR })]).problems).toEqual([
      'target/run_results.json is from 2026-11-23 05:00 UTC, 22 hours ago: older than dbt-max-age-hours (12) allows. Did dbt run before this step, and write to this folder?',
    ])
    expect(weighed([build({ at: START - 22 * HOUR })], { maxAgeMs: 24 * HOUR }).problems).toEqual([])
  })

  test('a file that came with the checkout', () => {
    const place = found({ manifest: SHOP, results: BUILD, committed: ['target/run_results.json'] })
    expect(weighed([place]).problems).toEqual([
      expect.stringContaining('is committed to the repository and unchanged since'),
    ])
  })

  const env = { metadata: { env: { GITHUB_RUN_ID: '4711' } } }
  test('a file of another workflow run', () => {
    expect(weighed([build(env)], { githubRunId: '4712' }).problems).toEqual([
      expect.stringContaining('was made by workflow run 4711, not by 4712'),
    ])
  })

  test('a file of this workflow run may be three days old, and committed', () => {
    const place = found({
      manifest: SHOP,
      results: results(GOOD, { ...env, at: START - 71 * HOUR }),
      committed: ['target/run_results.json'],
    })
    expect(weighed([place], { githubRunId: '4711' }).problems).toEqual([])
    const old = found({ manifest: SHOP, results: results(GOOD, { ...env, at: START - 73 * HOUR }) })
    expect(weighed([old], { githubRunId: '4711' }).problems).toEqual([expect.stringContaining('older than 72 hours')])
    expect(weighed([old], { githubRunId: '4711', maxAgeMs: 100 * HOUR }).problems).toEqual([])
  })

  test('a file that names its workflow run counts by its age where this is none', () => {
    expect(weighed([build(env)]).problems).toEqual([])
    expect(weighed([build({ ...env, at: START - 13 * HOUR })]).problems).toHaveLength(1)
  })

  test('a file from a clock five minutes ahead is believed, one from further ahead is not', () => {
    expect(weighed([build({ at: START + 5 * 60_000 })]).problems).toEqual([])
    expect(weighed([build({ at: START + 5 * 60_000 + 1 })]).problems).toEqual([
      expect.stringContaining('one of the two clocks is wrong'),
    ])
  })

  test('one stale file among good ones: leaving it out would open the gate to what it says', () => {
    const stale = found(
      { manifest: SHOP, results: results({}, { which: 'test', at: START - 20 * HOUR }) },
      'target/test',
    )
    expect(weighed([build(), stale]).problems).toEqual([
      expect.stringMatching(/^target\/test\/run_results\.json is from/),
    ])
  })

  test('a folder that dbt has begun to write to, and no more', () => {
    expect(weighed([build(), found({ manifest: SHOP }, 'target/test')]).problems).toEqual([
      'target/test holds no run_results.json: dbt has not come to its end there.',
    ])
  })
})

describe('what another dbt command wrote is no evidence', () => {
  test.each([
    ['generate', 'dbt docs generate', 'dbt docs generate --target-path target/docs'],
    ['compile', 'dbt compile', 'Run that command after this step'],
    ['show', 'dbt show', 'Run that command after this step'],
    ['clone', 'dbt clone', 'Run that command after this step'],
    ['run-operation', 'dbt run-operation', 'Run that command after this step'],
    ['list', 'dbt list', 'Run that command after this step'],
    ['teleport', 'dbt teleport', 'Run that command after this step'],
  ])('dbt %s: the step says what overwrote it, and what to do', (which, command, cure) => {
    const [problem, ...others] = weighed([
      build({ which }, { 'model.shop.orders': 'success', 'test.shop.unique_orders': 'success' }),
    ]).problems
    expect(others).toEqual([])
    expect(problem).toContain(`was written by ${command}, which has overwritten what the build had written`)
    expect(problem).toContain(cure)
  })

  test('a command that dbt does not name', () => {
    expect(weighed([build({ which: null })]).problems).toHaveLength(1)
  })

  test('dbt test alone', () => {
    expect(weighed([build({ which: 'test' })]).problems).toEqual([expect.stringContaining('holds tests only')])
  })

  test('beside a build it is left out, and that is told', () => {
    const docs = found({ manifest: SHOP, results: results({}, { which: 'generate' }) }, 'target/docs')
    expect(weighed([build(), docs])).toMatchObject({
      problems: [],
      notices: ['target/docs/run_results.json is left out: dbt docs generate builds and tests nothing.'],
    })
  })

  test('nothing at all', () => {
    expect(weighed([]).problems).toEqual(['There is no run_results.json, so nobody can say what dbt has built.'])
  })

  test.each([
    ['--empty', { empty: true }],
    ['--sample', { sample: { days: 3 } }],
  ])('a build with %s: its tables lack rows', (option, args) => {
    expect(weighed([build({ args })]).problems).toEqual([expect.stringContaining(`comes from a dbt with ${option}`)])
  })
})

describe('a job that has failed', () => {
  const jobFailed = true
  test('for a reason that the results show goes on', () => {
    expect(weighed([build({}, { ...GOOD, 'test.shop.unique_orders': 'fail' })], { jobFailed }).problems).toEqual([])
  })

  test('for a reason that has nothing to do with dbt goes on', () => {
    expect(weighed([build()], { jobFailed }).problems).toEqual([])
  })

  test('for a reason that a retry has mended is not explained by it any more', () => {
    const first = build({ at: START - 40_000 }, { ...GOOD, 'model.shop.orders': 'error' })
    const isDoubtful = (places: Found[]) => weighed(places, { jobFailed }).projects[0]?.isDoubtful
    expect(isDoubtful([first])).toBe(false)
    expect(isDoubtful([first, build({ at: START - 20_000 })])).toBe(true)
  })

  test('with results that hold nothing is not believed: dbt 2 writes these when it cannot read the project', () => {
    expect(weighed([build({}, {})], { jobFailed }).problems).toEqual([
      expect.stringContaining('dbt has ended before its first model'),
    ])
    expect(weighed([build({}, {})]).problems).toEqual([])
  })

  test('with a manifest newer than its results is not believed: dbt 1 leaves the old ones when it crashes', () => {
    const later = manifest([model('orders')], {
      metadata: { invocation_id: 'two', generated_at: new Date(START).toISOString() },
    })
    const place = found({ manifest: later, results: BUILD })
    expect(weighed([place], { jobFailed }).problems).toEqual([
      expect.stringContaining('is newer than the results beside it'),
    ])
    expect(weighed([place]).problems).toEqual([])
    const sources = sourceResults({ 'source.shop.raw.orders': 'error' })
    expect(weighed([found({ manifest: later, results: BUILD, sources })], { jobFailed }).problems).toEqual([])
  })
})

describe('several files', () => {
  const run = (at: number, rows: Rows) =>
    found({ manifest: SHOP, results: results(rows, { which: 'run', at }) }, 'target/run')
  const tests = (at: number, rows: Rows) =>
    found({ manifest: SHOP, results: results(rows, { which: 'test', at }) }, 'target/test')

  test('of dbt run and dbt test are one build', () => {
    const places = [
      run(START - 20_000, { 'model.shop.orders': 'success' }),
      tests(START - 10_000, { 'test.shop.unique_orders': 'fail' }),
    ]
    expect(weighed(places).builtAt).toBe(START - 20_000)
    expect(gateOf(places).reason).toBe('test unique_orders failed on model shop.orders')
  })

  test('with a test from before the build: it says nothing of what is there now', () => {
    const places = [
      tests(START - 20_000, { 'test.shop.unique_orders': 'fail' }),
      run(START - 10_000, { 'model.shop.orders': 'success' }),
    ]
    expect(gateOf(places).gate).toBe('open')
  })

  test('of a build and its retry: the newest row of a node counts', () => {
    const first = found(
      {
        manifest: SHOP,
        results: results(
          { 'model.shop.orders': 'error', 'test.shop.unique_orders': 'skipped' },
          { at: START - 20_000 },
        ),
      },
      'first',
    )
    const retry = found({ manifest: SHOP, results: results(GOOD, { at: START - 10_000 }) }, 'retry')
    expect(gateOf([first, retry]).gate).toBe('open')
    expect(gateOf([retry, first]).gate).toBe('open')
    expect(gateOf([first]).gate).toBe('closed')
  })

  test('of two projects are kept apart, though both have a model of the same name', () => {
    const other = manifest([{ ...model('orders', [], { package_name: 'other' }), id: 'model.other.orders' }], {
      project: 'other',
    })
    const places = [
      build(),
      found({ manifest: other, results: results({ 'model.other.orders': 'error' }) }, 'other/target'),
    ]
    expect(gateOf(places, {}, 'shop.orders').gate).toBe('open')
    expect(gateOf(places, {}, 'other.orders').gate).toBe('closed')
  })

  test('of two projects with a package in common, each with its own tables', () => {
    const place = (project: string, status: string) => {
      const calendar = { ...model('calendar'), id: 'model.dates.calendar' }
      const sales = { ...model('sales', [calendar.id], { package_name: project }), id: `model.${project}.sales` }
      const rows = { [calendar.id]: status, [sales.id]: 'success' }
      return found({ manifest: manifest([calendar, sales], { project }), results: results(rows) }, project)
    }
    const places = [place('one', 'success'), place('two', 'error')]
    expect(gateOf(places, {}, 'one.sales').gate).toBe('open')
    expect(gateOf(places, {}, 'two.sales').gate).toBe('closed')
  })

  test('of two projects, one of which reads from the other: a failure there closes the gate here', () => {
    const external = { package_name: 'shop', path: '', original_file_path: '' }
    const reader = manifest(
      [
        { ...model('orders', [], external), id: 'model.shop.orders' },
        { ...model('report', ['model.shop.orders'], { package_name: 'finance' }), id: 'model.finance.report' },
      ],
      { project: 'finance' },
    )
    const finance = found({ manifest: reader, results: results({ 'model.finance.report': 'success' }) }, 'finance')
    expect(gateOf([finance], {}, 'finance.report').gate).toBe('open')
    expect(gateOf([finance, build({}, { ...GOOD, 'model.shop.orders': 'error' })], {}, 'finance.report')).toMatchObject(
      {
        gate: 'closed',
        reason: 'model shop.orders failed, one step upstream',
      },
    )
  })

  test('one without a manifest goes to the project whose manifest knows its rows', () => {
    const bare = found(
      { results: results({ 'test.shop.unique_orders': 'fail' }, { which: 'test', at: START - 10_000 }) },
      'test',
    )
    expect(gateOf([build(), bare]).gate).toBe('closed')
    const stranger = found({ results: results({ 'test.other.unique': 'fail' }, { which: 'test' }) }, 'test')
    expect(weighed([build(), stranger]).problems).toEqual([
      expect.stringContaining('test/run_results.json has no manifest.json beside it'),
    ])
  })

  test('a manifest of the same project that is newer is the one that is used', () => {
    const renamed = manifest([model('sales')], { metadata: { generated_at: new Date(START).toISOString() } })
    const places = [build(), found({ manifest: renamed, results: results({ 'model.shop.sales': 'success' }) }, 'again')]
    expect(gateOf(places, {}, 'sales').gate).toBe('open')
  })
})

describe('what is worth a word', () => {
  test('a manifest of another dbt command', () => {
    const other = manifest([model('orders')], { metadata: { invocation_id: 'two' } })
    expect(weighed([found({ manifest: other, results: BUILD })]).warnings).toEqual([
      expect.stringContaining('target/manifest.json was written by another dbt command than the build'),
    ])
  })

  test('formats that are newer than this action', () => {
    const place = found({
      manifest: manifest([model('orders')], { schema: 'v13' }),
      results: results(GOOD, { schema: 'run-results/v7' }),
    })
    expect(weighed([place]).warnings).toEqual([
      expect.stringContaining('run_results.json has a newer format (v7)'),
      expect.stringContaining('manifest.json has a newer format (v13)'),
    ])
    expect(
      weighed([found({ manifest: manifest([model('orders')], { schema: 'v20' }), results: BUILD })]).warnings,
    ).toEqual([])
  })

  test('a sources.json of another day, which is left out', () => {
    const shop = manifest([source('orders'), model('orders', ['source.shop.raw.orders'])])
    const sources = sourceResults({ 'source.shop.raw.orders': 'error' }, START - 20 * HOUR)
    const place = found({ manifest: shop, results: results({ 'model.shop.orders': 'success' }), sources })
    expect(weighed([place]).notices).toEqual([expect.stringMatching(/^target\/sources\.json is left out: it is from/)])
    expect(gateOf([place]).gate).toBe('open')
    const fresh = found({
      manifest: shop,
      results: results({ 'model.shop.orders': 'success' }),
      sources: sourceResults({ 'source.shop.raw.orders': 'error' }),
    })
    expect(gateOf([fresh]).gate).toBe('closed')
  })

  test('a sources.json without a row: dbt 1 writes none for a source that it could not read', () => {
    const place = found({ manifest: SHOP, results: BUILD, sources: sourceResults({}) })
    expect(weighed([place]).warnings).toEqual([expect.stringContaining('says nothing of any source')])
  })
})

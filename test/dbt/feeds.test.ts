import { describe, expect, test } from 'vitest'
import type { Relation } from '../../src/core/provider.ts'
import { resolveNames } from '../../src/dbt/feeds.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { factsOf } from '../../src/providers/index.ts'
import { sync } from '../support/builders.ts'
import {
  evidence,
  exposure,
  found,
  manifest,
  model,
  node,
  type Part,
  type Rows,
  results,
  rule,
  source,
} from '../support/dbt.ts'

const MODELS = [model('customers'), model('orders')]
const GOOD: Rows = { 'model.shop.customers': 'success', 'model.shop.orders': 'success' }
const table = (text: string): Relation => {
  const [name = '', schema = null, database = null] = text.split('.').reverse()
  return { database, schema, table: name }
}
const projectsOf = (...parts: Part[]) => evidence([found({ manifest: manifest(parts), results: results({}) })]).projects

describe('which models feed a sync', () => {
  const read = { source: table('shop.marts.orders') }
  const url = exposure('u', ['model.shop.orders'], { url: 'https://app.getcensus.com/syncs/8290/overview' })
  const meta = exposure('m', ['model.shop.orders'], { meta: { census_sync_id: 8290 } })

  test('the config file says it before anything else', () => {
    expect(rule([...MODELS, url, meta], GOOD, { models: ['customers'], sync: read })).toMatchObject({
      models: ['model.shop.customers'],
      source: 'as the config file says',
    })
  })

  test('then the meta of exposures and models, then the url of an exposure, then the table that the provider names', () => {
    const other = exposure('other', ['model.shop.customers'], { url: 'https://app.getcensus.com/syncs/8290' })
    expect(rule([...MODELS, meta, other], GOOD, { sync: read })).toMatchObject({
      models: ['model.shop.orders'],
      source: 'as the meta of exposure shop.m says',
    })
    expect(rule([...MODELS, other], GOOD, { sync: read })).toMatchObject({
      models: ['model.shop.customers'],
      source: 'as the url of exposure shop.other says',
    })
    expect(rule(MODELS, GOOD, { sync: read })).toMatchObject({
      models: ['model.shop.orders'],
      source: 'because it reads shop.marts.orders',
    })
  })

  test('nobody: the whole run counts, and how to be more exact is told', () => {
    expect(rule(MODELS, GOOD)).toMatchObject({
      models: null,
      source: 'nothing says which models feed it, so all of them count',
    })
    expect(rule(MODELS, GOOD, { sync: { source: table('a.b.leads') } })).toMatchObject({
      models: null,
      source: 'no model is a.b.leads, which it reads, so all models count',
    })
  })

  test('several on one level are taken together', () => {
    const also = model('returns', [], { meta: { post_transform_sync: { sync_ids: ['8290'] } } })
    expect(rule([...MODELS, meta, also], GOOD)).toMatchObject({
      models: ['model.shop.orders', 'model.shop.returns'],
      source: 'as the meta of exposure shop.m and model shop.returns says',
    })
  })
})

describe('meta', () => {
  test.each<[string, unknown]>([
    ['post_transform_sync', { provider: 'census', sync_ids: [8290] }],
    ['post_transform_sync', { provider: 'Fivetran-Activations', sync_ids: ['8290', '8291'] }],
    ['post_transform_sync', { sync_ids: '8290' }],
    [
      'post_transform_sync',
      [
        { provider: 'hightouch', sync_ids: [1] },
        { provider: 'census', sync_ids: [8290] },
      ],
    ],
    ['census_sync_id', 8290],
    ['census_sync_id', '8290'],
    ['census_sync_ids', ['8291', 8290]],
    ['fivetran_activations_sync_id', 8290],
  ])('%s: %j names the sync', (key, value) => {
    expect(rule([...MODELS, exposure('m', ['model.shop.orders'], { meta: { [key]: value } })], GOOD).models).toEqual([
      'model.shop.orders',
    ])
  })

  test.each<[string, unknown]>([
    ['post_transform_sync', { provider: 'hightouch', sync_ids: [8290] }],
    ['hightouch_sync_id', 8290],
    ['census_sync', 8290],
    ['census_sync_id', 82900],
  ])('%s: %j does not', (key, value) => {
    expect(rule([...MODELS, exposure('m', ['model.shop.orders'], { meta: { [key]: value } })], GOOD).models).toBeNull()
  })

  test.each<[string, unknown]>([
    ['census_sync_id', '../8290'],
    ['census_sync_id', 8290.5],
    ['census_sync_id', 2 ** 60],
    ['census_sync_ids', { a: 8290 }],
    ['post_transform_sync', 8290.5],
    ['post_transform_sync', { provider: 'census' }],
    ['post_transform_sync', { provider: 'census', sync_id: 8290 }],
  ])('%s: %j names nothing, and that is told', (key, value) => {
    const built = evidence([
      found({ manifest: manifest([...MODELS, exposure('m', [], { meta: { [key]: value } })]), results: results(GOOD) }),
    ])
    const rulings = new Rulings(built, CENSUS)
    expect(rulings.notices).toEqual([expect.stringContaining('The meta of exposure shop.m names no sync of census')])
    expect(rulings.rule(sync(), { models: null, gate: 'upstream' }).models).toBeNull()
  })

  test('that leads to a disabled model makes the sync fail, and so does one that leads nowhere', () => {
    const seen = exposure('m', ['model.shop.gone'], { meta: { census_sync_id: 8290 } })
    expect(rule([...MODELS, seen], GOOD)).toMatchObject({
      gate: 'broken',
      reason: 'the meta of exposure shop.m leads to model.shop.gone, which the manifest does not have',
    })
    const place = found({
      manifest: manifest([...MODELS, seen], { disabled: { 'model.shop.gone': [] } }),
      results: results(GOOD),
    })
    expect(new Rulings(evidence([place]), CENSUS).rule(sync(), { models: null, gate: 'upstream' }).reason).toContain(
      'which is disabled',
    )
  })

  test('an exposure with blanks in its name is one like any other', () => {
    expect(
      rule([...MODELS, exposure('Weekly queries', ['model.shop.orders'], { meta: { census_sync_id: 8290 } })], GOOD)
        .source,
    ).toBe('as the meta of exposure shop.Weekly queries says')
  })
})

describe('the url of an exposure', () => {
  test.each([
    'https://app.getcensus.com/syncs/8290',
    'https://app.getcensus.com/syncs/8290/overview',
    'https://app.getcensus.com/syncs/8290/sync-history?page=2#top',
    'https://app.getcensus.com/workspaces/77/syncs/8290/overview',
    'https://app-eu.getcensus.com/syncs/8290/',
  ])('%s leads to the sync', (url) => {
    expect(rule([...MODELS, exposure('u', ['model.shop.orders'], { url })], GOOD).models).toEqual(['model.shop.orders'])
  })

  test.each([
    'https://app.getcensus.com.evil.example/syncs/8290',
    'https://example.com/syncs/8290',
    'https://app.getcensus.com@example.com/syncs/8290',
    'https://app.getcensus.com/syncs?search=8290',
    'https://app.getcensus.com/syncs/8290abc',
    'https://app.getcensus.com/syncs/08290',
    'https://app.getcensus.com/x/syncs/8290',
    'no url at all',
  ])('%s does not', (url) => {
    expect(rule([...MODELS, exposure('u', ['model.shop.orders'], { url })], GOOD).models).toBeNull()
  })
})

describe('the table that a sync reads', () => {
  test.each([
    ['"shop"."marts"."orders"', 'SHOP.MARTS.ORDERS'],
    ['`shop`.`marts`.`orders`', 'shop.marts.orders'],
    ['[shop].[marts].[orders]', 'shop.marts.orders'],
    ['SHOP.MARTS.ORDERS', 'shop.marts.orders'],
    ['"marts"."orders"', 'shop.marts.orders'],
    ['"shop"."marts"."orders"', 'marts.orders'],
    ['`my-project`.`marts`.`orders`', 'my-project.marts.orders'],
  ])('%s is %s', (relation_name, name) => {
    const parts = [model('orders', [], { relation_name })]
    expect(rule(parts, { 'model.shop.orders': 'success' }, { sync: { source: table(name) } }).models).toEqual([
      'model.shop.orders',
    ])
  })

  test('is where dbt says that it built, rather than where the manifest says that it would', () => {
    const rows = { 'model.shop.orders': { status: 'success', relation_name: '"shop"."marts_v2"."orders"' } }
    expect(rule([model('orders')], rows, { sync: { source: table('shop.marts_v2.orders') } })).toMatchObject({
      gate: 'open',
      models: ['model.shop.orders'],
    })
  })

  test('with dots and quotes in its name is still one name', () => {
    const parts = [model('orders', [], { relation_name: '"shop"."marts"."or.d""ers"' })]
    const odd = { database: 'shop', schema: 'marts', table: 'or.d"ers' }
    expect(rule(parts, { 'model.shop.orders': 'success' }, { sync: { source: odd } }).models).toEqual([
      'model.shop.orders',
    ])
  })

  test('if several models are that table the whole run counts', () => {
    const twice = [...MODELS, model('twin', [], { relation_name: '"shop"."marts"."orders"' })]
    expect(rule(twice, GOOD, { sync: { source: table('shop.marts.orders') } })).toMatchObject({
      models: null,
      source: 'several models are shop.marts.orders, which it reads, so all models count',
    })
  })

  test('and dbt does not build, but only reads, leaves the whole run to count', () => {
    expect(rule([...MODELS, source('events')], GOOD, { sync: { source: table('shop.raw.events') } })).toMatchObject({
      gate: 'open',
      models: null,
    })
  })
})

describe('the url of an exposure, of another region', () => {
  test('is of another account, whose syncs have the same ids', () => {
    const seen = (host: string) => exposure(host, ['model.shop.orders'], { url: `https://${host}/syncs/8290` })
    const parts = [model('orders'), seen('app-eu.getcensus.com')]
    const of = (baseUrl: string) =>
      rule(parts, { 'model.shop.orders': 'success' }, { facts: factsOf({ provider: 'census', baseUrl }) }).models
    expect(of('https://app-eu.getcensus.com')).toEqual(['model.shop.orders'])
    expect(of('https://app.getcensus.com')).toBeNull()
    expect(of('http://127.0.0.1:8080')).toEqual(['model.shop.orders'])
  })
})

describe('a build elsewhere opens no gate', () => {
  const ci = [model('orders', [], { schema: 'ci_marts', relation_name: '"shop"."ci_marts"."orders"' })]
  const built = { 'model.shop.orders': 'success' }
  const reads = { source: table('shop.marts.orders') }
  const reason = 'dbt built shop.ci_marts.orders, the sync reads shop.marts.orders'

  test.each<[string, string[] | null]>([
    ['found by the table', null],
    ['although the config file names the model', ['orders']],
  ])('%s', (_name, models) => {
    expect(rule(ci, built, { models, sync: reads })).toMatchObject({ gate: 'elsewhere', reason })
  })

  test('although its meta names the sync', () => {
    const seen = exposure('m', ['model.shop.orders'], { meta: { census_sync_id: 8290 } })
    expect(rule([...ci, seen], built, { sync: reads })).toMatchObject({ gate: 'elsewhere', reason })
  })

  test('although dbt did not come to build it this time', () => {
    expect(rule(ci, {}, { sync: reads })).toMatchObject({
      gate: 'elsewhere',
      reason: reason.replace('dbt built', 'with this target dbt builds'),
    })
  })

  test('in another database', () => {
    expect(rule([model('orders')], built, { sync: { source: table('prod.marts.orders') } }).gate).toBe('elsewhere')
  })

  test('unless the gate is off', () => {
    expect(rule(ci, built, { mode: 'off', sync: reads }).gate).toBe('open')
  })

  test('but a table of another name elsewhere is nobody’s namesake', () => {
    expect(rule(ci, built, { sync: { source: table('shop.marts.leads') } }).gate).toBe('open')
  })

  test('and a namesake elsewhere does no harm where the table itself is known', () => {
    const parts = [...ci, model('orders_prod', [], { alias: 'orders', relation_name: '"shop"."marts"."orders"' })]
    expect(rule(parts, { ...built, 'model.shop.orders_prod': 'success' }, { sync: reads }).gate).toBe('open')
    const raw = { ...source('orders', { relation_name: '"shop"."marts"."orders"' }) }
    expect(rule([...ci, raw], built, { sync: reads }).gate).toBe('open')
  })
})

describe('what contradicts the config file', () => {
  const parts = [model('orders'), model('leads')]
  const rows = { 'model.shop.orders': 'success', 'model.shop.leads': 'success' }
  const said = (seen: Part[], reads: string | null, models = ['orders']) =>
    rule([...parts, ...seen], rows, {
      models,
      sync: { source: reads === null ? null : table(reads) },
    }).notes.map(({ level, text }) => `${level}: ${text}`)

  test('is told, and does not win', () => {
    const other = exposure('m', ['model.shop.leads'], { meta: { census_sync_id: 8290 } })
    expect(said([other], null)).toEqual(['notice: the config file names other models than exposure shop.m'])
    expect(said([], 'shop.marts.leads')).toEqual([
      'notice: the sync reads shop.marts.leads, which is none of the models that the config file names',
    ])
  })

  test('is no contradiction where they say the same, or nothing', () => {
    const same = exposure('m', ['model.shop.orders'], { meta: { census_sync_id: 8290 } })
    expect(said([same], 'shop.marts.orders')).toEqual([])
    expect(said([same], 'shop.marts.orders', ['exposure:m'])).toEqual([])
    expect(said([same], 'shop.marts.orders', ['orders', 'shop.orders'])).toEqual([])
    const twin = exposure('n', ['model.shop.orders'], { meta: { census_sync_id: 8290 } })
    expect(said([same, twin], null)).toEqual([])
    expect(said([], 'shop.raw.anything')).toEqual([])
    expect(said([], null)).toEqual([])
  })
})

describe('the names of a config file', () => {
  const parts = [
    ...MODELS,
    node('seed.shop.countries'),
    { ...model('segments', [], { version: 1, latest_version: 2 }), id: 'model.shop.segments.v1' },
    { ...model('segments', [], { version: 2, latest_version: 2 }), id: 'model.shop.segments.v2' },
    exposure('report', ['model.shop.orders']),
    source('events'),
  ]

  test.each([
    ['customers', 'model.shop.customers'],
    ['shop.customers', 'model.shop.customers'],
    ['model.shop.customers', 'model.shop.customers'],
    ['countries', 'seed.shop.countries'],
    ['segments', 'model.shop.segments.v2'],
    ['segments.v1', 'model.shop.segments.v1'],
    ['shop.segments.v1', 'model.shop.segments.v1'],
    ['model.shop.segments.v1', 'model.shop.segments.v1'],
    ['exposure:report', 'exposure.shop.report'],
    ['source:raw.events', 'source.shop.raw.events'],
  ])('%s is %s', (name, id) => {
    const { nodes, problems } = resolveNames([name], projectsOf(...parts))
    expect(problems).toEqual([])
    expect(nodes.map((found) => found.id)).toEqual([id])
  })

  test.each([
    ['custmers', '"custmers" is no model of dbt. Did you mean customers?'],
    ['nothing_like_it', '"nothing_like_it" is no model of dbt.'],
    ['report', '"report" is no model of dbt.'],
    ['Customers', '"Customers" is no model of dbt. Did you mean customers?'],
  ])('%s: %s', (name, problem) => {
    expect(resolveNames([name], projectsOf(...parts)).problems).toEqual([problem])
  })

  test('that two packages have must say which', () => {
    const twin = { ...model('orders', [], { package_name: 'other' }), id: 'model.other.orders' }
    const projects = projectsOf(...parts, twin)
    expect(resolveNames(['orders'], projects).problems).toEqual([
      '"orders" means 2 models: give one of shop.orders, other.orders.',
    ])
    expect(resolveNames(['other.orders'], projects).nodes.map(({ id }) => id)).toEqual(['model.other.orders'])
  })

  test('that are disabled are told from those that are not there', () => {
    const place = found({
      manifest: manifest(parts, { disabled: { 'model.shop.old': [], 'model.shop.older.v1': [] } }),
      results: results({}),
    })
    const { projects } = evidence([place])
    for (const name of ['old', 'shop.old', 'model.shop.old', 'older.v1']) {
      expect(resolveNames([name], projects).problems).toEqual([`"${name}" is disabled in dbt.`])
    }
  })
})

describe('the syncs that a build feeds', () => {
  const parts = [
    ...MODELS,
    model('window', ['model.shop.orders'], { materialized: 'view' }),
    exposure('a', ['model.shop.customers'], { meta: { census_sync_id: 9 } }),
    exposure('b', ['model.shop.orders'], { url: 'https://app.getcensus.com/syncs/10' }),
    model('marked', ['model.shop.orders'], { meta: { census_sync_ids: [11, 12] } }),
    exposure('v', ['model.shop.window'], { meta: { census_sync_id: 13 } }),
  ]
  const rulings = (rows: Rows, build = true) => {
    const { projects, builtAt } = evidence([found({ manifest: manifest(parts), results: results(rows) })])
    return new Rulings({ projects, builtAt: build ? builtAt : null }, CENSUS)
  }

  test('are named by exposures and models, in meta and url, as far as their models have rows', () => {
    expect(rulings({ ...GOOD, 'model.shop.marked': 'success' }).declared()).toEqual(['9', '10', '11', '12', '13'])
    expect(rulings({ 'model.shop.customers': 'success' }).declared()).toEqual(['9'])
    expect(rulings({}).declared()).toEqual([])
  })

  test('include those whose models failed, so that they are seen to be blocked', () => {
    expect(rulings({ 'model.shop.customers': 'error', 'model.shop.marked': 'skipped' }).declared()).toEqual([
      '9',
      '11',
      '12',
    ])
  })

  test('leave out those whose models were kept as they were', () => {
    expect(rulings({ 'model.shop.customers': 'reused', 'model.shop.marked': 'no-op' }).declared()).toEqual([])
  })

  test('are all of them before there is a build', () => {
    expect(rulings({}, false).declared()).toEqual(['9', '10', '11', '12', '13'])
  })

  test('read a relation that was built', () => {
    const built = rulings({ 'model.shop.customers': 'success', 'model.shop.orders': 'reused' })
    expect(built.reads(sync({ source: table('SHOP.marts.customers') }))).toBe(true)
    expect(built.reads(sync({ source: table('shop.marts.orders') }))).toBe(false)
    expect(built.reads(sync({ source: table('shop.ci.customers') }))).toBe(false)
    expect(built.reads(sync({ source: null }))).toBe(false)
  })
})

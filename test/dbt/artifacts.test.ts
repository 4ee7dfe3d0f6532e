import { describe, expect, test } from 'vitest'
import { ArtifactError, parseRunResults, parseSourceResults } from '../../src/dbt/artifacts.ts'
import { parseManifest } from '../../src/dbt/manifest.ts'
import { START } from '../support/builders.ts'
import { bytes, exposure, manifest, model, results, sourceResults } from '../support/dbt.ts'

const PATH = 'dbt/target/run_results.json'
const read = (file: unknown) => parseRunResults(bytes(file), PATH)

function complaintOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof ArtifactError) return error.message
    throw error
  }
  return 'none'
}

describe('run results', () => {
  test('say which command made them, when, and what became of each node', () => {
    const rows = {
      'model.shop.orders': { status: 'success', relation_name: '"shop"."marts"."orders"' },
      'test.shop.t': { status: 'fail', failures: 12 },
    }
    expect(read(results(rows, { metadata: { env: { GITHUB_RUN_ID: '4711' } } }))).toEqual({
      path: PATH,
      command: 'build',
      isRetry: false,
      generatedAt: START - 30_000,
      invocationId: 'one',
      githubRunId: '4711',
      schema: 6,
      limited: null,
      rows: [
        {
          id: 'model.shop.orders',
          status: 'success',
          failures: null,
          relation: '"shop"."marts"."orders"',
          isCutOff: false,
        },
        { id: 'test.shop.t', status: 'fail', failures: 12, relation: null, isCutOff: false },
      ],
    })
  })

  test.each([
    [{ which: 'retry' }, true],
    [{ which: 'build', invocation_command: 'dbt retry' }, true],
    [{ which: 'build', invocation_command: 'dbt -q retry --target prod' }, true],
    [{ which: 'build', invocation_command: 'dbt build --select retry' }, false],
    [{ which: 'build', invocation_command: 'dbt build' }, false],
    [{ which: 'build' }, false],
  ])('of %j: a retry? %s', (args, isRetry) => {
    expect(read(results({}, { args })).isRetry).toBe(isRetry)
  })

  test.each(['run-results/v4', 'run-results/v5', 'run-results/v6', 'run-results/v7'])(
    'of schema %s are read',
    (schema) => {
      expect(read(results({}, { schema })).schema).toBe(Number(schema.at(-1)))
    },
  )

  test.each([
    ['2026-11-24T03:00:00.123456789Z', Date.UTC(2026, 10, 24, 3, 0, 0, 123)],
    ['2026-11-24T03:00:00', Date.UTC(2026, 10, 24, 3)],
    ['2026-11-24T04:00:00+01:00', Date.UTC(2026, 10, 24, 3)],
  ])('are from the instant that they name, UTC where they name no zone: %s', (generated_at, instant) => {
    expect(read(results({}, { metadata: { generated_at } })).generatedAt).toBe(instant)
  })

  test('know of --empty and --sample, also where a preview of dbt 2 nests them', () => {
    expect(read(results({}, { args: { empty: true } })).limited).toBe('--empty')
    expect(read(results({}, { args: { sample: '3 days' } })).limited).toBe('--sample')
    expect(read(results({}, { args: { __other__: { empty: true } } })).limited).toBe('--empty')
    expect(read(results({}, { args: { empty: false, sample: false } })).limited).toBeNull()
  })

  test('have statuses in lower case', () => {
    expect(read(results({ a: 'Success ' })).rows[0]?.status).toBe('success')
  })

  test('may hold anything else that a later dbt adds', () => {
    const file = { ...results({ a: { status: 'success', novelty: [1] } }), novelty: { deep: true } }
    expect(read(file).rows).toHaveLength(1)
  })

  test('may begin with a byte order mark and have Windows line ends', () => {
    const text = JSON.stringify(results({ a: 'success' }), null, 2).replaceAll('\n', '\r\n')
    expect(read(`\ufeff${text}`).rows).toHaveLength(1)
  })

  const good = JSON.stringify(results({ a: 'success' }))
  test.each<[string, string, RegExp]>([
    ['nothing', '', /is empty, cut off or no JSON/],
    ['half of them', good.slice(0, good.length / 2), /is empty, cut off or no JSON/],
    ['a page', '<html></html>', /is empty, cut off or no JSON/],
    ['a number that is none', good.replace('"elapsed_time":1', '"elapsed_time":NaN'), /is empty, cut off or no JSON/],
    ['a list', '[]', /names no schema of dbt/],
    ['null', 'null', /names no schema of dbt/],
    ['a manifest', JSON.stringify(manifest([])), /its schema is .*manifest\/v12/],
    ['results of dbt 0.19', good.replace('run-results/v6', 'run-results/v1'), /older than 1.0/],
    ['no time', good.replace('generated_at', 'made_at'), /does not say when it was made/],
    [
      'no list',
      good.replace('"results":[', '"results":{"a":[').replace('],"elapsed', ']},"elapsed'),
      /has no list of results/,
    ],
    [
      'a row without status',
      JSON.stringify(results({ a: { novelty: 1 } })),
      /result 1 of 1 has no unique_id or no status/,
    ],
    ['a row with a status that is no text', JSON.stringify(results({ a: { status: 1 } })), /result 1 of 1/],
  ])('that are %s are an error which names the path', (_name, text, what) => {
    const complaint = complaintOf(() => read(text))
    expect(complaint.startsWith(`${PATH} `)).toBe(true)
    expect(complaint).toMatch(what)
  })
})

test('results that are longer than any string are an error which says so', () => {
  expect(complaintOf(() => parseRunResults(Buffer.alloc(2 ** 29), PATH))).toBe(
    `${PATH} is too large to be read (512 MiB).`,
  )
})

describe('source results', () => {
  test('are read whatever their version', () => {
    expect(
      parseSourceResults(bytes(sourceResults({ 'source.shop.raw.orders': 'Error' })), 'sources.json').rows,
    ).toEqual([{ id: 'source.shop.raw.orders', status: 'error', failures: null, relation: null, isCutOff: false }])
  })
})

describe('a manifest', () => {
  const parse = (file: unknown) => parseManifest(bytes(file), 'target/manifest.json')

  test.each(['v4', 'v9', 'v12', 'v20'])('of schema %s is read', (schema) => {
    expect(parse(manifest([model('orders')], { schema })).nodes.get('model.shop.orders')).toMatchObject({
      kind: 'model',
      name: 'orders',
      package: 'shop',
      materialized: 'table',
      relation: '"shop"."marts"."orders"',
    })
  })

  test('has parents from its nodes and from its parent map', () => {
    const more = { parent_map: { 'model.shop.b': ['model.shop.c'], 'model.shop.gone': ['x'] } }
    const { nodes } = parse(manifest([model('a'), model('b', ['model.shop.a']), model('c')], { more }))
    expect(nodes.get('model.shop.b')?.parents).toEqual(['model.shop.a', 'model.shop.c'])
  })

  test('has the relation of a node from its parts where dbt does not say it whole', () => {
    const parts = [
      model('orders', [], { relation_name: null, alias: 'orders_v2' }),
      model('loose', [], { relation_name: null, materialized: 'ephemeral' }),
    ]
    const { nodes } = parse(manifest(parts))
    expect(nodes.get('model.shop.orders')?.relation).toBe('"shop"."marts"."orders_v2"')
    expect(nodes.get('model.shop.loose')?.relation).toBeNull()
  })

  test('has meta from where dbt of today keeps it, and from where it used to', () => {
    const parts = [exposure('a', [], { meta: { x: 1, y: 1 }, config: { meta: { y: 2 } } })]
    expect(parse(manifest(parts)).nodes.get('exposure.shop.a')?.meta).toEqual({ x: 1, y: 2 })
  })

  test('tells what is disabled from what is not there', () => {
    const off = { ...model('off'), fields: { ...model('off').fields, config: { enabled: false } } }
    const { nodes, disabled } = parse(manifest([off], { disabled: { 'model.shop.gone': [{ name: 'gone' }] } }))
    expect(nodes.size).toBe(0)
    expect([...disabled.keys()].sort()).toEqual(['model.shop.gone', 'model.shop.off'])
  })

  test('may be full of NaN and worse where nobody looks', () => {
    const text = JSON.stringify(manifest([model('orders')], { more: { macros: 0 } })).replace(
      '"macros":0',
      '"macros":{"a":NaN,"b":[{,}]}',
    )
    expect(parse(text).nodes.size).toBe(1)
  })

  test.each<[string, string, RegExp]>([
    ['cut off', JSON.stringify(manifest([model('orders')])).slice(0, -40), /is empty, cut off or no JSON/],
    ['empty', ' ', /is empty, cut off or no JSON/],
    ['without nodes', '{"metadata": {}}', /has no metadata or no nodes/],
    ['a catalog', JSON.stringify(manifest([])).replace('manifest/v12', 'catalog/v1'), /its schema is .*catalog\/v1/],
    ['of dbt 0.21', JSON.stringify(manifest([])).replace('manifest/v12', 'manifest/v3'), /older than 1.0/],
  ])('that is %s is an error which names the path', (_name, text, what) => {
    const complaint = complaintOf(() => parse(text))
    expect(complaint).toMatch(/^target\/manifest\.json /)
    expect(complaint).toMatch(what)
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { parseConfig, SETTINGS } from '../../src/config/config.ts'
import { CHOICES, RANGES } from '../../src/core/reading.ts'
import { PROVIDERS } from '../../src/providers/index.ts'
import { ROOT } from '../runner/runner.ts'

type Property = {
  title?: string
  description?: string
  type: string | string[]
  enum?: string[]
  minimum?: number
  maximum?: number
  pattern?: string
  examples?: unknown[]
}

type Mapping = { additionalProperties: boolean; required: string[]; properties: Record<string, Property> }

const SCHEMA: Mapping & { definitions: { sync: Mapping } } = JSON.parse(
  readFileSync(join(ROOT, 'config.schema.json'), 'utf8'),
)
const { properties } = SCHEMA.definitions.sync
const ajv = new Ajv({ allowUnionTypes: true })
const validate = ajv.compile(SCHEMA)

/** What an editor makes of the file, and what the step makes of it. */
async function verdicts(text: string): Promise<{ schema: boolean; parser: boolean }> {
  const { problems } = await parseConfig(text, 'syncs.yml', PROVIDERS, 'census')
  return { schema: validate(parse(text)), parser: problems.length === 0 }
}

const sync = (...lines: string[]) => ['syncs:', '  - id: 8290', ...lines.map((line) => `    ${line}`), ''].join('\n')

/** What a schema calls the types of YAML. */
const JSON_TYPES: Record<string, string[]> = {
  boolean: ['boolean'],
  list: ['array'],
  number: ['integer', 'number'],
  string: ['string'],
}

describe('the schema', () => {
  test('knows the settings of a sync that the parser knows, in the same order', () => {
    expect(Object.keys(properties)).toEqual(Object.keys(SETTINGS))
  })

  test.each(Object.entries(SETTINGS))('gives %s the types that it may have', (name, types) => {
    const given = [properties[name]?.type ?? []].flat()
    expect(given.map((type) => types.find((own) => JSON_TYPES[own]?.includes(type)))).toEqual([...types])
  })

  test('has the words of a setting wherever it has any', () => {
    const choices = Object.entries(CHOICES).filter(([name]) => Object.hasOwn(SETTINGS, name))
    const listed = Object.entries(properties).flatMap(([name, { enum: words }]) => (words ? [[name, words]] : []))
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(choices))
  })

  test('has the range of a number wherever it has one', () => {
    const ranges = Object.entries(RANGES)
      .filter(([name]) => Object.hasOwn(SETTINGS, name))
      .map(([name, { least, most, whole }]) => [name, [whole ? 'integer' : 'number', least, most]])
    const listed = Object.entries(properties)
      .filter(([, { type }]) => type === 'integer' || type === 'number')
      .map(([name, { type, minimum, maximum }]) => [name, [type, minimum, maximum]])
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(ranges))
  })

  test('has the names of all providers, and the pattern of their ids', () => {
    const names = PROVIDERS.flatMap(({ name, aliases }) => [name, ...aliases])
    expect(SCHEMA.properties.provider?.enum).toEqual(names)
    expect(PROVIDERS.map(({ id }) => id.source)).toEqual(PROVIDERS.map(() => properties.id?.pattern))
  })

  test('allows no other key, and requires only what nothing can stand in for', () => {
    expect(SCHEMA).toMatchObject({ additionalProperties: false, required: ['syncs'] })
    expect(SCHEMA.definitions.sync).toMatchObject({ additionalProperties: false, required: ['id'] })
  })

  test.each(Object.entries({ ...SCHEMA.properties, ...properties }))('explains %s', (_name, property) => {
    expect(property.title).toMatch(/\S/)
    expect(property.description).toMatch(/^[A-Z`].*\.$/)
  })

  test.each(Object.entries(properties).filter(([, { examples }]) => examples !== undefined))(
    'gives examples of %s that are right',
    async (name, { examples = [] }) => {
      for (const example of examples)
        expect(await verdicts(stringify({ syncs: [{ id: 8290, [name]: example }] }))).toEqual({
          schema: true,
          parser: true,
        })
    },
  )
})

describe('schema and parser', () => {
  test.each([
    sync(),
    'syncs: [{ id: 8290 }]',
    'syncs:\n  - id: "8290"\n  - id: 8291',
    'provider: census\nsyncs:\n  - id: 1',
    'provider: fivetran-activations\nsyncs:\n  - id: 1',
    'syncs:\n  - id: 9007199254740993',
    'syncs:\n  - id: "9999999999999999999"',
    sync('name: customers for re-engagement'),
    sync('name: "2024"'),
    sync('models: [customers]'),
    sync('models:', '  - shop.customers', '  - model.shop.orders'),
    sync('dbt-gate: off'),
    sync('dbt-gate: "off"'),
    sync('allow-failure: true', 'full-sync: False'),
    sync('retries: 0'),
    sync('retries: 10'),
    sync('retries: 2.0'),
    sync('max-failed-records: 0'),
    sync('max-failed-records: 999999999999'),
    sync('max-failed-records: "100"'),
    sync('max-failed-records: 100%'),
    sync('max-failed-records: 0.5%'),
    sync('max-failed-records: 99.999999%'),
    sync('max-invalid-records: 100.00 %'),
    sync('on-running: attach', 'on-paused: trigger'),
    sync('timeout-minutes: 0.01'),
    sync('timeout-minutes: 7200'),
  ])('both take %j', async (text) => {
    expect(await verdicts(text)).toEqual({ schema: true, parser: true })
  })

  test.each([
    '',
    '# nothing but a comment',
    'syncs:',
    'syncs: []',
    'syncs: {}',
    'syncs: 8290',
    'syncs: [8290]',
    'syncs: [null]',
    'provider: census',
    '- id: 8290',
    'id: 8290',
    'hello',
    'provider: segment\nsyncs:\n  - id: 1',
    'provider: 1\nsyncs:\n  - id: 1',
    'version: 1\nsyncs:\n  - id: 1',
    'syncs:\n  - name: no id',
    'syncs:\n  - id:',
    'syncs:\n  - id: ""',
    'syncs:\n  - id: 0',
    'syncs:\n  - id: -5',
    'syncs:\n  - id: 8290.5',
    'syncs:\n  - id: true',
    'syncs:\n  - id: [8290]',
    'syncs:\n  - id: "08290"',
    'syncs:\n  - id: ../../admin',
    'syncs:\n  - id: "12345678901234567890"',
    'syncs:\n  - ID: 8290',
    sync('retires: 1'),
    sync('sync-ids: [1]'),
    sync('on-fresh: skip'),
    sync('name: 2024'),
    sync('name: ""'),
    sync('name: "  "'),
    sync('models: customers'),
    sync('models: []'),
    sync('models: [""]'),
    sync('models: [1]'),
    sync('models: [null]'),
    sync('models: [[customers]]'),
    sync('dbt-gate: false'),
    sync('dbt-gate: none'),
    sync('dbt-gate: ""'),
    sync('allow-failure: yes'),
    sync('full-sync: "true"'),
    sync('full-sync: 1'),
    sync('retries: "2"'),
    sync('retries: 1.5'),
    sync('retries: -1'),
    sync('retries: 11'),
    sync('max-failed-records: ""'),
    sync('max-failed-records: 1.5'),
    sync('max-failed-records: -1'),
    sync('max-failed-records: 1000000000000'),
    sync('max-failed-records: 100.1%'),
    sync('max-failed-records: 101%'),
    sync('max-failed-records: 0.1234567%'),
    sync('max-invalid-records: few'),
    sync('max-invalid-records: "%"'),
    sync('max-invalid-records: true'),
    sync('on-running: wait'),
    sync('on-paused: queue'),
    sync('timeout-minutes: 0'),
    sync('timeout-minutes: 7200.5'),
    sync('timeout-minutes: .inf'),
    sync('timeout-minutes: 1h'),
  ])('both refuse %j', async (text) => {
    expect(await verdicts(text)).toEqual({ schema: false, parser: false })
  })

  test.each([
    ['an empty setting is an absent one', sync('retries:', 'models:', 'dbt-gate:')],
    ['an empty provider is an absent one', `provider:\n${sync()}`],
    ['words may be in capitals', sync('dbt-gate: Off', 'on-paused: SKIP')],
    ['so may the provider', `provider: Census\n${sync()}`],
    ['blanks may stand around a text', 'syncs:\n  - id: " 8290 "\n    on-paused: "skip "'],
    ['a percentage may begin with zeros', sync('max-failed-records: 005%')],
    ['a number of records in quotes may have a decimal point', sync('max-failed-records: "100.0"')],
  ])('the parser alone forgives, as it does with inputs: %s', async (_what, text) => {
    expect(await verdicts(text)).toEqual({ schema: false, parser: true })
  })

  // A schema sees the value, not how it is written, and one sync, not its neighbours.
  test.each([
    ['an id that is listed twice', 'syncs:\n  - id: 8290\n  - id: 8290'],
    ['an id that is listed as a number and as a text', 'syncs:\n  - id: 8290\n  - id: "8290"'],
    ['an id with a zero in front', 'syncs:\n  - id: 08290'],
    ['an id with a sign', 'syncs:\n  - id: +8290'],
    ['an id with a decimal point', 'syncs:\n  - id: 8290.0'],
    ['a hexadecimal id', 'syncs:\n  - id: 0x2062'],
    ['an id with an exponent', 'syncs:\n  - id: 8.29e3'],
    ['an id of 20 digits, which a schema rounds', 'syncs:\n  - id: 10000000000000000000'],
    ['a hexadecimal number', sync('retries: 0xA')],
    ['a number with an exponent', sync('timeout-minutes: 1e3')],
    ['a number with a sign', sync('max-failed-records: +5')],
    ['a number that begins with its decimal point', sync('timeout-minutes: .5')],
    ['a number with more than six decimals', sync('timeout-minutes: 1.2345678')],
    ['an alias', 'syncs:\n  - id: &id 8290\n    name: &name customers\n  - id: 8291\n    name: *name'],
  ])('the parser alone refuses %s', async (_what, text) => {
    expect(await verdicts(text)).toEqual({ schema: true, parser: false })
  })

  test('agree on whatever is put into a file, but for the above', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((word) => word.trim())
    const decimal = fc.integer({ min: -10_000_000, max: 8_000_000_000 }).map((millionths) => millionths / 1_000_000)
    const percent = fc.tuple(decimal, fc.constantFrom('%', ' %', '%%')).map((parts) => parts.join(''))
    const words = fc.constantFrom(...Object.values(CHOICES).flat(), 'true', 'null', '', '100', '1e3', '08290')
    const scalar = fc.oneof(text, fc.integer(), fc.integer({ min: -2, max: 12 }), decimal, percent, words, fc.boolean())
    const anything = fc.oneof(
      { weight: 6, arbitrary: scalar },
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(text, scalar, { maxKeys: 2 }),
    )
    const mostly = (valid: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary: valid }, anything)
    const limit = fc.oneof(
      fc.nat(),
      fc.integer({ min: 0, max: 100_000_000 }).map((part) => `${part / 1_000_000}%`),
    )
    const settings: Record<keyof typeof SETTINGS, fc.Arbitrary<unknown>> = {
      id: fc.oneof(fc.integer({ min: 1 }), fc.bigInt(1n, 10n ** 19n - 1n).map(String)),
      name: fc.string({ minLength: 1 }).map((word) => `${word}.`),
      models: fc.array(fc.constantFrom('customers', 'shop.customers', 'model.shop.orders'), { minLength: 1 }),
      'dbt-gate': fc.constantFrom(...CHOICES['dbt-gate']),
      'allow-failure': fc.boolean(),
      'full-sync': fc.boolean(),
      retries: fc.integer({ min: RANGES.retries.least, max: RANGES.retries.most }),
      'max-failed-records': limit,
      'max-invalid-records': limit,
      'on-running': fc.constantFrom(...CHOICES['on-running']),
      'on-paused': fc.constantFrom(...CHOICES['on-paused']),
      'timeout-minutes': fc.integer({ min: 10_000, max: 7_200_000_000 }).map((millionths) => millionths / 1_000_000),
    }
    const known = fc.record(
      Object.fromEntries(Object.entries(settings).map(([name, valid]) => [name, mostly(valid)])),
      {
        requiredKeys: ['id'],
      },
    )
    const strange = fc.dictionary(text, scalar, { maxKeys: 1 })
    const item = fc.oneof(
      { weight: 12, arbitrary: known },
      fc.tuple(known, strange).map(([own, more]) => ({ ...more, ...own })),
      anything,
    )
    const idOf = (one: unknown) =>
      typeof one === 'object' && one !== null && 'id' in one ? JSON.stringify(one.id).replaceAll('"', '') : ''
    const file = fc.record(
      {
        provider: mostly(fc.constantFrom('census', 'fivetran-activations')),
        syncs: fc.oneof(
          { weight: 12, arbitrary: fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: idOf }) },
          anything,
        ),
      },
      { requiredKeys: ['syncs'] },
    )
    const seen = new Set<boolean>()
    await fc.assert(
      fc.asyncProperty(file, async (content) => {
        const { schema, parser } = await verdicts(stringify(content))
        expect(parser).toBe(schema)
        seen.add(parser)
      }),
      { numRuns: 1500 },
    )
    expect(seen.size).toBe(2)
  })
})

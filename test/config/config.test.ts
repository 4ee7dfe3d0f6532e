import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseConfig, readConfig, SETTINGS } from '../../src/config/config.ts'
import type { ProviderFacts } from '../../src/core/input-values.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { PROVIDERS } from '../../src/providers/index.ts'
import { plain } from '../../src/report/safe.ts'

const ALLOWED = `Allowed: ${Object.keys(SETTINGS).join(', ')}.`
const ID_HELP = 'Allowed for census: the number in the address of the page of a sync, such as 8290.'
const NO_LIST = 'syncs: must be a list of one sync or more, each with its id: "- id: 8290".'

/** What is wrong with a file, each without the path before its place. */
async function problemsOf(text: string): Promise<string[]> {
  const { problems } = await parseConfig(text, 'syncs.yml', PROVIDERS, 'census')
  return problems.map((problem) => {
    expect(problem).toMatch(/^config: syncs\.yml:\d+:\d+: /)
    return problem.slice('config: syncs.yml:'.length)
  })
}

async function accepted(text: string) {
  const { config, problems } = await parseConfig(text, 'syncs.yml', PROVIDERS, 'census')
  expect(problems).toEqual([])
  return Object.fromEntries(config)
}

/** A file with one sync. The settings stand from line 3 on, in column 5. */
const sync = (...lines: string[]) => ['syncs:', '  - id: 8290', ...lines.map((line) => `    ${line}`), ''].join('\n')

describe('a good file', () => {
  test('becomes the settings of its syncs, in its order', async () => {
    const { config, problems } = await parseConfig(
      `# yaml-language-server: $schema=config.schema.json
provider: census
syncs:
  - id: 8291 # orders
    name: orders to Braze
    models: [orders, shop.customers]
    dbt-gate: strict
    allow-failure: true
    full-sync: true
    retries: 2
    max-failed-records: 100
    max-invalid-records: 2.5 %
    on-running: attach
    on-paused: skip
    timeout-minutes: 0.5
  - id: "8290"
`,
      'syncs.yml',
      PROVIDERS,
      'census',
    )
    expect(problems).toEqual([])
    expect([...config]).toEqual([
      [
        '8291',
        {
          name: 'orders to Braze',
          models: ['orders', 'shop.customers'],
          gate: 'strict',
          allowFailure: true,
          full: true,
          retries: 2,
          maxFailed: { count: 100 },
          maxInvalid: { percent: 2.5 },
          onRunning: 'attach',
          onPaused: 'skip',
          ownTimeoutMs: 30_000,
        },
      ],
      ['8290', {}],
    ])
  })

  test('overrides nothing that it does not give', async () => {
    const config = await accepted(sync('retries: 0', 'full-sync: false'))
    expect(Object.keys(config['8290'] ?? {}).sort()).toEqual(['full', 'retries'])
  })

  test('overrides nothing that it leaves empty', async () => {
    const empty = Object.keys(SETTINGS).filter((name) => name !== 'id')
    expect(await accepted(`provider:\n${sync(...empty.map((name) => `${name}:`))}`)).toEqual({ 8290: {} })
    expect(await accepted(sync('retries: null', 'name: ~', 'models: # none yet'))).toEqual({ 8290: {} })
  })

  test.each(['1234567890123456789', '9007199254740993', '9999999999999999999'])(
    'keeps every digit of the id %s, which is no exact number',
    async (id) => {
      expect(Object.keys(await accepted(`syncs:\n  - id: ${id}`))).toEqual([id])
    },
  )

  test.each([
    ['off', 'off'],
    ['"off"', 'off'],
    ['Off', 'off'],
    ['direct', 'direct'],
  ])('dbt-gate: %s is a word and no boolean', async (written, gate) => {
    expect(await accepted(sync(`dbt-gate: ${written}`))).toEqual({ 8290: { gate } })
  })

  test('cannot be turned into YAML 1.1, where the word off is a boolean', async () => {
    expect(await accepted(`%YAML 1.1\n---\n${sync('dbt-gate: off')}`)).toEqual({ 8290: { gate: 'off' } })
  })

  test.each([
    ['lines that end as on Windows', sync('retries: 2').replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${sync('retries: 2')}`],
    ['comments', `# syncs\n${sync('retries: 2 # of them', '# on-paused: skip')}# the end`],
    ['JSON', '{"syncs": [{"id": 8290, "retries": 2}]}'],
    ['the marks of its start and end', `---\n${sync('retries: 2')}...\n`],
    ['tabs before a value and at the end of a line', sync('retries:\t2\t')],
    ['an anchor that nobody uses', 'syncs:\n  - &one\n    id: 8290\n    retries: 2'],
    ['no line break at its end', sync('retries: 2').trimEnd()],
  ])('may have %s', async (_what, text) => {
    expect(await accepted(text)).toEqual({ 8290: { retries: 2 } })
  })

  test('may be a megabyte long', async () => {
    const count = 20_000
    const items = Array.from(
      { length: count },
      (_, index) => `  - id: ${index + 1}\n    name: sync number ${index + 1}`,
    )
    const text = `syncs:\n${items.join('\n')}\n# ${'x'.repeat(300_000)}`
    expect(text.length).toBeGreaterThan(1_000_000)
    const { config, problems } = await parseConfig(text, 'syncs.yml', PROVIDERS, 'census')
    expect(problems).toEqual([])
    expect([...config.keys()].map(Number)).toEqual(items.map((_, index) => index + 1))
  })
})

describe('a file that is none', () => {
  test.each([
    ['', 'empty'],
    ['\n  \n', 'empty'],
    ['# nothing but a comment', 'empty'],
    ['null', 'empty'],
    ['hello', 'a text'],
    ['8290', 'a number'],
    ['true', 'true or false'],
    ['- id: 8290', 'a list'],
  ])('%j is told once what it must be', async (text, what) => {
    expect(await problemsOf(text)).toEqual([`1:1: must be a mapping with provider, syncs, not ${what}.`])
  })

  test.each([
    ['provider: census', '1:1'],
    ['syncs:', '1:1'],
    ['provider: census\nsyncs: []', '2:8'],
    ['syncs: 8290', '1:8'],
    ['syncs:\n  id: 8290', '2:3'],
  ])('%j is told that it lists no sync', async (text, place) => {
    expect(await problemsOf(text)).toEqual([`${place}: ${NO_LIST}`])
  })

  test.each([
    ['syncs: [8290]', '1:9', 'a number'],
    ['syncs:\n  - id: 1\n  - orders', '3:5', 'a text'],
    ['syncs:\n  - id: 1\n  - [2]', '3:5', 'a list'],
    ['syncs:\n  - id: 1\n  -', '3:4', 'empty'],
  ])('%j is told which of its syncs is none', async (text, place, what) => {
    const names = Object.keys(SETTINGS).join(', ')
    expect(await problemsOf(text)).toEqual([`${place}: must be a mapping with ${names}, not ${what}.`])
  })
})

describe('a key', () => {
  test.each([
    ['retires', 'retries'],
    ['model', 'models'],
    ['dbt_gate', 'dbt-gate'],
    ['Full-Sync', 'full-sync'],
    ['max_failed_records', 'max-failed-records'],
    ['max-invalid-record', 'max-invalid-records'],
    ['timeout-minute', 'timeout-minutes'],
    ['allow-failures', 'allow-failure'],
    ['ID', 'id'],
    ['ids', 'id'],
  ])('%s is unknown and near to %s', async (key, near) => {
    expect(await problemsOf(sync(`${key}: 1`))).toEqual([
      `3:5: there is no setting "${key}". Did you mean ${near}? ${ALLOWED}`,
    ])
  })

  test.each(['destination', 'x', 'on-fresh', '5', '__proto__', 'constructor', 'toString'])(
    '%s is unknown and near to none',
    async (key) => {
      expect(await problemsOf(sync(`${key}: 1`))).toEqual([`3:5: there is no setting "${key}". ${ALLOWED}`])
    },
  )

  test('that is unknown at the top is told what is allowed there', async () => {
    expect(await problemsOf(`providr: census\n${sync()}`)).toEqual([
      '1:1: there is no setting "providr". Did you mean provider? Allowed: provider, syncs.',
    ])
    expect(await problemsOf(`${sync()}retries: 2`)).toEqual([
      '3:1: there is no setting "retries". Allowed: provider, syncs.',
    ])
  })

  test('that is no text is unknown', async () => {
    expect(await problemsOf(`? [a, b]\n: 1\n${sync()}`)).toEqual([
      '1:3: there is no setting "". Allowed: provider, syncs.',
    ])
  })

  test.each(['retries: 2', 'retries:'])('that is there twice is told by its name: %s', async (again) => {
    expect(await problemsOf(sync('retries: 1', 'name: orders', again))).toEqual([
      '5:5: retries: is given twice. Keep one of the two.',
    ])
  })

  test('that is there twice at the top is told too', async () => {
    expect(await problemsOf(`${sync()}syncs:\n  - id: 8291`)).toEqual([
      '3:1: syncs: is given twice. Keep one of the two.',
    ])
  })
})

describe('a value', () => {
  const SAMPLES = { number: '5', string: 'orders', boolean: 'true', list: '[orders]', mapping: '{ orders: 1 }' }
  const CALLED: Record<string, string> = {
    number: 'a number',
    string: 'a text',
    boolean: 'true or false',
    list: 'a list',
    mapping: 'a mapping',
  }
  const misfits = Object.entries(SETTINGS).flatMap(([name, types]) =>
    Object.entries(SAMPLES)
      .filter(([type]) => !types.some((allowed) => allowed === type))
      .map(([type, sample]) => ({ name, sample, types, type })),
  )

  test.each(misfits)('of the wrong type is told once: $name: $sample', async ({ name, sample, types, type }) => {
    const text = name === 'id' ? `syncs:\n  - id: ${sample}` : sync(`${name}: ${sample}`)
    const place = `${name === 'id' ? 2 : 3}:${name.length + 7}`
    const allowed = types.map((one) => CALLED[one]).join(' or ')
    expect(await problemsOf(text)).toEqual([`${place}: ${name}: must be ${allowed}, not ${CALLED[type]}.`])
  })

  test.each([
    ['full-sync: yes', '3:16: full-sync: must be true or false, not a text.'],
    ['full-sync: "true"', '3:16: full-sync: must be true or false, not a text.'],
    ['retries: "2"', '3:14: retries: must be a number, not a text.'],
    ['name: 2024', '3:11: name: must be a text, not a number.'],
    ['name: ""', '3:11: name: "" is not allowed. Give it a value, or leave it out.'],
    ['name: "  "', '3:11: name: "" is not allowed. Give it a value, or leave it out.'],
    ['models: orders', '3:13: models: must be a list, not a text.'],
    ['models: []', '3:13: models: must name one dbt model or more; leave it out where they are not known.'],
    ['models: [a, 5]', '3:17: models: must be a list of names of dbt models, and this is a number.'],
    ['models: [a, " "]', '3:17: models: must be a list of names of dbt models, and this is empty.'],
    ['models: [a, null]', '3:17: models: must be a list of names of dbt models, and this is empty.'],
    ['models: [a, [b]]', '3:17: models: must be a list of names of dbt models, and this is a list.'],
    ['dbt-gate: none', '3:15: dbt-gate: "none" is not allowed. Allowed: upstream, direct, strict, off.'],
    ['dbt-gate: ""', '3:15: dbt-gate: "" is not allowed. Allowed: upstream, direct, strict, off.'],
    ['on-running: wait', '3:17: on-running: "wait" is not allowed. Allowed: queue, attach, skip, fail.'],
    ['on-paused: queue', '3:16: on-paused: "queue" is not allowed. Allowed: fail, skip, trigger.'],
    ['retries: 1.5', '3:14: retries: "1.5" is not allowed. Allowed: a whole number of runs from 0 to 10.'],
    ['retries: 0x2', '3:14: retries: "0x2" is not allowed. Allowed: a whole number of runs from 0 to 10.'],
    [
      'timeout-minutes: .5',
      '3:22: timeout-minutes: ".5" is not allowed. Allowed: a number of minutes from 0.01 to 7200.',
    ],
    [
      'max-failed-records: 101%',
      '3:25: max-failed-records: "101%" is not allowed. ' +
        'Allowed: a whole number of records such as 100, or a percentage from 0% to 100%.',
    ],
    [
      'max-invalid-records: few',
      '3:26: max-invalid-records: "few" is not allowed. ' +
        'Allowed: a whole number of records such as 100, or a percentage from 0% to 100%.',
    ],
  ])('that is not allowed is quoted, with what is: %s', async (line, problem) => {
    expect(await problemsOf(sync(line))).toEqual([problem])
  })

  test.each(['max-failed-records', 'max-invalid-records'])('that is an empty text lifts no limit: %s', async (name) => {
    expect(await problemsOf(sync(`${name}: ""`))).toEqual([
      `3:${name.length + 7}: ${name}: "" is not allowed. Give it a value, or leave it out.`,
    ])
  })
})

describe('an id', () => {
  test.each(['08290', '0', '-5', '8290.0', '0x2062', '+8290', '1e3', '../../admin', '10000000000000000000', 'orders'])(
    'may not be %s',
    async (id) => {
      expect(await problemsOf(`syncs:\n  - id: ${id}`)).toEqual([`2:9: id: "${id}" is not allowed. ${ID_HELP}`])
    },
  )

  test.each(['name: orders', 'id:\n    name: orders', 'id: null'])('is required: %j', async (first) => {
    expect(await problemsOf(`syncs:\n  - ${first}`)).toEqual([`2:5: id: is required. ${ID_HELP}`])
  })

  test('that is listed twice is told where it is listed again, also if it is once a text', async () => {
    expect(await problemsOf('syncs:\n  - id: 8290\n  - id: 8291\n  - name: again\n    id: "8290"')).toEqual([
      '5:9: id: "8290" is listed twice. List each sync once.',
    ])
  })

  test('that several syncs lack is not taken for one that is listed twice', async () => {
    expect(await problemsOf('syncs:\n  - name: a\n  - name: b\n  - id: true\n  - id: ""')).toEqual([
      `2:5: id: is required. ${ID_HELP}`,
      `3:5: id: is required. ${ID_HELP}`,
      '4:9: id: must be a number or a text, not true or false.',
      `5:9: id: "" is not allowed. ${ID_HELP}`,
    ])
  })
})

describe('the provider', () => {
  const other: ProviderFacts = { ...CENSUS, name: 'elsewhere', aliases: [], id: /^[a-z]+$/, idHelp: 'its name' }
  const both = [CENSUS, other]

  test.each([
    ['census', 'census'],
    ['census', ' Fivetran-Activations '],
    ['"Census "', 'census'],
    ['fivetran-activations', 'census'],
    ['elsewhere', 'elsewhere'],
  ])('%s is the one of the input %j', async (named, input) => {
    const id = input === 'elsewhere' ? 'orders' : '8290'
    const { problems } = await parseConfig(`provider: ${named}\nsyncs: [{ id: ${id} }]`, 'syncs.yml', both, input)
    expect(problems).toEqual([])
  })

  test('decides what an id may be', async () => {
    const { problems } = await parseConfig('syncs: [{ id: 8290 }]', 'syncs.yml', both, 'elsewhere')
    expect(problems).toEqual(['config: syncs.yml:1:15: id: "8290" is not allowed. Allowed for elsewhere: its name.'])
  })

  test('of the file must be the one of the input', async () => {
    const { problems } = await parseConfig(`provider: elsewhere\n${sync()}`, 'syncs.yml', both, 'census')
    expect(problems).toEqual([
      'config: syncs.yml:1:11: provider: elsewhere is not what the input provider says, "census".',
    ])
  })

  test.each([
    ['segment', '"segment" is not allowed. Allowed: census, fivetran-activations.'],
    ['""', '"" is not allowed. Allowed: census, fivetran-activations.'],
    ['5', 'must be a text, not a number.'],
    ['[census]', 'must be a text, not a list.'],
  ])('may not be %s', async (written, problem) => {
    expect(await problemsOf(`provider: ${written}\n${sync()}`)).toEqual([`1:11: provider: ${problem}`])
  })
})

test('all problems of a file are told at once', async () => {
  const text = `version: 2
provider: segment
syncs:
  - id: 8290
    retires: 1
    retries: many
    name: a
    name: b
  - id: 8290
    dbt-gate: none
    models: [a, 1]
  - orders
`
  const places = (await problemsOf(text)).map((problem) => problem.replace(/^(\d+:\d+): (\S+).*$/, '$1 $2'))
  expect(places).toEqual([
    '1:1 there',
    '2:11 provider:',
    '5:5 there',
    '8:5 name:',
    '6:14 retries:',
    '11:17 models:',
    '10:15 dbt-gate:',
    '9:9 id:',
    '12:5 must',
  ])
})

describe('the place of a problem', () => {
  test.each([
    ['whatever ends the lines', sync('name: orders', 'retries: 11').replaceAll('\n', '\r\n'), '4:14'],
    ['after comments and empty lines', `# syncs\n\n${sync('# more', 'retries: 11')}`, '6:14'],
    ['in the first line, with a byte order mark', '\uFEFF{ syncs: [{ id: 8290, retries: 11 }] }', '1:32'],
    ['after letters beyond ASCII', 'syncs: [{ id: 8290, name: "ü", retries: 11 }]', '1:41'],
    ['of a value in a line of its own', sync('retries:', '  11'), '4:7'],
  ])('is exact %s', async (_where, text, place) => {
    expect(await problemsOf(text)).toEqual([expect.stringMatching(`^${place}: retries: "11" is not allowed`)])
  })
})

describe('what is not YAML', () => {
  test.each([
    ['syncs:\n\t- id: 8290', '2:1: Tabs are not allowed as indentation.'],
    ['syncs:\n  - id: 8290\n\tretries: 1', '3:1: Tabs are not allowed as indentation.'],
    [sync('name: customers: orders'), '3:11: Nested mappings are not allowed in compact mappings.'],
    [sync('name: @orders'), '3:11: Plain value cannot start with reserved character @.'],
    ['syncs:\n  - id: "8290', '2:14: Missing closing "quote.'],
    [sync('name: "\\q"'), '3:12: Invalid escape sequence \\q.'],
    ['syncs:\n  - id: 8290\n   retries: 1', '3:1: Sequence item without - indicator.'],
  ])('%j is told with its place', async (text, problem) => {
    expect(await problemsOf(text)).toEqual([problem])
  })

  test('a second document is refused in words for who wrote it', async () => {
    expect(await problemsOf(`${sync()}---\n${sync()}`)).toEqual([
      '3:1: A second document begins here, and only one is read.',
    ])
  })

  test.each([
    ['as a sync', 'syncs:\n  - &one\n    id: 8290\n  - *one', '4:5', 'one'],
    ['as a value', 'syncs:\n  - id: 8290\n    name: &name a\n  - id: 8291\n    name: *name', '5:11', 'name'],
    ['as a key', 'syncs:\n  - id: 8290\n    name: &key retries\n    *key : 1', '4:5', 'key'],
    ['as what is merged', 'syncs:\n  - &one\n    id: 8290\n  - id: 8291\n    <<: *one', '5:9', 'one'],
    ['of nothing', 'syncs:\n  - *nothing', '2:5', 'nothing'],
  ])('an alias is refused %s', async (_how, text, place, name) => {
    expect(await problemsOf(text)).toEqual([
      `${place}: *${name} is an alias, and this file takes none: write the value itself.`,
    ])
  })

  test('aliases that stand for more values than could ever be written are refused, not followed', async () => {
    const level = (depth: number) =>
      `a${depth}: &a${depth} [${Array(10)
        .fill(`*a${depth - 1}`)
        .join(', ')}]`
    const bomb = ['a0: &a0 [x]', ...Array.from({ length: 40 }, (_, index) => level(index + 1)), 'syncs: *a40']
    const problems = await problemsOf(bomb.join('\n'))
    expect(problems).toHaveLength(401)
    expect(problems[0]).toMatch(/^2:10: \*a0 is an alias/)
  })

  test.each([
    ['lists', '['.repeat(100_000)],
    ['lists of lists', '- '.repeat(5000)],
    ['mappings', '{ a: '.repeat(20_000)],
    ['keys', '? '.repeat(5000)],
  ])('%s in one another without end are refused', async (_what, text) => {
    expect((await problemsOf(text))[0]).toMatch(/^1:\d+: The values are nested too deeply\.$/)
  })

  // Were each key compared with all others, this would take longer than a test may.
  test('very many keys where none belong are refused as one', async () => {
    const keys = Array.from({ length: 120_000 }, (_, index) => `  key${index}: 1`)
    expect(await problemsOf(sync('name:', ...keys))).toEqual(['4:7: name: must be a text, not a mapping.'])
  })
})

describe('hostile content', () => {
  const LONG = 'k'.repeat(100_000)

  test.each([
    ['a key', sync(`? ${LONG}\n    : 1`)],
    ['an id', `syncs:\n  - id: ${LONG}`],
    ['digits', `syncs:\n  - id: ${'1'.repeat(100_000)}`],
    ['a word', sync(`dbt-gate: ${LONG}`)],
    ['a limit', sync(`max-failed-records: ${LONG}`)],
    ['a provider', `provider: ${LONG}\n${sync()}`],
    ['an alias', `syncs:\n  - *${LONG}`],
    ['a tag', `syncs: !x!${LONG} [1]`],
    ['what stands where nothing may', `syncs:\n  - id: 1\n}${LONG}`],
  ])('of great length is cut in messages: %s', async (_what, text) => {
    const problems = await problemsOf(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(Math.max(...problems.map(({ length }) => length))).toBeLessThan(400)
  })

  test('is quoted, and is no command once it is shown', async () => {
    const problems = await problemsOf(
      sync('"::set-output name=conclusion::success": 1', 'dbt-gate: "a\\n::error::b\\e[31m\\0"', '"##[error]": 1'),
    )
    expect(problems).toEqual([
      `3:5: there is no setting "::set-output name=conclusion::success". ${ALLOWED}`,
      `5:5: there is no setting "##[error]". ${ALLOWED}`,
      expect.stringMatching(/^4:15: dbt-gate: "a\n::error::b[^"]*" is not allowed\. Allowed: /),
    ])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    for (const problem of problems) expect(plain(problem)).not.toMatch(/::|##\[|[\u0000-\u001f]/)
  })

  test('of any kind is either taken or refused in short messages', async () => {
    const pieces = [
      'syncs:',
      '\n',
      '  - ',
      'id: ',
      '8290',
      ' ',
      '\t',
      '"',
      "'",
      '[',
      ']',
      '{',
      '}',
      ',',
      '*a',
      '&a ',
      '? ',
    ]
    const more = [
      ': ',
      '#',
      '---\n',
      '...\n',
      '!!int ',
      '!x ',
      '|\n',
      '>\n',
      '%YAML 1.1\n',
      '<<: ',
      '\r',
      '\uFEFF',
      '\u0000',
    ]
    const hostile = fc
      .array(fc.oneof(fc.constantFrom(...pieces, ...more), fc.string({ unit: 'binary', maxLength: 6 })), {
        maxLength: 24,
      })
      .map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(hostile, fc.boolean(), async (text, inside) => {
        const { config, problems } = await parseConfig(inside ? sync(text) : text, 'syncs.yml', PROVIDERS, 'census')
        if (problems.length === 0) expect(config.size).toBeGreaterThan(0)
        for (const problem of problems) {
          expect(problem).toMatch(/^config: syncs\.yml:[1-9]\d*:[1-9]\d*: \S/)
          expect(problem.length).toBeLessThan(400)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('reading', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'config-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  test('finds the file from the workspace, and names it as it was given', async () => {
    mkdirSync(join(root, 'dbt'))
    writeFileSync(join(root, 'dbt', 'syncs.yml'), sync('retries: 11'))
    expect(await readConfig('dbt/syncs.yml', root, PROVIDERS, 'census')).toMatchObject({
      problems: [expect.stringMatching(/^config: dbt\/syncs\.yml:3:14: retries: /)],
    })
  })

  test('takes an absolute path', async () => {
    writeFileSync(join(root, 'syncs.yml'), `\uFEFF${sync('name: für Übung')}`)
    const { config, problems } = await readConfig(join(root, 'syncs.yml'), '/nowhere', PROVIDERS, 'census')
    expect(problems).toEqual([])
    expect([...config]).toEqual([['8290', { name: 'für Übung' }]])
  })

  test('of no path finds nothing, and nothing wrong', async () => {
    expect(await readConfig('', root, PROVIDERS, 'census')).toEqual({ config: new Map(), problems: [] })
  })

  test.each([
    ['missing.yml', 'config: "missing.yml" does not exist. Its path starts from the workspace.'],
    ['.', 'config: "." cannot be read (EISDIR).'],
    ['a\u0000b', 'config: "a\u0000b" cannot be read (ERR_INVALID_ARG_VALUE).'],
  ])('tells what is wrong with the path %j', async (path, problem) => {
    expect(await readConfig(path, root, PROVIDERS, 'census')).toEqual({ config: new Map(), problems: [problem] })
  })
})

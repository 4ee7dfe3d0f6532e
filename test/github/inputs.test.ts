import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseToken } from '../../src/core/input-values.ts'
import { DEFAULTS } from '../../src/core/inputs.ts'
import { readInputs } from '../../src/github/inputs.ts'
import { parseCommand } from '../runner/commands.ts'
import { ACTION } from '../runner/runner.ts'

let printed = ''

beforeEach(() => {
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** What the runner was told to hide by reading this token. Fails if anything else was printed. */
function maskedBy(token: string): string[] {
  printed = ''
  readInputs({ 'INPUT_API-TOKEN': token })
  const commands = printed.split('\n').filter((line) => line !== '')
  return commands.map((line) => {
    const command = parseCommand(line)
    expect([line, command?.name]).toEqual([line, 'add-mask'])
    return command?.text ?? ''
  })
}

describe('the inputs', () => {
  test('are all those of action.yml, with their defaults', () => {
    const declared = Object.entries(ACTION.inputs).map(([name, input]) => [name, input.default ?? ''])
    // The defaults that are expressions.
    expect({ ...Object.fromEntries(declared), 'job-index': '', 'job-status': 'success', 'github-token': '' }).toEqual(
      DEFAULTS,
    )
  })

  test.each(Object.keys(DEFAULTS))('have %s as it is given, however its name is written', (name) => {
    for (const written of [name, name.toUpperCase(), name.slice(0, 1).toUpperCase() + name.slice(1)]) {
      expect(readInputs({ [`INPUT_${written}`]: ' a Value\n' })).toEqual({
        raw: { [name]: ' a Value\n' },
        problems: [],
        warnings: [],
      })
    }
  })

  test('are read from nothing but variables of inputs', () => {
    const env = { MODE: 'plan', STATE_MODE: 'plan', XINPUT_MODE: 'plan', input_mode: 'plan', GITHUB_TOKEN: 'x' }
    expect(readInputs(env)).toEqual({ raw: {}, problems: [], warnings: [] })
  })

  test('may be empty, as the runner passes them where the workflow gives none', () => {
    expect(readInputs({ INPUT_RUNS: '', INPUT_MODE: '' }).raw).toEqual({ runs: '', mode: '' })
  })
})

describe('an input that does not exist', () => {
  test.each([
    ['max_parallel', 'max-parallel'],
    ['maxParallel', 'max-parallel'],
    ['max parallel', 'max-parallel'],
    ['max-paralel', 'max-parallel'],
    ['sync-id', 'sync-ids'],
    ['syncids', 'sync-ids'],
    ['SYNC_IDS', 'sync-ids'],
    ['time-out-minutes', 'timeout-minutes'],
    ['timeout-minute', 'timeout-minutes'],
    ['TimeoutMinutes', 'timeout-minutes'],
    ['api_token', 'api-token'],
    ['apitoken', 'api-token'],
    ['run', 'runs'],
    ['modes', 'mode'],
    ['retry', 'retries'],
    ['fail_fast', 'fail-fast'],
    ['failfast', 'fail-fast'],
    ['base_url', 'base-url'],
    ['full-syncs', 'full-sync'],
    ['max-failed-record', 'max-failed-records'],
    ['max-invalid-recrods', 'max-invalid-records'],
    ['on-freshh', 'on-fresh'],
    ['cancelon', 'cancel-on'],
    ['show_details', 'show-details'],
    ['timeout', 'timeout-minutes'],
    ['poll-interval', 'poll-interval-seconds'],
    ['parallel', 'max-parallel'],
    ['token', 'api-token'],
    ['ids', 'sync-ids'],
  ])('but nearly, %s, is a problem that names %s', (written, meant) => {
    // As the runner makes a variable of it.
    const variable = `INPUT_${written.replaceAll(' ', '_').toUpperCase()}`
    const shown = written.replaceAll(' ', '_').toLowerCase()
    expect(readInputs({ [variable]: 'x' })).toEqual({
      raw: {},
      problems: [`${shown}: there is no such input. Did you mean ${meant}?`],
      warnings: [],
    })
  })

  test.each(['dbt-version', 'workspace', 'args', 'environment', 'x', 'slack-channel'])(
    'and is like none, %s, is a warning',
    (written) => {
      expect(readInputs({ [`INPUT_${written.toUpperCase()}`]: 'x' })).toEqual({
        raw: {},
        problems: [],
        warnings: [`${written}: there is no such input, so it has no effect.`],
      })
    },
  )

  test.each(['constructor', '__proto__'])('is no input of ours because every object has it: %s', (written) => {
    const { raw, warnings } = readInputs({ [`INPUT_${written.toUpperCase()}`]: 'x' })
    expect(Object.keys(raw)).toEqual([])
    expect(warnings).toEqual([`${written}: there is no such input, so it has no effect.`])
  })

  test.each(['mood', 'max-invalid-reco'])('and is too far from any to be a slip, %s, is a warning', (written) => {
    expect(readInputs({ [`INPUT_${written.toUpperCase()}`]: 'x' })).toMatchObject({ problems: [] })
  })

  test('is told with every other one', () => {
    const env = { INPUT_MODE: 'plan', INPUT_MAX_PARALLEL: '1', INPUT_FAIL_FAST: 'true', INPUT_WORKSPACE: 'x' }
    const { raw, problems, warnings } = readInputs(env)
    expect(raw).toEqual({ mode: 'plan' })
    expect(problems).toHaveLength(2)
    expect(warnings).toHaveLength(1)
  })

  test('has its value nowhere in what is told', () => {
    const { problems, warnings } = readInputs({ INPUT_API_TOKEN: 'hunter2hunter2', INPUT_OTHER: 'hunter2hunter2' })
    expect([...problems, ...warnings].join('\n')).not.toContain('hunter2')
    expect(problems).toHaveLength(1)
    expect(warnings).toHaveLength(1)
  })
})

describe('the token', () => {
  const basic = (token: string) => Buffer.from(`bearer:${token}`).toString('base64')

  test.each([
    ['a plain token', 'abcdefgh12345678', ['abcdefgh12345678', basic('abcdefgh12345678')]],
    [
      'a workspace key',
      'secret-token:abcdefgh12345678',
      ['secret-token:abcdefgh12345678', 'abcdefgh12345678', basic('secret-token:abcdefgh12345678')],
    ],
    ['a token with white space around it', '  abcdefgh12345678\r\n', ['abcdefgh12345678', basic('abcdefgh12345678')]],
    ['a token in quotes', '"abcdefgh12345678"', ['"abcdefgh12345678"', 'abcdefgh12345678', basic('abcdefgh12345678')]],
    [
      'a token with the word Bearer',
      'Bearer abcdefgh12345678',
      ['Bearer abcdefgh12345678', 'abcdefgh12345678', basic('abcdefgh12345678')],
    ],
    [
      'a workspace key with all of them',
      "\ufeff 'bearer  secret-token:abcdefgh12345678' ",
      [
        "'bearer  secret-token:abcdefgh12345678'",
        "secret-token:abcdefgh12345678'",
        "abcdefgh12345678'",
        'secret-token:abcdefgh12345678',
        'abcdefgh12345678',
        basic('secret-token:abcdefgh12345678'),
      ],
    ],
    [
      'a token of two lines, in one piece and in two',
      'abcdefgh\n12345678',
      ['abcdefgh\n12345678', 'abcdefgh', '12345678', basic('abcdefgh\n12345678')],
    ],
  ])('is hidden with everything that is derived from it before anything else is printed: %s', (_name, token, masks) => {
    expect(maskedBy(token).sort()).toEqual(masks.sort())
  })

  test.each([
    '" abcdefgh12345678 "',
    '" Bearer secret-token:abcdefgh12345678 "',
    '`Bearer  abcdefgh12345678`',
    "'secret-token:abcdefgh12345678'",
  ])('is hidden as it is sent, whatever stands around it: %j', (token) => {
    const parsed = parseToken(token, '')
    const sent = 'token' in parsed ? parsed.token : ''
    expect(sent).toMatch(/^(secret-token:)?abcdefgh12345678$/)
    expect(maskedBy(token)).toEqual(expect.arrayContaining([sent, 'abcdefgh12345678', basic(sent)]))
  })

  test('of eight characters is hidden, and so is a part of eight', () => {
    expect(maskedBy('12345678')).toContain('12345678')
    expect(maskedBy('secret-token:12345678')).toContain('12345678')
  })

  test.each(['', ' ', 'x', '1234567', '  1234567  '])('%j, which is too short for one, hides nothing', (token) => {
    expect(maskedBy(token)).toEqual([])
  })

  test('hides no part of itself that is too short to hide', () => {
    expect(maskedBy('secret-token:abc').sort()).toEqual(['secret-token:abc', basic('secret-token:abc')].sort())
  })

  test('hides nothing where there is none', () => {
    readInputs({ INPUT_MODE: 'plan', 'INPUT_SYNC-IDS': '1234567890' })
    expect(printed).toBe('')
  })

  test('is hidden even where other inputs are wrong', () => {
    readInputs({ INPUT_MAX_PARALLEL: '1', 'INPUT_API-TOKEN': 'abcdefgh12345678', INPUT_OTHER: 'x' })
    expect(printed).toContain('::add-mask::abcdefgh12345678\n')
  })
})

describe('the password of a proxy', () => {
  const maskedWith = (env: Record<string, string>) => {
    printed = ''
    readInputs(env)
    return printed.split('\n').flatMap((line) => {
      const command = parseCommand(line)
      return command?.name === 'add-mask' ? [command.text] : []
    })
  }

  test.each(['http_proxy', 'HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY'])(
    'in %s is hidden, in every form of it',
    (name) => {
      const masked = maskedWith({ [name]: 'http://robot:hunter2hunter2@proxy.example:3128' })
      expect(masked).toEqual([
        'hunter2hunter2',
        'robot:hunter2hunter2',
        Buffer.from('robot:hunter2hunter2').toString('base64'),
      ])
    },
  )

  test('is hidden as it is written, and as it is meant', () => {
    expect(maskedWith({ HTTPS_PROXY: 'http://robot:p%40ssw%3Ard@proxy.example:3128' })).toEqual([
      'p%40ssw%3Ard',
      'robot:p%40ssw%3Ard',
      Buffer.from('robot:p%40ssw%3Ard').toString('base64'),
      'p@ssw:rd',
      'robot:p@ssw:rd',
      Buffer.from('robot:p@ssw:rd').toString('base64'),
    ])
    expect(maskedWith({ HTTPS_PROXY: 'http://robot:100%25%ff@proxy.example' })[0]).toBe('100%25%ff')
  })

  test.each([
    'http://proxy.example:3128',
    'http://robot@proxy.example:3128',
    'no address',
    'http://a:b@proxy.example',
    'http://robot:%zz%zz%zz@[',
  ])('is nothing in %s', (value) => {
    expect(maskedWith({ HTTPS_PROXY: value }).filter((text) => text.length < 8)).toEqual([])
  })
})

import { describe, expect, test } from 'vitest'
import { checkBaseUrl } from '../../src/address.ts'
import { hideToken, secretsOf } from '../../src/core/input-values.ts'
import { DEFAULTS, type Inputs, settingsOf } from '../../src/core/inputs.ts'
import { parseInputs } from '../../src/core/parse-inputs.ts'
import type { ConfigFile } from '../../src/core/settings.ts'
import { PROVIDERS } from '../../src/providers/index.ts'
import { ACTION } from '../runner/runner.ts'

const TOKEN = 'secret-token:abcdefgh'
const parsed = (raw: Record<string, string>, config?: ConfigFile) =>
  parseInputs({ 'api-token': TOKEN, 'sync-ids': '8290', ...raw }, PROVIDERS, checkBaseUrl, 'It is empty.', config)

function accepted(raw: Record<string, string>, config?: ConfigFile): Inputs {
  const result = parsed(raw, config)
  if (!result.ok) throw new Error(result.problems.join('\n'))
  return result.inputs
}

function problems(raw: Record<string, string>, config?: ConfigFile): string[] {
  const result = parsed(raw, config)
  return result.ok ? [] : result.problems
}

describe('defaults', () => {
  test('are those of action.yml, name by name', () => {
    const declared = Object.fromEntries(
      Object.entries(ACTION.inputs).map(([name, input]) => [name, input.default ?? '']),
    )
    expect({ ...declared, 'job-index': '', 'job-status': 'success', 'github-token': '' }).toEqual(DEFAULTS)
    expect(Object.keys(DEFAULTS)).toEqual(Object.keys(ACTION.inputs))
    expect(declared['job-index']).toBe(`\${{ strategy.job-index }}`)
    expect(declared['job-status']).toBe(`\${{ job.status }}`)
    expect(declared['github-token']).toBe(`\${{ github.token }}`)
  })

  test('stand in for empty and blank values of every input', () => {
    const blank = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '  ']))
    expect(accepted({ ...blank, 'api-token': TOKEN, 'sync-ids': '8290' })).toEqual(accepted({}))
  })
})

describe('what is said on GitHub', () => {
  test('is nothing, unless it is asked for', () => {
    expect(parsed({}).reporting).toEqual({ token: '', comment: false, issueTitle: null })
    const asked = { mode: 'plan', 'pr-comment': 'true', 'failure-issue': ' Night is failing ', 'github-token': 'ghs_x' }
    expect(parsed(asked).reporting).toEqual({ token: 'ghs_x', comment: true, issueTitle: null })
    expect(parsed(asked).warnings).toEqual(['failure-issue: has no effect with mode: plan, which delivers nothing.'])
    expect(parsed({ ...asked, mode: '', 'pr-comment': '' }).reporting).toEqual({
      token: 'ghs_x',
      comment: false,
      issueTitle: 'Night is failing',
    })
  })

  test('is known also where another input is wrong: then there is something to say', () => {
    const { ok, reporting } = parsed({ 'failure-issue': 'Night is failing', retries: 'many' })
    expect([ok, reporting.issueTitle]).toEqual([false, 'Night is failing'])
  })

  test('is not complained of twice where the mode is misspelt', () => {
    expect(problems({ mode: 'paln', 'pr-comment': 'true' })).toEqual([expect.stringMatching(/^mode: "paln"/)])
  })

  test.each([
    ['failure-issue', 'true', /the title that the issue is to have/],
    ['failure-issue', 'Off', /the title that the issue is to have/],
    ['failure-issue', 'two\nlines', /one line of up to 256 characters/],
    ['failure-issue', 'x'.repeat(257), /one line of up to 256 characters/],
    ['pr-comment', 'maybe', /Allowed: true, false/],
    ['pr-comment', 'true', /needs mode: plan/],
    ['github-token', 'ghs_a b', /holds a blank/],
  ])('and what makes no sense is refused: %s: %j', (name, value, text) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(text)])
    expect(parsed({ [name]: value }).reporting.issueTitle).toBeNull()
  })

  test('a token for GitHub is never quoted', () => {
    expect(problems({ 'github-token': 'ghs_secret value' }).join()).not.toContain('ghs_secret')
  })
})

describe('sync-ids', () => {
  test.each([
    ['8290, 8291\n8292', ['8290', '8291', '8292']],
    ['8290 8291\t8292', ['8290', '8291', '8292']],
    ['8290 # customers\n# a whole line\r\n8291', ['8290', '8291']],
    ['["8290", 8291]', ['8290', '8291']],
    ['[1234567890123456789]', ['1234567890123456789']],
    ['8290,,8291,', ['8290', '8291']],
  ])('%j', (text, ids) => {
    expect(accepted({ 'sync-ids': text }).syncIds).toEqual(ids)
  })

  test('keeps the order and drops duplicates with a warning', () => {
    const result = parsed({ 'sync-ids': '8292 8290 8292 8292' })
    expect(result).toMatchObject({
      ok: true,
      inputs: { syncIds: ['8292', '8290'] },
      warnings: [expect.stringContaining('"8292"')],
    })
    expect(result.warnings).toHaveLength(1)
  })

  test.each(['../../admin', '8290/trigger', '08290', '0', '-5', '8290.5', '12345678901234567890', 'abc', '1?x=2'])(
    'refuses %j as an id',
    (id) => {
      expect(problems({ 'sync-ids': id })).toEqual([
        expect.stringMatching(/^sync-ids: ".*" is not allowed\. Allowed for census: /),
      ])
    },
  )

  test.each(['', '  \n', '# nothing but a comment', '[]', ','])('refuses an empty list: %j', (text) => {
    expect(problems({ 'sync-ids': text })).toEqual([expect.stringMatching(/^sync-ids: is required and names no sync/)])
  })

  test.each(['[8290', '[{"id": 1}]', '[null]', '[1.5]'])('refuses JSON that is no list of ids: %j', (text) => {
    expect(problems({ 'sync-ids': text })).toEqual([expect.stringMatching(/^sync-ids: /)])
  })

  test('refuses more than 2000', () => {
    const many = Array.from({ length: 2001 }, (_, index) => index + 1).join(' ')
    expect(problems({ 'sync-ids': many })).toEqual([expect.stringContaining('at most 2000')])
  })
})

describe('api-token', () => {
  test.each([
    `  ${TOKEN}\n`,
    `Bearer ${TOKEN}`,
    `"${TOKEN}"`,
    `'${TOKEN}'`,
    `\uFEFF${TOKEN}`,
    `"Bearer ${TOKEN}"`,
    `Bearer "${TOKEN}"`,
  ])('%j is the token', (text) => {
    expect(accepted({ 'api-token': text }).token).toBe(TOKEN)
  })

  test.each([
    'secret-token:abc\r\nX-Evil: 1',
    'secret token with blanks',
    'secret-töken:abcdefgh',
    'abc\u0000defgh',
    'tiny1',
    'https://bearer:secret-token:abc@app.getcensus.com/',
  ])('refuses %j without showing it', (text) => {
    const [problem = '', ...others] = problems({ 'api-token': text })
    expect(others).toEqual([])
    expect(problem).toMatch(/^api-token: /)
    expect(problem).not.toContain(text.slice(0, 12))
  })

  test('an empty one is explained by the event', () => {
    expect(problems({ 'api-token': ' ' })).toEqual(['api-token: is required. It is empty.'])
  })
})

describe('values', () => {
  test('are read as documented', () => {
    expect(
      accepted({
        provider: 'Fivetran-Activations',
        'full-sync': 'TRUE',
        retries: '2',
        'max-parallel': '3',
        'fail-fast': 'true',
        'timeout-minutes': '0.5',
        'poll-interval-seconds': '2.5',
        'outage-tolerance-minutes': '0',
        'cancel-on': 'cancel, timeout\nfailure',
        'max-failed-records': '10',
        'max-invalid-records': '2.5 %',
        region: 'EU',
        'group-id': 'wandering_about',
        'job-status': 'failure',
      }),
    ).toMatchObject({
      provider: 'census',
      full: true,
      retries: 2,
      maxParallel: 3,
      failFast: true,
      timeoutMs: 30_000,
      pollIntervalMs: 2500,
      outageToleranceMs: 0,
      cancelOn: new Set(['cancel', 'timeout', 'failure']),
      maxFailed: { count: 10 },
      maxInvalid: { percent: 2.5 },
      baseUrl: 'https://app-eu.getcensus.com',
      groupId: 'wandering_about',
      jobStatus: 'failure',
    })
  })

  test('cancel-on: never is an empty set', () => {
    expect(accepted({ 'cancel-on': 'never' }).cancelOn.size).toBe(0)
  })

  test.each<[string, string, RegExp]>([
    ['provider', 'segment', /Allowed: census, fivetran-activations/],
    ['mode', 'runn', /Allowed: run, trigger, wait, plan/],
    ['full-sync', 'yes', /Allowed: true, false/],
    ['full-sync', 'tRue', /Allowed: true, false/],
    ['on-running', 'que', /Allowed: queue, attach, skip, fail/],
    ['on-fresh', 'fail', /Allowed: skip, trigger/],
    ['on-paused', 'queue', /Allowed: fail, skip, trigger/],
    ['retries', '1.5', /whole number of runs from 0 to 10/],
    ['retries', '-1', /from 0 to 10/],
    ['max-parallel', '0', /from 1 to/],
    ['timeout-minutes', '0', /from 0.01 to 7200/],
    ['timeout-minutes', 'Infinity', /from 0.01/],
    ['timeout-minutes', '1e3', /from 0.01/],
    ['timeout-minutes', '1h', /number of minutes/],
    ['poll-interval-seconds', 'fast', /number of seconds/],
    ['max-failed-records', '101%', /percentage/],
    ['max-failed-records', '1.5', /whole number of records/],
    ['max-invalid-records', '-1', /whole number of records/],
    ['cancel-on', 'never, cancel', /never alone/],
    ['cancel-on', 'always', /any of cancel, timeout, failure/],
    ['cancel-on', 'failure', /needs fail-fast/],
    ['region', 'au', /us, eu/],
    ['region', 'constructor', /us, eu/],
    ['api-version', 'v3', /auto, v1, v2/],
    ['group-id', 'a&b=c', /letters, digits/],
    ['job-status', 'skipped', /success, failure, cancelled/],
    ['job-index', 'first', /^job-index: "first" is not allowed\. Leave it out/],
    ['runs', '[1]', /Only mode: wait/],
  ])('%s: %j names itself and what is allowed', (name, value, allowed) => {
    const [problem = '', ...others] = problems({ [name]: value })
    expect(others).toEqual([])
    expect(problem).toMatch(new RegExp(`^${name}: `))
    expect(problem).toMatch(allowed)
  })

  test('all problems are told at once', () => {
    expect(
      problems({ 'api-token': '', 'sync-ids': '../x', retries: 'many' })
        .map((text) => text.split(':')[0])
        .sort(),
    ).toEqual(['api-token', 'retries', 'sync-ids'])
  })

  test('a very long value is cut', () => {
    expect(problems({ mode: 'x'.repeat(10_000) })[0]?.length).toBeLessThan(200)
  })
})

describe('an input that changes nothing in a mode', () => {
  const wait = { mode: 'wait', 'sync-ids': '', runs: '501' }
  test.each<[Record<string, string>, string[]]>([
    [{ ...wait, retries: '2', 'cancel-on': 'timeout' }, ['retries, cancel-on: no effect with mode: wait']],
    [{ ...wait, 'max-failed-records': '1%', 'timeout-minutes': '5' }, []],
    [{ mode: 'trigger', 'max-failed-records': '1%' }, ['max-failed-records: no effect on the runs that mode: trigger']],
    [{ mode: 'trigger', 'on-running': 'skip', 'fail-fast': 'true' }, []],
    [{ mode: 'run', retries: '2', 'max-failed-records': '1%' }, []],
    [{ ...wait, retries: '0', 'cancel-on': '' }, []],
    [{ ...wait, 'cancel-on': 'Cancel', 'on-running': 'QUEUE', 'full-sync': 'False' }, []],
  ])('is told: %j', (given, expected) => {
    const { ok, warnings } = parsed(given)
    expect(ok).toBe(true)
    expect(warnings).toEqual(expected.map((text) => expect.stringContaining(text)))
  })
})

describe('runs', () => {
  const wait = (runs: string, more = {}) => ({ mode: 'wait', 'sync-ids': '', runs, ...more })

  test('takes the output of an earlier step', () => {
    expect(accepted(wait('[{"provider":"census","sync_id":"8290","run_id":"501"}]')).runs).toEqual([
      { provider: 'census', syncId: '8290', runId: '501' },
    ])
  })

  test('takes plain ids, and drops duplicates', () => {
    expect(accepted(wait('501 502 501')).runs).toEqual([
      { provider: 'census', syncId: null, runId: '501' },
      { provider: 'census', syncId: null, runId: '502' },
    ])
  })

  test('an empty array is allowed, an empty text is not', () => {
    expect(accepted(wait('[]')).runs).toEqual([])
    expect(problems(wait(''))).toEqual([expect.stringContaining('runs: is required')])
    for (const nothing of [',', ' , , ', '# none', ',#']) {
      expect(problems(wait(nothing)), nothing).toEqual([expect.stringMatching(/^runs: .* names no run/)])
    }
    const many = Array.from({ length: 2001 }, (_, index) => index + 1)
    expect(problems(wait(many.join(' ')))).toEqual([expect.stringMatching(/^runs: "2001 runs" .* at most 2000 runs/)])
  })

  test.each([
    '[{"run_id":"../x","sync_id":"1"}]',
    '[{"sync_id":"1"}]',
    '[true]',
    'abc',
    '[{"provider":"hightouch","sync_id":"1","run_id":"2"}]',
    '{"run_id":1}',
  ])('refuses %j', (text) => {
    expect(problems(wait(text)).length).toBeGreaterThan(0)
    expect(problems(wait(text)).every((problem) => problem.startsWith('runs: '))).toBe(true)
  })

  test('is not combined with sync-ids', () => {
    expect(problems(wait('501', { 'sync-ids': '8290' }))).toEqual([
      expect.stringContaining('sync-ids: "8290" is not allowed'),
    ])
  })
})

describe('dbt-artifacts', () => {
  test('are paths, one a line', () => {
    const text = ' target/run \r\n\n  my dbt, project/target\ntarget/run\n'
    expect(accepted({ 'dbt-artifacts': text }).artifacts).toEqual(['target/run', 'my dbt, project/target'])
  })

  test.each([
    ['dbt-gate', 'strict'],
    ['dbt-gate', 'off'],
    ['dbt-max-age-hours', '24'],
    ['github-run-id', '4711'],
    ['on-not-built', 'trigger'],
    ['on-blocked', 'skip'],
    ['discover', 'exposures'],
  ])('without them %s: %s would protect nothing, so it is an error', (name, value) => {
    expect(problems({ [name]: value })).toEqual([
      expect.stringContaining(`${name}: "${value}" is not allowed. It needs dbt-artifacts`),
    ])
    expect(problems({ [name]: value, 'dbt-artifacts': 'target' })).toEqual([])
  })

  test('a gate in the config file needs them, too', () => {
    expect(problems({}, new Map([['8290', { gate: 'strict' }]]))).toEqual([
      expect.stringContaining('config: sync 8290 has a dbt-gate'),
    ])
  })

  test.each(['dbt-gate', 'on-not-built', 'on-blocked', 'discover'])('%s takes its own words and no others', (name) => {
    expect(problems({ [name]: 'perhaps', 'dbt-artifacts': 'target' })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: "perhaps" is not allowed\\. Allowed: `)),
    ])
  })

  test.each(['-1', '0', '9999', 'a day'])('dbt-max-age-hours: %s is refused', (hours) => {
    expect(problems({ 'dbt-max-age-hours': hours, 'dbt-artifacts': 'target' })).toHaveLength(1)
  })

  test.each(['abc', '4711; rm', '-1'])('github-run-id: %s is refused', (id) => {
    expect(problems({ 'github-run-id': id, 'dbt-artifacts': 'target' })).toHaveLength(1)
  })

  test('have no place in mode: wait', () => {
    const wait = { mode: 'wait', runs: '501', 'sync-ids': '', 'dbt-artifacts': 'target' }
    expect(problems(wait)).toEqual([expect.stringContaining('dbt-artifacts: "target" is not allowed')])
  })
})

describe('the syncs of a config file', () => {
  const config: ConfigFile = new Map([
    ['8291', { retries: 2 }],
    ['8290', {}],
  ])
  const file = { config: 'syncs.yml' }

  test('are the list where sync-ids is empty, in their order', () => {
    expect(accepted({ ...file, 'sync-ids': '' }, config).syncIds).toEqual(['8291', '8290'])
  })

  test('are selected from by sync-ids', () => {
    expect(accepted({ ...file, 'sync-ids': '8290' }, config).syncIds).toEqual(['8290'])
    expect(problems({ ...file, 'sync-ids': '8290 8292' }, config)).toEqual([
      'sync-ids: "8292" is not allowed. The config file does not list it. Add it there, or give the config alone.',
    ])
  })

  test('have settings of their own, and for the rest those of the inputs', () => {
    const inputs = accepted({ ...file, 'sync-ids': '', retries: '1', 'on-paused': 'skip' }, config)
    expect(settingsOf(inputs, '8291')).toMatchObject({ retries: 2, onPaused: 'skip', allowFailure: false })
    expect(settingsOf(inputs, '8290')).toMatchObject({ retries: 1, onPaused: 'skip' })
  })

  test('nobody needs to list a sync where they are discovered', () => {
    expect(accepted({ 'sync-ids': '', discover: 'exposures', 'dbt-artifacts': 'target' }).syncIds).toEqual([])
  })
})

describe('base-url', () => {
  test.each([
    ['https://census.example.com', 'https://census.example.com'],
    ['https://census.example.com/', 'https://census.example.com'],
    ['https://10.1.2.3:8443', 'https://10.1.2.3:8443'],
  ])('%s', (text, url) => {
    expect(checkBaseUrl(text)).toEqual({ url })
  })

  test.each([
    'http://127.0.0.1:8787',
    'http://localhost:8787',
    'http://[::1]:8787',
    'http://10.0.0.5',
    'http://192.168.1.9',
    'http://172.31.0.1',
    'http://airbyte:8000',
    'http://[fd12::1]',
    'http://0x7f.1',
  ])('allows plain http with a warning: %s', (text) => {
    expect(checkBaseUrl(text)).toMatchObject({
      url: expect.stringMatching(/^http:/),
      warning: expect.stringContaining('plain http'),
    })
  })

  test.each([
    'http://census.example.com',
    'http://8.8.8.8',
    'http://172.32.0.1',
    'https://169.254.169.254',
    'http://169.254.169.254',
    'http://2852039166',
    'http://[fe80::1]',
    'http://[::ffff:169.254.169.254]',
    'https://metadata.google.internal',
    'https://metadata.google.internal.',
    'http://metadata',
    'http://instance-data',
    'http://[fd00:ec2::254]',
    'http://0.0.0.0',
    'https://user:hunter22@app.getcensus.com',
    'ftp://app.getcensus.com',
    'app.getcensus.com',
    'https://app.getcensus.com/api/v1',
    'https://app.getcensus.com/?x=1',
    'not an address',
  ])('refuses %s', (text) => {
    expect(problems({ 'base-url': text })).toEqual([expect.stringMatching(/^base-url: /)])
  })

  test('never shows the user info', () => {
    expect(problems({ 'base-url': 'https://user:hunter22@app.getcensus.com' })[0]).not.toContain('hunter22')
  })

  test('is not combined with region', () => {
    expect(problems({ 'base-url': 'https://x.example.com', region: 'eu' })).toEqual([
      expect.stringContaining('region: '),
    ])
  })
})

describe('what is secret of a token', () => {
  test('is the token, and what follows its prefix', () => {
    expect(secretsOf('secret-token:abcdefgh')).toEqual([
      'secret-token:abcdefgh',
      'abcdefgh',
      Buffer.from('bearer:secret-token:abcdefgh').toString('base64'),
    ])
  })

  test('is no rest that may stand in any text', () => {
    expect(secretsOf('secret-token:run')).not.toContain('run')
    expect(hideToken('the run secret-token:run', 'secret-token:run')).toBe('the run ***')
  })

  test('is hidden however it was pasted; what is no token hides nothing', () => {
    expect(hideToken('sync-ids: "abcdefgh" is no id', '  "secret-token:abcdefgh"\n')).toBe('sync-ids: "***" is no id')
    expect(hideToken('sync-ids: "a" is no id', 'a')).toBe('sync-ids: "a" is no id')
    // Two lines are no token, and each of them may be most of one.
    expect(hideToken('sync-ids: "1234567890xyz"', 'abcdefghijkl 1234567890xyz')).toBe('sync-ids: "***"')
    const pasted = 'secret-token: secret-token:1234567890xyz'
    expect(hideToken('"secret-token:1234567890xyz" and "1234567890xyz"', pasted)).toBe('"***" and "***"')
    expect(hideToken('"secret-token:another"', pasted)).toBe('"secret-token:another"')
  })
})

import { describe, expect, test } from 'vitest'
import type { ProviderError } from '../../src/core/provider.ts'
import { Host } from '../../src/host.ts'
import { createHttp, type Http, type Reply } from '../../src/http.ts'
import { Census, type CensusOptions } from '../../src/providers/census.ts'
import {
  completesAfter,
  type Fault,
  failsAfter,
  Simulator,
  type SimulatorOptions,
  serve,
  type Timeline,
} from '../simulator/index.ts'
import { inMemory } from '../support/in-memory.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { describeProvider, type Stage } from './contract.ts'

const calm = new AbortController().signal
const http = createHttp('test', Date.now)

function connect(url: string, options: Partial<CensusOptions> & { token: string }): Census {
  const host = hostAt(url, options.token, http, new VirtualClock())
  return new Census({ host, baseUrl: url, apiVersion: 'auto', groupId: null, ...options })
}

function hostAt(baseUrl: string, token: string, http: Http, clock: VirtualClock): Host {
  return new Host(http, {
    baseUrl,
    headers: { authorization: `Bearer ${token}` },
    secrets: [token],
    clock,
    onDate: () => {},
    onPause: () => {},
  })
}

async function setUp(version: 'v1' | 'v2'): Promise<Stage> {
  let now = Date.UTC(2026, 10, 24, 3, 0, 0)
  const simulator = new Simulator({
    now: () => now,
    v2ConnectionIds: 'word',
    destinations: [{ id: 77, activationId: 'quiet_river', name: 'Iterable' }],
    syncs: [
      {
        id: 8290,
        label: 'Customers',
        destination: { connectionId: 77, object: 'user' },
        timeline: completesAfter(60_000, { rejected: 3 }),
      },
      { id: 8291, paused: true },
    ],
  })
  const server = await serve(simulator)
  const operations = {
    read: 'read-run',
    history: 'list-runs',
    describe: 'read-sync',
    trigger: 'trigger',
    cancel: 'cancel-run',
  } as const
  const timelines: Record<Parameters<Stage['script']>[0], Timeline> = {
    completes: completesAfter(60_000, { rejected: 3 }),
    fails: failsAfter(60_000, { message: 'The object is locked', detail: 'row 7 of "jane"' }),
    'is cancelled': [
      { at: 0, status: 'working' },
      { at: 60_000, status: 'completed', canceled: true },
    ],
    'is skipped': [{ at: 60_000, status: 'skipped' }],
    hibernates: [
      { at: 0, status: 'working' },
      { at: 60_000, status: 'hibernating' },
    ],
  }
  return {
    provider: connect(server.url, { token: simulator.token(version) }),
    stranger: connect(server.url, { token: `${version === 'v1' ? 'secret-token:' : ''}NobodyKnowsThisOne` }),
    // Nobody listens on port 1.
    unreachable: connect('http://127.0.0.1:1', { token: simulator.token(version), apiVersion: version }),
    sync: {
      id: '8290',
      name: 'Customers',
      destination: 'Iterable · user',
      source: { database: 'warehouse', schema: 'marts', table: 'source_of_8290' },
    },
    paused: '8291',
    missing: '4711',
    missingRun: '999',
    pass: (ms) => {
      now += ms
    },
    script: (how) => simulator.script(8290, timelines[how]),
    startRun: (kind) => String(simulator.startRun(8290, kind === 'dry' ? { reason: 'dry-run' } : {})),
    failNext: (request, fault) => simulator.failNext(operations[request], fault),
    requests: () => simulator.requests.length,
    created: () => simulator.runsCreated(8290),
    wasCancelled: (runId) => simulator.runs(8290).some(({ id, state }) => String(id) === runId && state.canceled),
    problems: simulator.problems,
    [Symbol.asyncDispose]: () => server.close(),
  }
}

describeProvider('Census, version 1', () => setUp('v1'))
describeProvider('Census, version 2', () => setUp('v2'))

async function simulated(options: SimulatorOptions = {}) {
  const simulator = new Simulator({ syncs: [{ id: 8290 }], ...options })
  const server = await serve(simulator)
  const paths = () => simulator.requests.map(({ path }) => path)
  return { simulator, url: server.url, paths, [Symbol.asyncDispose]: () => server.close() }
}

const troubleOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'none',
    (error: ProviderError) => error.trouble,
  )

/** Not documented, but possible: both versions take both kinds of token. */
const EVERY_TOKEN = {
  v1: ['workspace-key', 'personal-access-token'],
  v2: ['workspace-key', 'personal-access-token'],
} as const

describe('finding out the version of the API', () => {
  test.each([
    ['v1', 'v1'],
    ['v2', 'v2'],
  ] as const)('a token of %s is tried there first, and no other version is asked', async (token, version) => {
    await using scene = await simulated()
    await connect(scene.url, { token: scene.simulator.token(token) }).history('8290', calm)
    expect(scene.paths()).toEqual([`/api/${version}/syncs/8290/sync_runs`])
  })

  test.each([401, 403, 404, 410])('HTTP %i leads to the other version, for good', async (status) => {
    await using scene = await simulated({
      accepts: { v1: ['workspace-key'], v2: ['workspace-key'] },
    } satisfies Partial<SimulatorOptions>)
    scene.simulator.failNext(/\/api\/v1\//, { kind: 'respond', status }, 1)
    const census = connect(scene.url, { token: scene.simulator.token('v1') })
    await census.history('8290', calm)
    await census.describe('8290', calm)
    await census.trigger('8290', { full: false }, calm)
    expect(scene.paths()[0]).toBe('/api/v1/syncs/8290/sync_runs')
    expect(
      scene
        .paths()
        .slice(1)
        .every((path) => path.startsWith('/api/v2/')),
    ).toBe(true)
  })

  test.each([400, 500, 503])('HTTP %i says nothing about the version', async (status) => {
    await using scene = await simulated()
    scene.simulator.failNext('list-runs', { kind: 'respond', status })
    const census = connect(scene.url, { token: scene.simulator.token('v1') })
    await expect(census.history('8290', calm)).rejects.toMatchObject({
      message: expect.stringContaining(`HTTP ${status}`),
    })
    expect(scene.paths()).toEqual(['/api/v1/syncs/8290/sync_runs'])
  })

  test.each<[string, Fault]>([
    ['a reset', { kind: 'reset', when: 'before' }],
    ['half an answer', { kind: 'truncate' }],
    ['a login page', { kind: 'respond', status: 200, body: '<html>Sign in</html>' }],
  ])('%s says nothing about it either, and the next read asks the same version', async (_name, fault) => {
    await using scene = await simulated({ accepts: EVERY_TOKEN })
    scene.simulator.failNext('list-runs', fault)
    const census = connect(scene.url, { token: scene.simulator.token('v2') })
    expect(await troubleOf(census.history('8290', calm))).toBe('unavailable')
    expect(await troubleOf(census.history('8290', calm))).toBe('none')
    expect(scene.paths()).toEqual(Array(2).fill('/api/v2/syncs/8290/sync_runs'))
  })

  test('neither does HTTP 429, which is waited out', async () => {
    const clock = new VirtualClock()
    const simulator = new Simulator({ now: () => clock.wall(), syncs: [{ id: 8290 }] })
    simulator.failNext('list-runs', { kind: 'respond', status: 429, headers: { 'retry-after': '20' } })
    const token = simulator.token('v1')
    const baseUrl = 'https://census.example'
    const host = hostAt(baseUrl, token, inMemory(simulator, clock), clock)
    const census = new Census({ host, baseUrl, token, apiVersion: 'auto', groupId: null })
    expect(await clock.run(census.history('8290', calm))).toEqual([])
    expect(clock.now()).toBe(20_000)
    expect(simulator.requests.map(({ path }) => path)).toEqual(Array(2).fill('/api/v1/syncs/8290/sync_runs'))
  })

  test('reading a sync settles nothing: its runs have to be readable', async () => {
    await using scene = await simulated()
    const census = connect(scene.url, { token: scene.simulator.token('v1') })
    await census.describe('8290', calm)
    scene.simulator.failNext(/\/api\/v1\/.*sync_runs/, { kind: 'respond', status: 410 }, 9)
    expect(await troubleOf(census.history('8290', calm))).toBe('refused')
    expect(scene.paths().at(-1)).toBe('/api/v2/syncs/8290/sync_runs')
    expect(census.warnings()).toEqual([])
  })

  test('reading a run settles it, too', async () => {
    await using scene = await simulated()
    const census = connect(scene.url, { token: scene.simulator.token('v2') })
    const runId = scene.simulator.startRun(8290)
    await census.read(String(runId), calm)
    expect(await troubleOf(census.read('999', calm))).toBe('missing')
    expect(scene.paths()).toEqual([`/api/v2/sync_runs/${runId}`, '/api/v2/sync_runs/999'])
  })

  test('happens once, however many syncs are asked about at the same time', async () => {
    await using scene = await simulated({ syncs: [1, 2, 3, 4, 5].map((id) => ({ id })), v2Available: false })
    const census = connect(scene.url, { token: 'a-personal-access-token' })
    await Promise.all([1, 2, 3, 4, 5].map((id) => census.history(String(id), calm).catch(() => {})))
    const good = connect(scene.url, { token: scene.simulator.token('v1') })
    const before = scene.paths().length
    await Promise.all([1, 2, 3, 4, 5].map((id) => good.history(String(id), calm)))
    expect(scene.paths().length - before).toBe(5)
  })

  test('the version that refuses is asked once, and those who wait meanwhile learn from it', async () => {
    const syncs = [1, 2, 3, 4, 5].map((id) => ({ id }))
    await using scene = await simulated({ syncs, accepts: EVERY_TOKEN, v1Retired: true })
    const census = connect(scene.url, { token: scene.simulator.token('v1') })
    await Promise.all(syncs.map(({ id }) => census.history(String(id), calm)))
    expect(scene.paths().filter((path) => path.startsWith('/api/v1/'))).toEqual(['/api/v1/syncs/1/sync_runs'])
    expect(scene.paths()).toHaveLength(6)
  })

  test('a version that shows the sync but not its runs gives way to the one that does', async () => {
    await using scene = await simulated({ accepts: EVERY_TOKEN })
    const census = connect(scene.url, { token: scene.simulator.token('v2') })
    scene.simulator.failNext(/\/api\/v2\/.*sync_runs/, { kind: 'respond', status: 404 })
    await census.describe('8290', calm)
    await census.history('8290', calm)
    await census.describe('8290', calm)
    expect(scene.paths()).toEqual([
      '/api/v2/syncs/8290',
      '/api/v2/activations',
      '/api/v2/syncs/8290/sync_runs',
      '/api/v1/syncs/8290/sync_runs',
      '/api/v1/syncs/8290',
    ])
  })

  test.each([
    [404, 404, 'missing'],
    [404, 401, 'missing'],
    [401, 404, 'missing'],
    [404, 410, 'missing'],
    [410, 404, 'missing'],
    [401, 401, 'refused'],
    [403, 403, 'refused'],
    [401, 410, 'refused'],
    [410, 403, 'refused'],
    [410, 410, 'retired'],
  ])('HTTP %i from one and HTTP %i from the other means %s', async (first, second, trouble) => {
    await using scene = await simulated()
    scene.simulator.failNext(/\/api\/v1\//, { kind: 'respond', status: first })
    scene.simulator.failNext(/\/api\/v2\//, { kind: 'respond', status: second })
    const census = connect(scene.url, { token: scene.simulator.token('v1') })
    expect(await troubleOf(census.history('8290', calm))).toBe(trouble)
    expect(scene.paths()).toHaveLength(2)
  })

  test('a sync that is not there does not decide for the others', async () => {
    await using scene = await simulated()
    const census = connect(scene.url, { token: scene.simulator.token('v2') })
    const [missing, there] = await Promise.allSettled([census.history('4711', calm), census.history('8290', calm)])
    expect(missing).toMatchObject({
      status: 'rejected',
      reason: { trouble: 'missing', message: expect.stringMatching(/^v2: .*\(HTTP 404\); v1: .*\(HTTP 401\)$/) },
    })
    expect(there.status).toBe('fulfilled')
  })

  test('both refuse the token: it says what each said', async () => {
    await using scene = await simulated()
    await expect(connect(scene.url, { token: 'secret-token:wrong' }).history('8290', calm)).rejects.toMatchObject({
      trouble: 'refused',
      message: 'v2: the token was refused (HTTP 401); v1: the token was refused (HTTP 401)',
      detail: 'HTTP Token: Access denied.',
    })
  })

  test('version 1 retired, with a key that only version 1 takes', async () => {
    await using scene = await simulated({ v1Retired: true })
    await expect(
      connect(scene.url, { token: scene.simulator.token('v1') }).history('8290', calm),
    ).rejects.toMatchObject({
      trouble: 'refused',
      // The token is good, and made for what has ended: to make another one of its kind would not help.
      hint: 'api-retired',
      message: expect.stringContaining('v1: this version of the API has ended (HTTP 410)'),
    })
  })

  test('version 1 retired, and asked for by name', async () => {
    await using scene = await simulated({ v1Retired: true })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await troubleOf(census.history('8290', calm))).toBe('retired')
    expect(await census.trigger('8290', { full: false }, calm)).toMatchObject({
      kind: 'rejected',
      busy: false,
      error: { trouble: 'retired' },
    })
  })

  test.each(['v1', 'v2'] as const)('a version that is given (%s) is the only one asked', async (apiVersion) => {
    await using scene = await simulated()
    const census = connect(scene.url, { token: 'wrong-token', apiVersion })
    expect(await troubleOf(census.history('8290', calm))).toBe('refused')
    expect(scene.paths()).toEqual([`/api/${apiVersion}/syncs/8290/sync_runs`])
  })

  test('only version 1 comes with a warning', async () => {
    await using scene = await simulated()
    for (const [version, count] of [
      ['v1', 1],
      ['v2', 0],
    ] as const) {
      const census = connect(scene.url, { token: scene.simulator.token(version) })
      expect(census.warnings()).toEqual([])
      await census.history('8290', calm)
      expect(census.warnings()).toHaveLength(count)
    }
  })
})

describe('the group of version 2', () => {
  test('goes with every request, where it is given', async () => {
    await using scene = await simulated({ v2RequiresGroupId: true, groupId: 'wandering_about' })
    const census = connect(scene.url, { token: scene.simulator.token('v2'), groupId: 'wandering_about' })
    await census.history('8290', calm)
    await census.describe('8290', calm)
    const answer = await census.trigger('8290', { full: true }, calm)
    if (answer.kind !== 'accepted') throw new Error(answer.kind)
    await census.read(answer.runId, calm)
    await census.cancel(answer.runId, calm)
    expect(scene.simulator.requests.every(({ query }) => query.group_id === 'wandering_about')).toBe(true)
    expect(scene.simulator.problems).toEqual([])
  })

  test('is asked for, where it is needed and missing', async () => {
    await using scene = await simulated({ v2RequiresGroupId: true })
    await expect(
      connect(scene.url, { token: scene.simulator.token('v2') }).history('8290', calm),
    ).rejects.toMatchObject({
      trouble: 'rejected',
      message: expect.stringContaining('may need the input group-id'),
    })
  })

  test('never goes with version 1', async () => {
    await using scene = await simulated()
    await connect(scene.url, { token: scene.simulator.token('v1'), groupId: 'wandering_about' }).history('8290', calm)
    expect(scene.simulator.requests[0]?.query).not.toHaveProperty('group_id')
  })
})

describe('what a run looks like', () => {
  async function read(data: unknown) {
    await using scene = await simulated()
    const body = typeof data === 'string' ? data : JSON.stringify({ status: 'success', data })
    scene.simulator.failNext('read-run', { kind: 'respond', status: 200, body })
    return await connect(scene.url, { token: scene.simulator.token('v1') }).read('501', calm)
  }

  test.each([
    ['queued', 'queued'],
    ['new', 'queued'],
    ['preparing', 'queued'],
    ['working', 'running'],
    ['retrying', 'running'],
    ['completed', 'succeeded'],
    ['failed', 'failed'],
    ['skipped', 'skipped'],
    ['cancelled', 'cancelled'],
    ['Canceled', 'cancelled'],
    [' COMPLETED ', 'succeeded'],
    ['completed_with_errors', 'unrecognized'],
    ['success', 'unrecognized'],
    ['', 'unrecognized'],
    ['constructor', 'unrecognized'],
  ])('status %j is %s', async (status, state) => {
    expect((await read({ status })).state).toBe(state)
  })

  test.each(['completed', 'working', 'failed', 'queued', 'skipped', 'anything'])(
    'canceled: true is cancelled, whatever the status says (%s)',
    async (status) => {
      expect((await read({ status, canceled: true })).state).toBe('cancelled')
    },
  )

  test('the status of a cancelled run says so, once, beside the word that it came with', async () => {
    expect((await read({ status: 'completed', canceled: true })).status).toMatch(/^completed\b.*cancel/)
    expect((await read({ status: 'cancelled', canceled: true })).status).toBe('cancelled')
  })

  test('the oldest documented shape', async () => {
    expect(
      await read({
        error_message: null,
        records_failed: 15,
        records_invalid: 5,
        records_processed: 100,
        records_updated: 80,
        status: 'completed',
      }),
    ).toEqual({
      id: '501',
      syncId: '',
      state: 'succeeded',
      status: 'completed',
      step: null,
      createdAt: null,
      finishedAt: null,
      movesData: true,
      full: false,
      byApi: false,
      byOthers: false,
      counts: { processed: 100, succeeded: 80, failed: 15, invalid: 5 },
      message: null,
      detail: null,
    })
  })

  test('the newer counter of invalid records comes first', async () => {
    expect((await read({ status: 'completed', source_record_invalids: 4, records_invalid: 9 })).counts.invalid).toBe(4)
    expect((await read({ status: 'completed', source_record_invalids: null, records_invalid: 9 })).counts.invalid).toBe(
      9,
    )
  })

  test.each([
    ['text', 'twelve'],
    ['a negative text', '-1'],
    ['negative', -1],
    ['broken', 1.5],
    ['a list', [1]],
    ['too large', 2 ** 60],
  ])('a counter that is none (%s) is not known', async (_name, value) => {
    expect((await read({ status: 'completed', records_failed: value })).counts.failed).toBeNull()
  })

  test('a counter written as text is one', async () => {
    expect((await read({ status: 'completed', records_failed: '12' })).counts.failed).toBe(12)
  })

  test.each([
    ['true', 'cancelled'],
    [1, 'cancelled'],
    ['false', 'succeeded'],
    [0, 'succeeded'],
  ])('a flag in another spelling (%j) is what it says', async (canceled, state) => {
    expect((await read({ status: 'completed', canceled })).state).toBe(state)
  })

  test('a run that is cancelled is that, whatever makes no sense beside it', async () => {
    await using scene = await simulated()
    const data = [{ id: 7, sync_id: 8290, status: null, canceled: true }]
    const body = JSON.stringify({ status: 'success', data })
    scene.simulator.failNext('list-runs', { kind: 'respond', status: 200, body })
    const runs = await connect(scene.url, { token: scene.simulator.token('v1') }).history('8290', calm)
    expect(runs.map(({ state }) => state)).toEqual(['cancelled'])
  })

  test.each(['yes', 2, {}])('a flag that is neither yes nor no (%j) makes the answer none', async (canceled) => {
    await expect(read({ status: 'completed', canceled })).rejects.toMatchObject({ trouble: 'unavailable' })
  })

  test.each([{ canceled: 'yes' }, { canceled: {} }, { status: 7 }, { status: null }])(
    'a run of which %j is said leaves the others in its list readable, and counts as neither good nor over',
    async (odd) => {
      await using scene = await simulated()
      const good = { id: 7, sync_id: 8290, status: 'completed', created_at: '2026-11-24T03:00:00Z', records_failed: 0 }
      const data = [{ ...good, id: 8, ...odd }, good]
      scene.simulator.failNext('list-runs', {
        kind: 'respond',
        status: 200,
        body: JSON.stringify({ status: 'success', data }),
      })
      const runs = await connect(scene.url, { token: scene.simulator.token('v1') }).history('8290', calm)
      expect(runs.map(({ id, state }) => [id, state])).toEqual([
        ['8', 'unrecognized'],
        ['7', 'succeeded'],
      ])
    },
  )

  test.each([null, undefined, false])('a flag that is not there (%j) is no', async (canceled) => {
    expect((await read({ status: 'completed', canceled })).state).toBe('succeeded')
  })

  test.each(['waiting for jane.doe@example.com', '"Jane"', '4111 1111', '', 'x'.repeat(60)])(
    'a status that is no word (%j) is not repeated',
    async (status) => {
      expect(await read({ status })).toMatchObject({ state: 'unrecognized', status: 'in a state without a name' })
    },
  )

  test('a blank message is none, and leaves the word to the code', async () => {
    expect((await read({ status: 'failed', error_message: '  ', error_code: 'locked' })).message).toBe('locked')
    expect((await read({ status: 'failed', error_message: ' ', error_code: ' ' })).message).toBeNull()
  })

  test('a failed run without a time of completion ended with its last change; one that goes on has no end', async () => {
    const times = { created_at: '2026-11-24T03:00:00.000Z', updated_at: '2026-11-24T03:01:00.000Z', completed_at: null }
    expect((await read({ status: 'failed', ...times })).finishedAt).toBe(Date.UTC(2026, 10, 24, 3, 1, 0))
    for (const status of ['skipped', 'cancelled'])
      expect((await read({ status, ...times })).finishedAt, status).toBe(Date.UTC(2026, 10, 24, 3, 1, 0))
    for (const status of ['working', 'queued', 'hibernating'])
      expect((await read({ status, ...times })).finishedAt, status).toBeNull()
    expect((await read({ status: 'completed', ...times, completed_at: '2026-11-24T03:00:42.000Z' })).finishedAt).toBe(
      Date.UTC(2026, 10, 24, 3, 0, 42),
    )
    expect((await read({ status: 'completed', ...times, completed_at: 'yesterday' })).finishedAt).toBe(
      Date.UTC(2026, 10, 24, 3, 1, 0),
    )
  })

  test('the message is the error, or else its code; the detail only where it says more', async () => {
    expect(await read({ status: 'failed', error_code: 'LOCKED', error_message: null })).toMatchObject({
      message: 'LOCKED',
      detail: null,
    })
    expect(await read({ status: 'failed', error_message: 'same', error_detail: 'same' })).toMatchObject({
      message: 'same',
      detail: null,
    })
  })

  test('an id of 19 digits keeps them all', async () => {
    expect(
      await read('{"status":"success","data":{"id":501,"sync_id":1234567890123456789,"status":"working"}}'),
    ).toMatchObject({ syncId: '1234567890123456789' })
  })

  test('an id of 19 digits can be asked for, and one that differs in its last digit is another', async () => {
    await using scene = await simulated()
    const body = '{"status":"success","data":{"id":9007199254740993,"status":"working"}}'
    scene.simulator.failNext(/sync_runs/, { kind: 'respond', status: 200, body }, 2)
    const census = connect(scene.url, { token: scene.simulator.token('v1') })
    expect(await census.read('9007199254740993', calm)).toMatchObject({ id: '9007199254740993' })
    expect(await troubleOf(census.read('9007199254740992', calm))).toBe('unavailable')
  })

  test('an answer about another run is none', async () => {
    await expect(read({ id: 502, status: 'completed' })).rejects.toMatchObject({ trouble: 'unavailable' })
  })

  test.each([202, 206, 500])('whole, but with HTTP %i, is none', async (status) => {
    await using scene = await simulated()
    const body = '{"status":"success","data":{"id":501,"status":"completed"}}'
    scene.simulator.failNext('read-run', { kind: 'respond', status, body })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await troubleOf(census.read('501', calm))).toBe('unavailable')
  })

  test('an error with HTTP 200 is no run, and is quoted', async () => {
    await expect(read('{"status":"error","message":"Try later"}')).rejects.toMatchObject({
      trouble: 'unavailable',
      detail: 'Try later',
    })
  })

  test('the status of the envelope is never taken for the run’s', async () => {
    await expect(read('{"status":"completed"}')).rejects.toMatchObject({ trouble: 'unavailable' })
    expect((await read('{"status":"success","data":{"status":"failed"}}')).state).toBe('failed')
    expect((await read('{"status":"completed","data":{"status":"working"}}')).state).toBe('running')
  })
})

describe('the runs of a sync', () => {
  async function list(data: string) {
    await using scene = await simulated()
    scene.simulator.failNext('list-runs', { kind: 'respond', status: 200, body: `{"status":"success","data":${data}}` })
    return await connect(scene.url, { token: scene.simulator.token('v1') }).history('8290', calm)
  }

  test('come newest first, whatever the order of the list, and keep every digit of their ids', async () => {
    const ids = ['99', '9007199254740993', '100', '9007199254740992', '9007199254740994']
    const runs = await list(`[${ids.map((id) => `{"id":${id},"status":"completed"}`).join()}]`)
    expect(runs.map(({ id }) => id)).toEqual(['9007199254740994', '9007199254740993', '9007199254740992', '100', '99'])
    expect(runs.every(({ syncId }) => syncId === '8290')).toBe(true)
  })

  test('without an id are left out: nobody could watch them', async () => {
    expect(await list('[{"status":"completed"},{"id":7,"status":"failed"}]')).toMatchObject([{ id: '7' }])
  })

  test.each(['{}', 'null', '[{"id":"../../admin","status":"completed"}]', '[{"id":1}]', '[1]'])(
    'that look like %s are none',
    async (data) => {
      expect(await troubleOf(list(data))).toBe('unavailable')
    },
  )

  test.each([
    ['cancelled', 2],
    ['skipped', 2],
    ['completed', 1],
    ['working', 1],
  ])(
    'are asked for again, in a longer page, where ten that are %s tell nothing: %i requests',
    async (status, requests) => {
      await using scene = await simulated()
      const data = Array.from({ length: 10 }, (_, index) => ({ id: index + 1, status }))
      const body = JSON.stringify({ status: 'success', data })
      scene.simulator.failNext('list-runs', { kind: 'respond', status: 200, body })
      await connect(scene.url, { token: scene.simulator.token('v1') }).history('8290', calm)
      expect(scene.simulator.requests.map(({ query }) => query.per_page)).toEqual(['10', '100'].slice(0, requests))
    },
  )

  test('are asked for in one page of ten, newest first', async () => {
    await using scene = await simulated()
    await connect(scene.url, { token: scene.simulator.token('v1') }).history('8290', calm)
    expect(scene.simulator.requests[0]?.query).toEqual({ order: 'desc', page: '1', per_page: '10' })
  })
})

describe('the answer to a trigger', () => {
  async function answered(options: SimulatorOptions, body?: string) {
    await using scene = await simulated(options)
    if (body !== undefined) scene.simulator.failNext('trigger', { kind: 'respond', status: 200, body })
    else scene.simulator.startRun(8290)
    return await connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' }).trigger(
      '8290',
      { full: false },
      calm,
    )
  }

  test('error with HTTP 200 is a refusal, possibly because of another run', async () => {
    expect(await answered({ syncs: [{ id: 8290, onCollision: 'error-200' }] })).toMatchObject({
      kind: 'rejected',
      busy: true,
    })
  })

  test.each([400, 409, 422])('HTTP %i may mean that another run is in the way', async (status) => {
    await using scene = await simulated()
    scene.simulator.failNext('trigger', { kind: 'respond', status })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await census.trigger('8290', { full: false }, calm)).toMatchObject({ kind: 'rejected', busy: true })
  })

  test.each([401, 402, 403, 404, 405, 410])('HTTP %i does not', async (status) => {
    await using scene = await simulated()
    scene.simulator.failNext('trigger', { kind: 'respond', status })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await census.trigger('8290', { full: false }, calm)).toMatchObject({ kind: 'rejected', busy: false })
  })

  test.each([408, 500, 502, 504])('HTTP %i with a time is no request to send it again', async (status) => {
    await using scene = await simulated()
    scene.simulator.failNext('trigger', { kind: 'respond', status, headers: { 'retry-after': '9' } })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await census.trigger('8290', { full: false }, calm)).toMatchObject({ kind: 'ambiguous', resend: false })
  })

  test('put off without a time is not to be sent again, though others were told to wait meanwhile', async () => {
    const clock = new VirtualClock()
    const answer = Promise.withResolvers<Reply>()
    const reply = { headers: {}, text: '', sentAt: clock.wall(), receivedAt: clock.wall() }
    const throttling: Http = {
      send: ({ method }) =>
        method === 'POST'
          ? answer.promise
          : Promise.resolve({ ...reply, status: 429, headers: { 'retry-after': '60' } }),
    }
    const baseUrl = 'https://census.example'
    const host = hostAt(baseUrl, 'token', throttling, clock)
    const census = new Census({ host, baseUrl, token: 'token', apiVersion: 'v1', groupId: null })
    const triggered = census.trigger('8290', { full: false }, calm)
    void census.history('8291', calm)
    while (host.closedForMs === 0) await new Promise((resolve) => setImmediate(resolve))
    answer.resolve({ ...reply, status: 503 })
    expect(await triggered).toMatchObject({ kind: 'ambiguous', resend: false })
  })

  test('HTTP 409 is one, too', async () => {
    expect(await answered({ syncs: [{ id: 8290, onCollision: 'conflict-409' }] })).toMatchObject({
      kind: 'rejected',
      busy: true,
    })
  })

  test.each([
    ['1234567890123456789', { kind: 'accepted', runId: '1234567890123456789' }],
    ['9007199254740993', { kind: 'accepted', runId: '9007199254740993' }],
    ['"501"', { kind: 'accepted', runId: '501' }],
  ])('with a run id of %s keeps every digit', async (id, expected) => {
    expect(await answered({}, `{"status":"success","data":{"sync_run_id":${id}}}`)).toEqual(expected)
  })

  test.each([
    ['12345678901234567890', 'ambiguous'],
    ['0', 'ambiguous'],
    ['-7', 'ambiguous'],
    ['5.5', 'ambiguous'],
    ['"../../admin"', 'ambiguous'],
    ['null', 'ambiguous'],
    ['{"id":1}', 'ambiguous'],
  ])('with a run id of %s is %s', async (id, kind) => {
    expect(await answered({}, `{"status":"success","data":{"sync_run_id":${id}}}`)).toMatchObject({ kind })
  })
})

describe('a description', () => {
  test.each([
    ['its label', { label: 'Customers', resourceIdentifier: 'sync:customers' }, 'Customers'],
    ['or its identifier', { label: null, resourceIdentifier: 'sync:customers' }, 'customers'],
    ['or its id', { label: '', resourceIdentifier: '' }, '8290'],
  ])('names a sync by %s', async (_name, settings, name) => {
    await using scene = await simulated({ syncs: [{ id: 8290, ...settings }] })
    expect((await connect(scene.url, { token: scene.simulator.token('v1') }).describe('8290', calm)).name).toBe(name)
  })

  test.each<[string, Fault]>([
    ['HTTP 403', { kind: 'respond', status: 403 }],
    ['HTTP 500', { kind: 'respond', status: 500 }],
    ['a reset', { kind: 'reset', when: 'before' }],
    ['a page', { kind: 'respond', status: 200, body: '<html></html>' }],
    ['entries that are none', { kind: 'respond', status: 200, body: '{"data":[null,7,{"id":640011}]}' }],
  ])('does without the names of destinations where they cannot be had: %s', async (_name, fault) => {
    await using scene = await simulated()
    scene.simulator.failNext('list-destinations', fault)
    expect(
      await connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' }).describe('8290', calm),
    ).toMatchObject({ destination: 'Contact' })
  })

  test('asks for the names of destinations where the token is taken, also before a run was read', async () => {
    await using scene = await simulated({ v2ConnectionIds: 'word' })
    const census = connect(scene.url, { token: scene.simulator.token('v2') })
    expect(await census.describe('8290', calm)).toMatchObject({ destination: 'CRM · Contact' })
    expect(scene.paths().every((path) => path.startsWith('/api/v2/'))).toBe(true)
  })

  test.each([
    ['{"id":8290}', null],
    ['{"id":8290,"destination_attributes":null}', null],
    ['{"id":8290,"destination_attributes":{"connection_id":null,"object":""}}', null],
    ['{"id":8290,"destination_attributes":{"connection_id":640011}}', 'CRM'],
    ['{"id":8290,"destination_attributes":{"connection_id":99,"object":"user"}}', 'user'],
  ])('of %s names the destination %s', async (data, destination) => {
    await using scene = await simulated()
    scene.simulator.failNext('read-sync', { kind: 'respond', status: 200, body: `{"data":${data}}` })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await census.describe('8290', calm)).toMatchObject({ name: '8290', paused: false, destination })
  })

  test('lists the destinations once for all syncs', async () => {
    await using scene = await simulated({ syncs: [{ id: 1 }, { id: 2 }, { id: 3 }] })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    await Promise.all(['1', '2', '3'].map((id) => census.describe(id, calm)))
    expect(scene.simulator.requests.filter(({ operation }) => operation === 'list-destinations')).toHaveLength(1)
  })

  test('a page instead of an answer is called a proxy, not a wrong token', async () => {
    await using scene = await simulated()
    scene.simulator.failNext('read-sync', {
      kind: 'respond',
      status: 403,
      body: '<html>Blocked by your company</html>',
    })
    await expect(
      connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' }).describe('8290', calm),
    ).rejects.toMatchObject({
      message: expect.stringContaining('a proxy or firewall may be in between'),
      detail: null,
    })
  })
})

describe('what is not to hold anything up', () => {
  test('the names of destinations are asked for once, and a throttled answer is taken for none', async () => {
    await using scene = await simulated()
    scene.simulator.failNext('list-destinations', { kind: 'respond', status: 429, headers: { 'retry-after': '0' } }, 99)
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await census.describe('8290', calm)).toMatchObject({ destination: 'Contact' })
    expect(scene.simulator.requests.filter(({ operation }) => operation === 'list-destinations')).toHaveLength(1)
  })

  test('a trigger is not sent again for a wait that cannot be read', async () => {
    await using scene = await simulated()
    scene.simulator.failNext('trigger', { kind: 'respond', status: 503, headers: { 'retry-after': 'soon' } })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect(await census.trigger('8290', { full: false }, calm)).toMatchObject({ kind: 'ambiguous', resend: false })
  })

  test('a personal access token is taken to version 2 also by a request that is no read', async () => {
    await using scene = await simulated()
    const runId = scene.simulator.startRun(8290)
    await connect(scene.url, { token: scene.simulator.token('v2') }).cancel(String(runId), calm)
    expect(scene.paths()).toEqual([`/api/v2/sync_runs/${runId}/cancel`])
  })

  test('an id that lost digits is none', async () => {
    await using scene = await simulated()
    scene.simulator.failNext('trigger', {
      kind: 'respond',
      status: 200,
      body: '{"data":{"sync_run_id":9007199254740993.0}}',
    })
    const census = connect(scene.url, { token: scene.simulator.token('v1'), apiVersion: 'v1' })
    expect((await census.trigger('8290', { full: false }, calm)).kind).toBe('ambiguous')
  })
})

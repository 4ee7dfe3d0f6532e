import { describe, expect, it } from 'vitest'
import { ask, HandClock, readRun, trigger } from './ask.ts'
import { completesAfter, Simulator, type SimulatorOptions } from './index.ts'

const SYNC = 512

function simulated(options: SimulatorOptions = {}): Simulator {
  return new Simulator({ now: new HandClock().now, syncs: [{ id: SYNC }], ...options })
}

describe('access', () => {
  it('takes the workspace key on V1 and the personal access token on V2', () => {
    const simulator = simulated()
    const [key, pat] = [simulator.token('v1'), simulator.token('v2')]
    const statuses = [key, pat].flatMap((token) => [
      ask(simulator, 'GET', '/syncs', { token }).status,
      ask(simulator, 'GET', '/syncs', { token, version: 'v2' }).status,
    ])
    expect(statuses).toEqual([200, 401, 401, 200])
    expect(simulator.problems).toEqual([])
  })

  it('refuses a bad token with a body that is no JSON', () => {
    const reply = ask(simulated(), 'GET', '/workspace', { token: 'wrong' })
    expect(reply).toMatchObject({ status: 401, body: 'HTTP Token: Access denied.\n' })
  })

  it('forbids a trigger to a token that may only read', () => {
    const simulator = simulated()
    const token = 'SimulatedReadOnlyToken1'
    expect(ask(simulator, 'GET', `/syncs/${SYNC}`, { token }).status).toBe(200)
    expect(ask(simulator, 'POST', `/syncs/${SYNC}/trigger`, { token })).toMatchObject({
      status: 403,
      body: { status: 'error' },
    })
    expect(simulator.runsCreated(SYNC)).toBe(0)
  })

  it.each([
    { options: { v1Retired: true }, version: 'v1', tail: '/syncs', status: 410 },
    { options: { v2Available: false }, version: 'v2', tail: '/syncs', status: 404 },
    { options: { v2RequiresGroupId: true }, version: 'v2', tail: '/syncs', status: 400 },
    { options: { v2RequiresGroupId: true }, version: 'v2', tail: '/syncs?group_id=patient_lighthouse', status: 200 },
    { options: {}, version: 'v2', tail: '/syncs?group_id=patient_lighthouse', status: 200 },
    { options: {}, version: 'v2', tail: '/syncs?group_id=another', status: 404 },
    { options: { accepts: { v1: [], v2: ['workspace-key'] } }, version: 'v2', tail: '/syncs', status: 401 },
  ] as const)('answers $status to $version$tail with $options', ({ options, version, tail, status }) => {
    const simulator = simulated(options)
    expect(ask(simulator, 'GET', tail, { version }).status).toBe(status)
    expect(simulator.problems).toEqual([])
  })
})

describe('strictness', () => {
  const json = { 'content-type': 'application/json' }
  it.each([
    { method: 'GET', tail: '/sync', status: 404, problem: 'unknown route' },
    { method: 'GET', tail: '//syncs', status: 404, problem: 'unknown route' },
    { method: 'GET', tail: '/syncs/1/../2', status: 404, problem: 'unknown route' },
    { method: 'GET', tail: '/activations', status: 404, problem: 'unknown route' },
    { method: 'PATCH', tail: '/syncs/512', status: 405, problem: 'wrong method, not GET' },
    { method: 'GET', tail: '/syncs/512/trigger', status: 405, problem: 'wrong method, not POST' },
    { method: 'GET', tail: '/syncs/5x', status: 404, problem: 'malformed id "5x" in the path' },
    { method: 'POST', tail: '/syncs//trigger', status: 404, problem: 'malformed id "" in the path' },
    { method: 'GET', tail: '/sync_runs/1?page=1', status: 400, problem: 'unknown query parameter page' },
    { method: 'GET', tail: '/syncs?group_id=a', status: 404, problem: undefined },
    { method: 'GET', tail: '/syncs?page=1&page=2', status: 400, problem: 'query parameter page occurs twice' },
    {
      method: 'GET',
      tail: '/syncs?per_page=many',
      status: 400,
      problem: 'query parameter per_page is no number: "many"',
    },
    {
      method: 'GET',
      tail: '/syncs?order=up',
      status: 400,
      problem: 'query parameter order is neither asc nor desc: "up"',
    },
    { method: 'GET', tail: '/syncs', body: 'x', status: 400, problem: 'unexpected body' },
    { method: 'POST', tail: '/syncs/512/trigger', body: '{}', status: 400, problem: 'unexpected body' },
    {
      method: 'POST',
      tail: '/syncs/512/trigger?force_full_sync=1',
      status: 400,
      problem: 'force_full_sync is no boolean: "1"',
    },
  ])('answers $status to $method $tail $body and notes: $problem', ({ method, tail, body = '', status, problem }) => {
    const simulator = simulated()
    expect(ask(simulator, method, tail, { body, headers: json }).status).toBe(status)
    const path = `/api/v1${tail.split('?')[0]}`
    expect(simulator.problems).toEqual(problem === undefined ? [] : [`${method} ${path}: ${problem}`])
    expect(simulator.runsCreated(SYNC)).toBe(0)
  })

  it('finds what is missing without calling it a problem', () => {
    const simulator = simulated()
    const missing = { status: 404, body: { status: 404 } }
    expect(ask(simulator, 'GET', '/syncs/513')).toMatchObject(missing)
    expect(ask(simulator, 'POST', '/syncs/513/trigger')).toMatchObject(missing)
    expect(ask(simulator, 'GET', '/sync_runs/9', { version: 'v2' })).toMatchObject(missing)
    expect(simulator.problems).toEqual([])
  })
})

describe('the trigger', () => {
  it('takes force_full_sync from the query or a JSON body and logs which', () => {
    const simulator = simulated()
    const forced = { headers: { 'content-type': 'application/json' }, body: '{"force_full_sync":true}' }
    ask(simulator, 'POST', `/syncs/${SYNC}/trigger?force_full_sync=true`)
    ask(simulator, 'POST', `/syncs/${SYNC}/trigger`, forced)
    ask(simulator, 'POST', `/syncs/${SYNC}/trigger`)
    expect(simulator.requests.map(({ fullSyncFrom }) => fullSyncFrom)).toEqual(['query', 'body', undefined])
    expect(simulator.runs(SYNC).map(({ fullSync }) => fullSync)).toEqual([true, true, false])
  })

  it.each([
    { sync: { paused: true }, refused: false },
    { sync: { paused: true, pausedTrigger: 'refuses' }, refused: true },
    { sync: { operation: 'append' }, refused: false },
    { sync: { operation: 'append', unsupportedFullSync: 'refused' }, refused: true },
  ] as const)('of $sync is refused: $refused', ({ sync, refused }) => {
    const simulator = simulated({ syncs: [{ id: SYNC, ...sync }], triggerErrorStatus: 422 })
    const { status, body } = ask(simulator, 'POST', `/syncs/${SYNC}/trigger?force_full_sync=true`)
    expect([status, simulator.runsCreated(SYNC)]).toEqual(refused ? [422, 0] : [200, 1])
    expect(body).toMatchObject({ status: refused ? 'error' : 'success' })
  })
})

describe('lists', () => {
  it('come in pages, newest first, with the legacy next', () => {
    const clock = new HandClock()
    const simulator = new Simulator({ now: clock.now, syncs: [{ id: SYNC, timeline: completesAfter(1000) }] })
    const ids = [0, 1, 2, 3, 4].map(() => {
      const runId = trigger(simulator, SYNC)
      clock.pass(1000)
      return runId
    })
    const first = ask(simulator, 'GET', `/syncs/${SYNC}/sync_runs?page=0&per_page=2`, {
      headers: { host: 'localhost:1' },
    })
    const next = `http://localhost:1/api/v1/syncs/${SYNC}/sync_runs?page=2&per_page=2`
    const pagination = { total_records: 5, per_page: 2, prev_page: null, page: 1, next_page: 2, last_page: 3 }
    expect(first.body).toMatchObject({ data: [{ id: ids[4] }, { id: ids[3] }], next, pagination })
    const last = ask(simulator, 'GET', `/syncs/${SYNC}/sync_runs?page=3&per_page=2&order=asc`)
    expect(last.body).toMatchObject({
      data: [{ id: ids[4] }],
      next: null,
      pagination: { prev_page: 2, next_page: null },
    })
    const all = ask(simulator, 'GET', `/syncs/${SYNC}/sync_runs?per_page=500`)
    expect(all.body).toMatchObject({ pagination: { per_page: 100, last_page: 1 } })
  })

  it('number destinations in V1 and name them in V2', () => {
    const simulator = simulated()
    expect(ask(simulator, 'GET', '/destinations').body).toMatchObject({ data: [{ id: 640011, name: 'CRM' }] })
    const activations = ask(simulator, 'GET', '/activations', { version: 'v2' }).body
    expect(activations).toMatchObject({ data: [{ id: 'gentle_harbour', name: 'CRM' }] })
  })
})

describe('syncs', () => {
  it('carry the SQL of their source and the state of their last real run', () => {
    const clock = new HandClock()
    const simulator = new Simulator({
      now: clock.now,
      syncs: [{ id: SYNC, label: null, timeline: completesAfter(1000) }],
    })
    simulator.startRun(SYNC, { reason: 'dry-run', createdAt: clock.ms - 60_000 })
    const object = { type: 'table', table_name: 'source_of_512', query: expect.stringMatching(/^select /) }
    const sync = { label: null, paused: false, status: 'Ready', source_attributes: { object } }
    expect(ask(simulator, 'GET', `/syncs/${SYNC}`).body).toMatchObject({ status: 'success', data: sync })
    trigger(simulator, SYNC)
    clock.pass(1000)
    expect(ask(simulator, 'GET', `/syncs/${SYNC}`).body).toMatchObject({ data: { status: 'Up to Date' } })
  })

  it('may name their destination by word in V2', () => {
    const simulator = simulated({ v2ConnectionIds: 'word' })
    const attributes = { destination_attributes: { connection_id: 'gentle_harbour', object: 'Contact' } }
    expect(ask(simulator, 'GET', `/syncs/${SYNC}`, { version: 'v2' }).body).toMatchObject({ data: attributes })
  })
})

it('dates responses and runs by the clock of the vendor, to the second', () => {
  const simulator = simulated({ clockSkewMs: 3_600_000 })
  const runId = trigger(simulator, SYNC)
  expect(readRun(simulator, runId)).toMatchObject({ created_at: '2026-03-11T13:00:00.250Z' })
  expect(ask(simulator, 'GET', '/workspace').date).toBe('Wed, 11 Mar 2026 13:00:00 GMT')
})

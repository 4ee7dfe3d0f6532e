// The bundle tests see the entries only from outside; here they run in this process, so that coverage sees them too.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseFileCommands } from './runner/commands.ts'
import { completesAfter, Simulator, type SimulatorOptions, serve, worksForever } from './simulator/index.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGBREAK']
const env = { ...process.env }
let temp = ''
let printed = ''

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'entry-'))
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.resetModules()
  process.env = { ...env }
  process.exitCode = 0
  rmSync(temp, { recursive: true, force: true })
})

/** Runs an entry with these inputs as its only ones. Returns what it set. */
async function enter(entry: 'main' | 'post', inputs: Record<string, string>, state: Record<string, string> = {}) {
  const others = Object.keys(process.env).filter((name) => /^(INPUT|STATE)_|^GITHUB_/.test(name))
  for (const name of others) delete process.env[name]
  const files = {
    GITHUB_OUTPUT: join(temp, 'output'),
    GITHUB_STATE: join(temp, 'state'),
    GITHUB_STEP_SUMMARY: join(temp, 'summary'),
  }
  for (const file of Object.values(files)) writeFileSync(file, '')
  const named = (prefix: string, values: Record<string, string>) =>
    Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value])
  Object.assign(process.env, files, Object.fromEntries([...named('INPUT', upper(inputs)), ...named('STATE', state)]))
  process.exitCode = undefined
  await import(`../src/${entry}.ts`)
  const exitCode = process.exitCode
  for (const signal of SIGNALS) process.removeAllListeners(signal)
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error')
  const read = (file: string) => readFileSync(file, 'utf8')
  return {
    exitCode,
    outputs: parseFileCommands(read(files.GITHUB_OUTPUT)),
    state: parseFileCommands(read(files.GITHUB_STATE)),
    summary: read(files.GITHUB_STEP_SUMMARY),
  }
}

function upper(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toUpperCase(), value]))
}

async function stage(options: SimulatorOptions) {
  const simulator = new Simulator(options)
  const server = await serve(simulator)
  const inputs = {
    'api-token': simulator.token(),
    'base-url': server.url,
    'sync-ids': '8290',
    'poll-interval-seconds': '0.05',
  }
  return { simulator, server, inputs, [Symbol.asyncDispose]: () => server.close() }
}

describe('main', () => {
  test('is green when every sync delivers', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: completesAfter(50) }] })
    const { exitCode, outputs, summary } = await enter('main', scene.inputs)
    expect(exitCode).toBe(0)
    expect(outputs.conclusion).toBe('success')
    expect(summary).toContain('The sync delivered')
  })

  test('is red on wrong inputs, of which it names nine and says how many more', async () => {
    const wrong = [
      'mode',
      'retries',
      'max-parallel',
      'fail-fast',
      'timeout-minutes',
      'on-fresh',
      'on-running',
      'on-paused',
      'full-sync',
      'cancel-on',
      'region',
    ]
    const { exitCode, outputs } = await enter('main', {
      'api-token': 'secret-token:abcdefgh',
      'sync-ids': '1',
      ...Object.fromEntries(wrong.map((name) => [name, 'wrong'])),
    })
    expect(exitCode).toBe(1)
    expect(outputs.conclusion).toBe('failure')
    expect(printed.match(/^::error/gm)).toHaveLength(10)
    expect(printed).toContain('and 2 more')
  })

  test('is red with all outputs set when something is wrong with the action itself', async () => {
    vi.doMock('../src/action.ts', () => ({ act: () => Promise.reject(new TypeError('a bug\n::error::in two lines')) }))
    const { exitCode, outputs } = await enter('main', { 'api-token': 'secret-token:abcdefgh', 'sync-ids': '1' })
    vi.doUnmock('../src/action.ts')
    expect(exitCode).toBe(1)
    expect(outputs).toMatchObject({ conclusion: 'failure', results: '[]' })
    expect(printed.match(/^::error/gm)).toHaveLength(1)
  })

  test('checks certificates though the environment says not to', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    await using scene = await stage({ syncs: [{ id: 8290, timeline: completesAfter(50) }] })
    await enter('main', scene.inputs)
    expect(process.env.NODE_TLS_REJECT_UNAUTHORIZED).toBeUndefined()
    expect(printed).toMatch(/^::warning title=Certificates::NODE_TLS_REJECT_UNAUTHORIZED=0 is not followed/m)
  })

  test('a signal cancels, and tells the provider', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: worksForever() }] })
    scene.simulator.faults.push((_request, { operation, nth }) => {
      if (operation === 'read-run' && nth === 2) process.emit('SIGTERM')
      return undefined
    })
    const { exitCode, outputs } = await enter('main', scene.inputs)
    expect(exitCode).toBe(1)
    expect(outputs.conclusion).toBe('cancelled')
    expect(scene.simulator.runs(8290)[0]?.state.canceled).toBe(true)
  })
})

describe('post', () => {
  const before = { baseline: null, since: 0, full: false, mayFail: false }
  /** A trigger whose answer main did not live to see. */
  const LOST = { syncId: '8290', runId: null, open: true, unwanted: false, baseline: null, full: false, mayFail: false }
  const NO_RUNS = { status: 'success', data: [], pagination: { next_page: null } }
  const open = (runId: string | null) => ({
    'run-8290': JSON.stringify({ syncId: '8290', runId, open: true, unwanted: false, ...before }),
  })

  test('does nothing without an open run', async () => {
    await using scene = await stage({ syncs: [{ id: 8290 }] })
    const closed = JSON.stringify({ syncId: '8290', runId: '431000000', open: false, unwanted: false, ...before })
    await enter('post', scene.inputs, { 'run-8290': closed })
    await enter('post', scene.inputs, {})
    expect(scene.simulator.requests).toEqual([])
    expect(printed).toBe('')
  })

  test('cancels a run that main wanted cancelled and could not cancel, whatever became of the job', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: worksForever() }] })
    const runId = String(scene.simulator.startRun(8290, { reason: 'api' }))
    const left = JSON.stringify({ syncId: '8290', runId, open: true, unwanted: true, ...before })
    await enter('post', { ...scene.inputs, 'job-status': 'failure' }, { 'run-8290': left })
    expect(scene.simulator.runs(8290)[0]?.state.canceled).toBe(true)
  })

  test('cancels an open run in a cancelled job', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: worksForever() }] })
    const runId = scene.simulator.startRun(8290, { reason: 'api' })
    const { exitCode } = await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, open(String(runId)))
    expect(exitCode).toBeUndefined()
    expect(printed).toContain(`run ${runId} of sync 8290 was told to stop`)
    expect(scene.simulator.runs(8290)[0]?.state.canceled).toBe(true)
  })

  test('leaves alone a run that has ended, or that belongs to another sync', async () => {
    await using scene = await stage({ syncs: [{ id: 8290 }, { id: 8291, timeline: worksForever() }] })
    const ended = scene.simulator.startRun(8290, { createdAt: Date.now() - 60_000 })
    await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, open(String(ended)))
    expect(printed).toContain('has ended meanwhile')
    const foreign = scene.simulator.startRun(8291)
    vi.resetModules()
    await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, open(String(foreign)))
    expect(printed).toContain('is not a run of sync 8290')
    expect(scene.simulator.requests.some(({ operation }) => operation === 'cancel-run')).toBe(false)
  })

  test('reports what it can not cancel, and never fails the job', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: worksForever() }] })
    const runId = scene.simulator.startRun(8290)
    scene.simulator.failNext('cancel-run', { kind: 'respond', status: 500 })
    const { exitCode } = await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, open(String(runId)))
    expect(exitCode).toBeUndefined()
    expect(printed).toContain(`run ${runId} of sync 8290 could not be looked after (`)
    vi.resetModules()
    scene.simulator.failNext('list-runs', { kind: 'respond', status: 403 })
    await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, open(null))
    expect(printed).toContain('the run of sync 8290 that was just being started could not be looked after (')
  })

  test('cancels the run of a trigger whose answer main did not live to see, also one that is listed late', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: worksForever() }] })
    const since = Date.now()
    scene.simulator.startRun(8290, { reason: 'api', createdAt: since + 1 })
    scene.simulator.faults.push((_request, { operation, nth }) => {
      if (operation !== 'list-runs' || nth > 1) return undefined
      return { kind: 'respond', status: 200, body: JSON.stringify(NO_RUNS) }
    })
    const lost = { ...LOST, since }
    await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, { 'run-8290': JSON.stringify(lost) })
    expect(printed).toContain('was told to stop')
    expect(scene.simulator.runs(8290)[0]?.state.canceled).toBe(true)
  })

  test('leaves the runs alone that the trigger cannot have started', async () => {
    await using scene = await stage({ syncs: [{ id: 8290, timeline: worksForever() }] })
    const since = Date.now()
    const byHand = scene.simulator.startRun(8290, { reason: 'manual', createdAt: since + 1 })
    const lost = { ...LOST, since }
    const cancelled = { ...scene.inputs, 'job-status': 'cancelled' }
    await enter('post', cancelled, { 'run-8290': JSON.stringify(lost) })
    expect(printed).toContain(`run ${byHand} of sync 8290 may still be going`)
    vi.resetModules()
    await enter('post', cancelled, { 'run-8290': JSON.stringify({ ...lost, baseline: String(byHand) }) })
    expect(printed).toContain('no run is seen')
    expect(scene.simulator.requests.some(({ operation }) => operation === 'cancel-run')).toBe(false)
  })

  test('takes nothing from a state that is not ours', async () => {
    await using scene = await stage({ syncs: [{ id: 8290 }] })
    const hostile = {
      'run-a':
        '{"syncId":"../../x","runId":"1","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}',
      'run-b': 'no JSON',
      'run-c': '{"open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}',
      'run-d':
        '{"syncId":"1","runId":"1/cancel?x","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}',
    }
    await enter('post', { ...scene.inputs, 'job-status': 'cancelled' }, hostile)
    expect(scene.simulator.requests).toEqual([])
  })

  test('says so when the inputs are gone', async () => {
    const { exitCode } = await enter('post', { 'job-status': 'cancelled' }, open('1'))
    expect(exitCode).toBeUndefined()
    expect(printed).toContain('::warning::runs of this step may still be going')
  })
})

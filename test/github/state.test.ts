import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Event } from '../../src/core/events.ts'
import type { Result } from '../../src/core/result.ts'
import { createStateKeeper, readRed, readState } from '../../src/github/state.ts'
import { parseFileCommands } from '../runner/commands.ts'
import { result, run, sync } from '../support/builders.ts'

let folder = ''
let file = ''
let printed = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-'))
  file = join(folder, 'state')
  writeFileSync(file, '')
  vi.stubEnv('GITHUB_STATE', file)
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** The state as the post step gets it: the runner reads the file and makes variables of it. */
function env(): NodeJS.ProcessEnv {
  const saved = Object.entries(parseFileCommands(readFileSync(file, 'utf8')))
  return Object.fromEntries(saved.map(([name, value]) => [`STATE_${name}`, value]))
}

function state() {
  return readState(env())
}

const intent = (id = '8290'): Event => ({ kind: 'intent', sync: sync({ id }), ...trigger })
const calm = new AbortController().signal
const trigger = { baseline: '500', since: 0, full: false }
const before = { ...trigger, mayFail: false }
const triggered = (overrides: { id?: string; runId?: string; cancellable?: boolean } = {}): Event => ({
  kind: 'triggered',
  sync: sync({ id: overrides.id ?? '8290' }),
  runId: overrides.runId ?? '501',
  adopted: false,
  cancellable: overrides.cancellable ?? true,
  reason: 'triggered',
  expected: null,
})
const settled = (overrides: Partial<Result> = {}): Event => ({ kind: 'settled', result: result(overrides) })
const goingOn = run({ state: 'running', status: 'working', finishedAt: null })

describe('the saved state', () => {
  test('knows of a trigger before it is sent, of its run as soon as it is known, and of its end', () => {
    const keep = createStateKeeper(calm, () => false)
    expect(state()).toEqual([])
    keep(intent())
    expect(state()).toEqual([{ syncId: '8290', runId: null, open: true, unwanted: false, ...before }])
    keep(triggered())
    expect(state()).toEqual([{ syncId: '8290', runId: '501', open: true, unwanted: false, ...before }])
    keep(settled())
    expect(state()).toEqual([{ syncId: '8290', runId: '501', open: false, unwanted: false, ...before }])
    expect(printed).toBe('')
  })

  test('knows which sync may fail', () => {
    const keep = createStateKeeper(calm, (id) => id === '2')
    for (const id of ['1', '2']) keep(intent(id))
    expect(state()).toMatchObject([
      { syncId: '1', mayFail: false },
      { syncId: '2', mayFail: true },
    ])
  })

  test('tells syncs apart', () => {
    const keep = createStateKeeper(calm, () => false)
    for (const id of ['1', '2', '3']) keep(intent(id))
    keep(triggered({ id: '2', runId: '52' }))
    keep(settled({ sync: sync({ id: '3' }), outcome: 'failed' }))
    expect(state()).toEqual([
      { syncId: '1', runId: null, open: true, unwanted: false, ...before },
      { syncId: '2', runId: '52', open: true, unwanted: false, ...before },
      { syncId: '3', runId: null, open: false, unwanted: false, ...before },
    ])
  })

  test('forgets the run of an earlier attempt when the next one is triggered', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    keep(intent())
    expect(state()).toEqual([{ syncId: '8290', runId: null, open: true, unwanted: false, ...before }])
    keep(triggered({ runId: '502' }))
    expect(state()).toEqual([{ syncId: '8290', runId: '502', open: true, unwanted: false, ...before }])
  })

  test('knows nothing of a run that this step did not cause', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(triggered({ cancellable: false }))
    keep(settled({ outcome: 'cancelled', run: goingOn }))
    expect(state()).toEqual([])
    expect(readFileSync(file, 'utf8')).not.toMatch(/^run-/m)
  })

  test('forgets a trigger that was not sent after all, whatever run is watched then', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep({ kind: 'dropped', sync: sync() })
    keep(triggered({ cancellable: false }))
    expect(state()).toEqual([{ syncId: '8290', runId: null, open: false, unwanted: false, ...before }])
    const stopped = createStateKeeper(AbortSignal.abort(), () => false)
    for (const event of [intent(), { kind: 'dropped', sync: sync() } as const]) stopped(event)
    stopped(settled({ outcome: 'unknown', run: null }))
    expect(state()).toMatchObject([{ open: false }])
  })

  test('names what has gone wrong, whoever started its run, and nothing that may', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(settled({ outcome: 'blocked', run: null }))
    keep(settled({ outcome: 'failed', run: null, tolerated: 'allow-failure', sync: sync({ id: '2' }) }))
    keep(settled({ outcome: 'succeeded', run: null, sync: sync({ id: '3' }) }))
    keep(settled({ outcome: 'unknown', run: null, sync: sync({ id: '', name: 'run 7' }) }))
    expect(readRed(env())).toEqual([{ syncId: '8290', outcome: 'blocked' }])
    expect(readRed({ 'STATE_red-1': '"hibernated"', 'STATE_red-2': '{', 'STATE_run-3': '"failed"' })).toEqual([])
  })

  test('never names a run for cancelling that turned out to be somebody else’s', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered({ cancellable: false }))
    expect(state()).toEqual([{ syncId: '8290', runId: null, open: true, unwanted: false, ...before }])
    keep(settled({ outcome: 'cancelled', run: goingOn }))
    expect(state()).toEqual([{ syncId: '8290', runId: null, open: false, unwanted: false, ...before }])
  })

  test('knows nothing of a sync that was settled without a trigger', () => {
    createStateKeeper(calm, () => false)(settled({ outcome: 'skipped', runId: null, run: null }))
    expect(state()).toEqual([])
  })

  test.each([
    ['succeeded', run(), false],
    ['warned', run(), false],
    ['triggered', null, false],
    ['failed', run({ state: 'failed' }), false],
    ['timed_out', goingOn, false],
    ['unknown', null, false],
    ['not_started', null, false],
    ['cancelled', goingOn, true],
    ['cancelled', null, true],
    ['cancelled', run({ state: 'cancelled' }), false],
  ] as const)('case %#: of a run whose sync is %s', (outcome, seen, open) => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    keep(settled({ outcome, run: seen }))
    expect(state()).toEqual([{ syncId: '8290', runId: '501', open, unwanted: false, ...before }])
  })

  test('leaves nothing to do where the provider took the request to cancel', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    keep({ kind: 'cancelling', sync: sync(), runId: '501' })
    expect(state()).toEqual([{ syncId: '8290', runId: '501', open: true, unwanted: true, ...before }])
    keep({ kind: 'cancelled', sync: sync(), runId: '501' })
    keep(settled({ outcome: 'cancelled', run: goingOn }))
    expect(state()).toEqual([{ syncId: '8290', runId: '501', open: false, unwanted: true, ...before }])
  })

  test.each(['timed_out', 'cancelled'] as const)(
    'leaves a run to be stopped that could not be, though it should: %s',
    (outcome) => {
      const keep = createStateKeeper(calm, () => false)
      keep(intent())
      keep(triggered())
      keep({ kind: 'cancelling', sync: sync(), runId: '501' })
      keep(settled({ outcome, run: goingOn }))
      expect(state()).toEqual([{ syncId: '8290', runId: '501', open: true, unwanted: true, ...before }])
    },
  )

  test('leaves a run alone that has ended before it could be stopped', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    keep({ kind: 'cancelling', sync: sync(), runId: '501' })
    keep(settled({ outcome: 'timed_out', run: run() }))
    expect(state()).toMatchObject([{ open: false }])
  })

  test.each([true, false])(
    'leaves a trigger open whose answer was lost only in a step that was stopped: %s',
    (isStopped) => {
      const keep = createStateKeeper(isStopped ? AbortSignal.abort() : calm, () => false)
      keep(intent())
      keep(settled({ outcome: 'unknown', runId: null, run: null }))
      expect(state()).toMatchObject([{ runId: null, open: isStopped }])
    },
  )

  test('leaves a run open although another one was cancelled', () => {
    const keep = createStateKeeper(calm, () => false)
    for (const id of ['1', '2']) keep(intent(id))
    keep(triggered({ id: '1', runId: '51' }))
    keep(triggered({ id: '2', runId: '52' }))
    keep({ kind: 'cancelled', sync: sync({ id: '1' }), runId: '51' })
    for (const id of ['1', '2']) keep(settled({ sync: sync({ id }), outcome: 'cancelled', run: goingOn }))
    expect(state()).toEqual([
      { syncId: '1', runId: '51', open: false, unwanted: false, ...before },
      { syncId: '2', runId: '52', open: true, unwanted: false, ...before },
    ])
  })

  test('is not touched by anything else that happens', () => {
    const keep = createStateKeeper(calm, () => false)
    keep({ kind: 'planned', sync: sync(), ruling: null, step: { do: 'trigger', reason: null } })
    keep({ kind: 'refused', result: result({ outcome: 'failed' }) })
    keep({ kind: 'waiting', sync: sync(), run: goingOn, reason: 'an older run' })
    keep({ kind: 'changed', sync: sync(), run: goingOn })
    keep({ kind: 'readable', sync: sync(), afterMs: 5 })
    keep({ kind: 'again', sync: sync(), verdict: { outcome: 'failed', reason: 'skipped' }, retry: null })
    keep({ kind: 'cancelling', sync: sync(), runId: '501' })
    expect(readFileSync(file, 'utf8')).toBe('')
  })

  test('holds nothing of what names and messages say', () => {
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    keep(settled({ outcome: 'cancelled', reason: 'a reason', message: 'jane@example.com', run: goingOn }))
    expect(readFileSync(file, 'utf8')).not.toMatch(/jane|reason|Customers/)
  })
})

describe('a state that is not ours', () => {
  test.each([
    ['no JSON', 'no JSON'],
    ['cut JSON', '{"syncId":"1","runId":"2","open":tr'],
    ['nothing', ''],
    ['undefined', undefined],
    ['null', 'null'],
    ['a list', '["1","2",true]'],
    ['a number', '1'],
    ['a text', '"run"'],
    [
      'a sync id that is a number',
      '{"syncId":1,"runId":"2","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}',
    ],
    ['no sync id', '{"runId":"2","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}'],
    ['no run id', '{"syncId":"1","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}'],
    [
      'a run id that is a list',
      '{"syncId":"1","runId":["2"],"open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}',
    ],
    [
      'openness that is a word',
      '{"syncId":"1","runId":"2","open":"true","unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}',
    ],
  ])('is left out: %s', (_name, value) => {
    const good =
      '{"syncId":"3","runId":"4","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}'
    expect(readState({ 'STATE_run-1': value, 'STATE_run-3': good })).toEqual([
      { syncId: '3', runId: '4', open: true, unwanted: false, baseline: null, since: 0, full: false, mayFail: false },
    ])
  })

  test('brings in nothing but the fields that are known', () => {
    const value =
      '{"syncId":"1","runId":null,"open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false,"__proto__":{"admin":true},"token":"x"}'
    const [saved, ...rest] = readState({ 'STATE_run-1': value })
    expect(rest).toEqual([])
    expect(Object.keys(saved ?? {}).sort()).toEqual([
      'baseline',
      'full',
      'mayFail',
      'open',
      'runId',
      'since',
      'syncId',
      'unwanted',
    ])
    expect(saved).not.toHaveProperty('admin')
  })

  test('is not looked for in other variables', () => {
    const value =
      '{"syncId":"1","runId":"2","open":true,"unwanted":false,"baseline":null,"since":0,"full":false,"mayFail":false}'
    const env = { 'run-1': value, STATE_run: value, 'INPUT_run-1': value, STATE_isPost: 'true' }
    expect(readState(env)).toEqual([])
  })

  test('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (value) => {
        for (const saved of readState({ 'STATE_run-x': value })) expect(typeof saved.syncId).toBe('string')
      }),
    )
  })
})

describe('what cannot be saved', () => {
  test('is no reason to stop, and is told', () => {
    rmSync(file)
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    expect(printed.match(/^::error::the state for the post step could not be written/gm)).toHaveLength(1)
  })

  test('is nothing to talk about outside of a runner', () => {
    vi.stubEnv('GITHUB_STATE', '')
    const keep = createStateKeeper(calm, () => false)
    keep(intent())
    keep(triggered())
    keep(settled())
    expect(printed).toBe('')
    expect(readFileSync(file, 'utf8')).toBe('')
  })
})

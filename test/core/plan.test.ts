import { describe, expect, test } from 'vitest'
import { activeRun, decide, type Policy } from '../../src/core/plan.ts'
import type { Run } from '../../src/core/provider.ts'
import type { Ruling } from '../../src/core/ruling.ts'
import { run, START, sync } from '../support/builders.ts'

const WATERMARK = START
const before = { createdAt: START - 600_000, finishedAt: START - 540_000 }
const working = { state: 'running', status: 'working', finishedAt: null } as const

function policy(overrides: Partial<Policy> = {}): Policy {
  return {
    full: false,
    onFresh: 'skip',
    onRunning: 'queue',
    onPaused: 'fail',
    onNotBuilt: 'skip',
    maxFailed: null,
    maxInvalid: null,
    ...overrides,
  }
}

const decided = (history: Run[], overrides: Partial<Policy> = {}) =>
  decide(sync(), history, policy(overrides), WATERMARK)

describe('the next step of a sync', () => {
  test('triggers where there is no history, or only an old one', () => {
    expect(decided([]).do).toBe('trigger')
    expect(decided([run(before)]).do).toBe('trigger')
  })

  test('takes a good run since the watermark for fresh, unless asked to trigger', () => {
    expect(decided([run()])).toMatchObject({ do: 'settle', verdict: { outcome: 'fresh' }, run: { id: '501' } })
    expect(decided([run()], { onFresh: 'trigger' }).do).toBe('trigger')
  })

  test('a run created exactly at the watermark counts, one a millisecond earlier does not', () => {
    expect(decided([run({ createdAt: WATERMARK })]).do).toBe('settle')
    expect(decided([run({ createdAt: WATERMARK - 1 })]).do).toBe('trigger')
  })

  test.each<[string, Partial<Run>]>([
    ['a dry run', { movesData: false }],
    ['a failed run', { state: 'failed' }],
    ['a cancelled run', { state: 'cancelled' }],
    ['a skipped run', { state: 'skipped' }],
    ['a run without a time of creation', { createdAt: null }],
    ['a run that delivered nothing', { counts: { processed: 5, succeeded: 0, failed: 5, invalid: 0 } }],
  ])('%s since the watermark is not fresh', (_name, overrides) => {
    expect(decided([run(overrides)]).do).toBe('trigger')
  })

  test('a good run stays fresh though a later one failed or was skipped', () => {
    expect(decided([run({ id: '503', state: 'skipped' }), run({ id: '502', state: 'failed' }), run()])).toMatchObject({
      run: { id: '501' },
    })
  })

  test('an incremental run is not fresh where a full one is asked for', () => {
    expect(decided([run()], { full: true }).do).toBe('trigger')
    expect(decided([run({ full: true })], { full: true }).do).toBe('settle')
  })

  test('a run with more rejected records than allowed is not fresh', () => {
    const flawed = run({ counts: { processed: 10, succeeded: 8, failed: 2, invalid: 0 } })
    expect(decided([flawed], { maxFailed: { count: 1 } }).do).toBe('trigger')
    expect(decided([flawed])).toMatchObject({
      verdict: { outcome: 'fresh', reason: expect.stringContaining('2 records rejected') },
    })
  })

  test('adopts an active run that counts', () => {
    expect(decided([run(working)])).toMatchObject({ do: 'adopt', run: { id: '501' } })
  })

  test.each([
    ['queue', { do: 'queue', run: { id: '501' } }],
    ['attach', { do: 'adopt', run: { id: '501' } }],
    ['skip', { do: 'settle', verdict: { outcome: 'skipped' } }],
    ['fail', { do: 'settle', verdict: { outcome: 'failed' } }],
  ] as const)('an older active run with on-running: %s', (onRunning, expected) => {
    expect(decided([run({ ...before, ...working })], { onRunning })).toMatchObject(expected)
  })

  test.each(['queue', 'attach', 'skip'] as const)(
    'an active dry run is waited out, also with on-running: %s',
    (onRunning) => {
      expect(decided([run({ ...working, movesData: false })], { onRunning })).toMatchObject({ do: 'queue' })
    },
  )

  test.each([
    ['fail', { do: 'settle', verdict: { outcome: 'failed' } }],
    ['skip', { do: 'settle', verdict: { outcome: 'skipped' } }],
    ['trigger', { do: 'trigger' }],
  ] as const)('a paused sync with on-paused: %s', (onPaused, expected) => {
    expect(decide(sync({ paused: true }), [], policy({ onPaused }), WATERMARK)).toMatchObject(expected)
  })

  test('paused comes before fresh and running', () => {
    expect(decide(sync({ paused: true }), [run()], policy(), WATERMARK)).toMatchObject({
      verdict: { outcome: 'failed' },
    })
  })
})

describe('what dbt says', () => {
  const ruling = (gate: Ruling['gate']): Ruling => ({
    gate,
    reason: `it is ${gate}`,
    models: null,
    source: '',
    notes: [],
  })
  const ruled = (gate: Ruling['gate'], history: Run[], overrides: Partial<Policy> = {}) =>
    decide(sync(), history, policy(overrides), WATERMARK, ruling(gate))

  test('an open gate changes nothing', () => {
    for (const history of [[], [run()], [run(working)], [run(before)]]) {
      expect(ruled('open', history)).toEqual(decide(sync(), history, policy(), WATERMARK))
    }
  })

  test.each([
    ['closed', 'gate-closed'],
    ['elsewhere', 'built-elsewhere'],
  ] as const)('a gate that is %s blocks, whatever the history', (gate, hint) => {
    for (const history of [[], [run()], [run(working)]]) {
      expect(ruled(gate, history)).toEqual({
        do: 'settle',
        verdict: { outcome: 'blocked', reason: `it is ${gate}`, hint },
        run: null,
      })
    }
  })

  test('what the project says of a sync and makes no sense fails it', () => {
    expect(ruled('broken', [])).toMatchObject({ verdict: { outcome: 'failed', reason: 'it is broken' } })
  })

  test('a paused sync is paused first', () => {
    expect(decide(sync({ paused: true }), [], policy(), WATERMARK, ruling('closed'))).toMatchObject({
      verdict: { outcome: 'failed', reason: expect.stringContaining('paused') },
    })
  })

  describe('nothing new for a sync', () => {
    const old = run(before)
    const skipped = { do: 'settle', verdict: { outcome: 'skipped', reason: 'it is not-built (on-not-built: skip)' } }

    test('skips it if its newest run that moved data was good', () => {
      expect(ruled('not-built', [old])).toMatchObject(skipped)
      const noise = [run({ id: '509', state: 'skipped' }), run({ id: '508', movesData: false, state: 'failed' })]
      expect(ruled('not-built', [...noise, old])).toMatchObject(skipped)
    })

    test.each<[string, Run[], string]>([
      ['no run at all', [], 'it is not-built, but the sync has never run'],
      ['dry runs only', [run({ movesData: false })], 'it is not-built, but the sync has never run'],
      [
        'a failed one',
        [run({ ...before, state: 'failed' }), old],
        'it is not-built, but run 501, its last one, did not deliver',
      ],
      [
        'a cancelled one',
        [run({ ...before, state: 'cancelled' })],
        'it is not-built, but run 501, its last one, did not deliver',
      ],
      [
        'one that lost every record',
        [run({ ...before, counts: { processed: 2, succeeded: 0, failed: 2, invalid: 0 } })],
        'it is not-built, but run 501, its last one, did not deliver',
      ],
    ])('owes it after %s: then it is triggered', (_name, history, reason) => {
      expect(ruled('not-built', history)).toEqual({ do: 'trigger', reason })
    })

    test('owes it if its newest run passed the limits for records', () => {
      const flawed = run({ ...before, counts: { processed: 10, succeeded: 8, failed: 2, invalid: 0 } })
      expect(ruled('not-built', [flawed], { maxFailed: { count: 1 } })).toMatchObject({ do: 'trigger' })
      expect(ruled('not-built', [flawed])).toMatchObject(skipped)
    })

    test('waits for a newest run that still goes on, as on-running says', () => {
      const older = run({ ...before, ...working })
      expect(ruled('not-built', [older])).toMatchObject({ do: 'queue' })
      expect(ruled('not-built', [older], { onRunning: 'attach' })).toMatchObject({ do: 'adopt' })
      expect(ruled('not-built', [older], { onRunning: 'skip' })).toMatchObject({ verdict: { outcome: 'skipped' } })
      expect(ruled('not-built', [run(working)])).toMatchObject({ do: 'adopt' })
    })

    test('with on-not-built: trigger it runs all the same', () => {
      expect(ruled('not-built', [old], { onNotBuilt: 'trigger' })).toEqual({
        do: 'trigger',
        reason: 'it is not-built (on-not-built: trigger)',
      })
      expect(ruled('not-built', [run()], { onNotBuilt: 'trigger' })).toMatchObject({ verdict: { outcome: 'fresh' } })
    })
  })
})

describe('the active run', () => {
  test('is found below skipped, cancelled and dry runs', () => {
    const history = [
      run({ id: '4', state: 'skipped' }),
      run({ id: '3', state: 'cancelled' }),
      run({ id: '2', movesData: false }),
      run({ id: '1', ...working }),
    ]
    expect(activeRun(history)).toMatchObject({ id: '1' })
  })

  test('is not one below a run that went to its end', () => {
    expect(activeRun([run({ id: '2' }), run({ id: '1', ...working })])).toBeNull()
    expect(activeRun([run({ id: '2', state: 'failed' }), run({ id: '1', ...working })])).toBeNull()
  })

  test('may have a status nobody knows, unless it shows a time of finishing', () => {
    const strange = { state: 'unrecognized', status: 'hibernating' } as const
    expect(activeRun([run({ ...strange, finishedAt: null })])).toMatchObject({ status: 'hibernating' })
    expect(activeRun([run(strange)])).toBeNull()
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COLORS, conclude, judgeRun, type Limit, type Outcome } from '../../src/core/judge.ts'
import type { Counts, RunState } from '../../src/core/provider.ts'
import { run } from '../support/builders.ts'

const counts = (
  processed: number | null,
  succeeded: number | null,
  failed: number | null,
  invalid: number | null,
): Counts => ({
  processed,
  succeeded,
  failed,
  invalid,
})
const judged = (numbers: Counts, maxFailed: Limit | null = null, maxInvalid: Limit | null = null) =>
  judgeRun(run({ counts: numbers }), { maxFailed, maxInvalid })

describe('the verdict on a run', () => {
  test.each<[RunState, Outcome]>([
    ['succeeded', 'succeeded'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
    ['skipped', 'failed'],
    ['queued', 'unknown'],
    ['running', 'unknown'],
    ['unrecognized', 'unknown'],
  ])('%s is %s', (state, outcome) => {
    expect(judgeRun(run({ state }), { maxFailed: null, maxInvalid: null }).outcome).toBe(outcome)
  })

  test.each<[string, Counts, Limit | null, Limit | null, Outcome]>([
    ['all accepted', counts(50, 50, 0, 0), null, null, 'succeeded'],
    ['nothing to send', counts(0, 0, 0, 0), null, null, 'succeeded'],
    ['no counters at all', counts(null, null, null, null), null, null, 'succeeded'],
    ['some rejected', counts(50, 47, 3, 0), null, null, 'warned'],
    ['some invalid', counts(50, 50, 0, 2), null, null, 'warned'],
    ['all invalid, none sent', counts(0, 0, 0, 50), null, null, 'warned'],
    ['every record rejected', counts(50, 0, 50, 0), null, null, 'failed'],
    ['every record rejected, though the limit would allow it', counts(50, 0, 50, 0), { percent: 100 }, null, 'failed'],
    [
      'every record rejected, where the provider counts invalid ones as processed',
      counts(50, 0, 45, 5),
      null,
      null,
      'failed',
    ],
    ['every record rejected, known from two counters', counts(null, 0, 7, null), null, null, 'failed'],
    ['every record rejected, where the accepted ones are not told', counts(50, null, 50, 0), null, null, 'failed'],
    ['some rejected, where the accepted ones are not told', counts(50, null, 49, 0), null, null, 'warned'],
    ['some rejected, of nobody knows how many', counts(null, null, 7, null), null, null, 'warned'],
    ['a percentage of what two counters add up to', counts(null, 95, 5, 0), { percent: 5 }, null, 'warned'],
    ['rejected, at the limit', counts(100, 95, 5, 0), { count: 5 }, null, 'warned'],
    ['rejected, above the limit', counts(100, 94, 6, 0), { count: 5 }, null, 'failed'],
    ['rejected, at the percentage', counts(100, 95, 5, 0), { percent: 5 }, null, 'warned'],
    ['rejected, above the percentage', counts(100, 94, 6, 0), { percent: 5 }, null, 'failed'],
    ['one rejected where none may be', counts(100, 99, 1, 0), { count: 0 }, null, 'failed'],
    ['one rejected where no percent may be', counts(100, 99, 1, 0), { percent: 0 }, null, 'failed'],
    ['none rejected where none may be', counts(100, 100, 0, 0), { count: 0 }, null, 'succeeded'],
    ['invalid, percentage of processed and invalid together', counts(90, 90, 0, 10), null, { percent: 10 }, 'warned'],
    ['invalid, above the percentage', counts(90, 90, 0, 11), null, { percent: 10 }, 'failed'],
    ['a limit and no counter', counts(50, 50, null, 0), { count: 5 }, null, 'unknown'],
    ['a limit for invalid ones and no counter', counts(50, 50, 0, null), null, { count: 5 }, 'unknown'],
    ['a percentage and nothing to take it of', counts(null, null, null, 3), null, { percent: 10 }, 'unknown'],
    ['a percentage of nothing, and nothing invalid', counts(null, null, null, 0), null, { percent: 10 }, 'succeeded'],
  ])('%s', (_name, numbers, maxFailed, maxInvalid, outcome) => {
    expect(judged(numbers, maxFailed, maxInvalid).outcome).toBe(outcome)
  })

  test('says in one word whose words follow', () => {
    expect(judgeRun(run({ state: 'failed', message: 'Locked' }), { maxFailed: null, maxInvalid: null }).reason).toBe(
      'the provider says',
    )
    expect(judgeRun(run({ state: 'failed' }), { maxFailed: null, maxInvalid: null }).reason).toBe('the run failed')
  })

  test('says so where the provider gave no counts', () => {
    expect(judged(counts(null, null, null, null)).reason).toBe('completed; the provider gave no record counts')
    expect(judged(counts(null, null, 0, null)).reason).toBe('completed')
    expect(judged(counts(5, null, null, 0)).reason).toBe(
      'completed; the provider does not say how many records were rejected',
    )
  })

  test('does not take it for success that nothing of what was sent is known to have arrived', () => {
    expect(judged(counts(1200, 0, null, 0))).toMatchObject({
      outcome: 'unknown',
      reason: 'the provider does not say what became of 1,200 records',
    })
    expect(judged(counts(0, 0, null, 0)).outcome).toBe('succeeded')
    expect(judged(counts(1200, 0, 0, 0)).outcome).toBe('succeeded')
  })

  test('is never success for a dry run', () => {
    expect(judgeRun(run({ movesData: false }), { maxFailed: null, maxInvalid: null })).toMatchObject({
      outcome: 'failed',
      reason: 'it was a dry run, which delivers nothing',
    })
  })

  test('says how many were rejected and what was allowed', () => {
    expect(judged(counts(100, 94, 6, 0), { percent: 5 }).reason).toBe(
      '6 records rejected, more than max-failed-records allows (5 %)',
    )
    expect(judged(counts(100, 100, 0, 7), null, { count: 6 }).reason).toBe(
      '7 invalid records, more than max-invalid-records allows (6)',
    )
    expect(judged(counts(100, 97, 3, 1)).reason).toBe(
      '3 records rejected by the destination, 1 record invalid and not sent',
    )
    expect(judged(counts(100, 99, 1, 2)).reason).toBe(
      '1 record rejected by the destination, 2 records invalid and not sent',
    )
  })

  test('is never green above a limit, whatever the counters', () => {
    const number = fc.option(fc.nat(1000))
    fc.assert(
      fc.property(
        number,
        number,
        fc.nat(1000),
        number,
        fc.nat(1000),
        (processed, succeeded, failed, invalid, limit) => {
          const { outcome } = judged(counts(processed, succeeded, failed, invalid), { count: limit })
          if (failed > limit) expect(COLORS[outcome]).toBe('red')
        },
      ),
    )
  })
})

const bare = (outcome: Outcome) => ({ outcome, tolerated: null })

describe('the conclusion of the step', () => {
  test.each<[Outcome[], string]>([
    [['succeeded', 'warned', 'fresh', 'skipped'], 'success'],
    [['triggered'], 'success'],
    [['planned', 'planned'], 'success'],
    [['skipped', 'skipped'], 'skipped'],
    [['succeeded', 'failed'], 'failure'],
    [['succeeded', 'timed_out', 'timed_out'], 'timed_out'],
    [['timed_out', 'failed'], 'failure'],
    [['cancelled'], 'failure'],
    [['unknown'], 'failure'],
    [['not_started'], 'failure'],
    [['blocked'], 'failure'],
    [[], 'failure'],
  ])('%j is %s', (outcomes, conclusion) => {
    expect(conclude(outcomes.map(bare), false)).toBe(conclusion)
  })

  test('is cancelled if the workflow was, whatever had been reached', () => {
    expect(conclude(['succeeded' as const, 'cancelled' as const].map(bare), true)).toBe('cancelled')
  })

  test.each<[[Outcome, string | null][], string]>([
    [
      [
        ['blocked', 'on-blocked: skip'],
        ['succeeded', null],
      ],
      'success',
    ],
    [
      [
        ['blocked', 'on-blocked: skip'],
        ['skipped', null],
      ],
      'skipped',
    ],
    [
      [
        ['blocked', 'on-blocked: skip'],
        ['failed', null],
      ],
      'failure',
    ],
    [
      [
        ['failed', 'allow-failure'],
        ['succeeded', null],
      ],
      'success',
    ],
    [
      [
        ['failed', 'allow-failure'],
        ['timed_out', null],
      ],
      'timed_out',
    ],
  ])('of %j, which a setting may forgive, is %s', (syncs, conclusion) => {
    expect(
      conclude(
        syncs.map(([outcome, tolerated]) => ({ outcome, tolerated })),
        false,
      ),
    ).toBe(conclusion)
  })
})

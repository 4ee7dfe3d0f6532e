import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  adaptive,
  aged,
  durationsOf,
  every,
  type Forecast,
  forecast,
  jittered,
  predictive,
} from '../../src/core/schedule.ts'
import { FLEETS } from '../bench/durations.ts'
import { measure } from '../bench/measure.ts'
import { RULES } from '../bench/rules.ts'
import { run, START } from '../support/builders.ts'

const MINUTE = 60_000

function expected(durations: number[]): Forecast {
  const found = forecast(durations)
  if (found === null) throw new Error('too few durations')
  return found
}

describe('a forecast', () => {
  test('is in the middle of what was, and knows what is unusually long', () => {
    const { usualMs, longMs } = expected([4 * MINUTE, 4.4 * MINUTE, 3.6 * MINUTE, 4 * MINUTE])
    expect(usualMs / MINUTE).toBeCloseTo(4, 1)
    expect(longMs / MINUTE).toBeGreaterThan(4.4)
    expect(longMs / MINUTE).toBeLessThan(6)
  })

  test('takes three durations at least', () => {
    expect(forecast([])).toBeNull()
    expect(forecast([MINUTE, MINUTE])).toBeNull()
    expect(forecast([MINUTE, MINUTE, 0, -5])).toBeNull()
    expect(forecast([MINUTE, MINUTE, MINUTE])).not.toBeNull()
  })

  test('never takes a sync for clockwork', () => {
    const { usualMs, longMs } = expected(Array(9).fill(MINUTE))
    expect(usualMs).toBeCloseTo(MINUTE)
    expect(longMs).toBeGreaterThan(1.05 * MINUTE)
  })
})

describe('the durations in a history', () => {
  test('are those of good runs that moved as much', () => {
    const took = (ms: number) => ({ createdAt: START, finishedAt: START + ms })
    const history = [
      run(took(1)),
      run({ ...took(2), full: true }),
      run({ ...took(3), movesData: false }),
      run({ ...took(4), state: 'failed' }),
      run({ ...took(5), state: 'running' }),
      run({ createdAt: null }),
      run({ finishedAt: null }),
      run(took(6)),
    ]
    expect(durationsOf(history, false)).toEqual([1, 6])
    expect(durationsOf(history, true)).toEqual([2])
  })
})

describe('a schedule with a forecast', () => {
  const schedule = predictive(expected([3.7, 3.9, 4, 4, 4.1, 4.3].map((minutes) => minutes * MINUTE)))

  test('looks early once, then seldom, often where the end is likely, and seldom again', () => {
    expect(schedule(0, 0)).toBe(1000)
    const early = schedule(MINUTE, 5)
    const due = schedule(4 * MINUTE, 9)
    const late = schedule(30 * MINUTE, 20)
    expect(due * 4).toBeLessThan(early)
    expect(due * 4).toBeLessThan(late)
    expect(early).toBeGreaterThan(adaptive(MINUTE, 5))
    expect(late).toBeLessThanOrEqual(adaptive(30 * MINUTE, 20))
  })

  test('never sleeps across the time in which the end is likely', () => {
    for (let at = 1000; at < 6 * MINUTE; ) {
      const next = at + schedule(at, 3)
      expect([at, next < 3.5 * MINUTE || at > 3.2 * MINUTE || next < 3.8 * MINUTE]).toEqual([at, true])
      at = next
    }
  })

  test('whatever the history and the moment, it is from a second to a minute', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 100_000_000 }), { minLength: 3, maxLength: 10 })
    fc.assert(
      fc.property(durations, fc.nat(400_000_000), fc.nat(5000), (past, at, looks) => {
        const next = predictive(expected(past))(at, looks)
        expect(next).toBeGreaterThanOrEqual(1000)
        expect(next).toBeLessThanOrEqual(60_000)
      }),
    )
  })

  test('for a run that has been going on begins where that is', () => {
    expect(aged(schedule, 3 * MINUTE)(MINUTE, 4)).toBe(schedule(4 * MINUTE, 4))
  })
})

test('jitter moves a look by a tenth at most', () => {
  expect(jittered(every(10_000), () => 0)(0, 1)).toBe(9000)
  expect(jittered(every(10_000), () => 0.5)(0, 1)).toBe(10_000)
  expect(jittered(every(10_000), () => 1)(0, 1)).toBe(11_000)
})

describe('against the fixed interval that makes as many requests, the mean lag', () => {
  test.each([
    ['steady', 0.35],
    ['unsteady', 0.5],
  ] as const)('with a history of %s durations is at most %d of it', (fleet, most) => {
    expect(measure(RULES.ours, FLEETS[fleet]).ratio).toBeLessThanOrEqual(most)
  })

  test('without history is at most 1.15 of it', () => {
    expect(measure(RULES.without, FLEETS.steady).ratio).toBeLessThanOrEqual(1.15)
  })

  test.each(['shorter', 'longer'] as const)(
    'of the first run after a tenfold change (%s) is at most twice that without history',
    (fleet) => {
      const { meanLag } = measure(RULES.ours, FLEETS[fleet])
      expect(meanLag).toBeLessThanOrEqual(2 * measure(RULES.without, FLEETS[fleet]).meanLag)
    },
  )

  test('is not had more cheaply by the plainer rule', () => {
    const [ours, plain] = [RULES.ours, RULES.plain].map((rule) => measure(rule, FLEETS.steady).ratio)
    expect(plain).toBeGreaterThan(1.25 * (ours ?? 0))
  })
})

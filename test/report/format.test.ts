import { describe, expect, test } from 'vitest'
import { duration, elapsed, number, plural, roughly } from '../../src/report/format.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

describe('a duration', () => {
  test.each([
    [0, '0 s'],
    [-5 * SECOND, '0 s'],
    [49, '0 s'],
    [50, '0.1 s'],
    [449, '0.4 s'],
    [949, '0.9 s'],
    [950, '1 s'],
    [1499, '1 s'],
    [1500, '2 s'],
    [59_499, '59 s'],
    [59_500, '1 min 00 s'],
    [MINUTE + 7 * SECOND, '1 min 07 s'],
    [59 * MINUTE + 59 * SECOND, '59 min 59 s'],
    [HOUR - 1, '1 h 00 min'],
    [HOUR + 4 * MINUTE + 59 * SECOND, '1 h 04 min'],
    [30 * HOUR + 30 * MINUTE, '30 h 30 min'],
  ])('of %d ms is told as %j', (ms, words) => {
    expect(duration(ms)).toBe(words)
  })
})

describe('the time since the start', () => {
  test.each([
    [0, '0:00'],
    [999, '0:00'],
    [7 * SECOND, '0:07'],
    [59_999, '0:59'],
    [MINUTE, '1:00'],
    [61 * MINUTE + 30 * SECOND, '61:30'],
    [600 * MINUTE, '600:00'],
  ])('after %d ms is told as %j', (ms, words) => {
    expect(elapsed(ms)).toBe(words)
  })
})

describe('a number', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1_234_567, '1,234,567'],
    [2 ** 53 - 1, '9,007,199,254,740,991'],
  ])('%d is told as %j', (value, words) => {
    expect(number(value)).toBe(words)
  })
})

describe('a count', () => {
  test.each([
    [0, 'record', undefined, '0 records'],
    [1, 'record', undefined, '1 record'],
    [2, 'record', undefined, '2 records'],
    [1, 'sync', 'syncs', '1 sync'],
    [1, 'entry', 'entries', '1 entry'],
    [1500, 'entry', 'entries', '1,500 entries'],
  ])('of %d %s (%s) is told as %j', (count, one, many, words) => {
    expect(plural(count, one, many)).toBe(words)
  })
})

test.each([
  [100, '1 s'],
  [4600, '5 s'],
  [38_000, '40 s'],
  [89_000, '90 s'],
  [100_000, '2 min'],
  [240_000, '4 min'],
  [5_000_000, '83 min'],
  [7_000_000, '2 h'],
])('%i ms are roughly %s', (ms, text) => {
  expect(roughly(ms)).toBe(text)
})

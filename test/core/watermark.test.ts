import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counts, ProviderClock, readyAt } from '../../src/core/watermark.ts'
import { run, START } from '../support/builders.ts'

describe("the provider's clock", () => {
  test('without any reply an instant stays what it is', () => {
    expect(new ProviderClock().atLatest(START)).toBe(START)
  })

  test('an instant is never moved to an earlier time', () => {
    const clock = new ProviderClock()
    clock.observe(START - 3_600_000, START, START + 100)
    expect(clock.atLatest(START)).toBe(START)
  })

  test('a clock that is an hour ahead moves it by an hour and the uncertainty of the header', () => {
    const clock = new ProviderClock()
    clock.observe(START + 3_600_000, START, START + 100)
    expect(clock.atLatest(START)).toBe(START + 3_600_000 + 1000)
  })

  test('later replies narrow the uncertainty', () => {
    const clock = new ProviderClock()
    clock.observe(START, START + 900, START + 950)
    clock.observe(START + 1000, START + 1050, START + 1100)
    expect(clock.atLatest(START)).toBe(START + 100)
  })

  test('a clock that is set in between is followed', () => {
    const clock = new ProviderClock()
    clock.observe(START, START, START + 10)
    clock.observe(START + 60_000, START + 10, START + 20)
    expect(clock.atLatest(START)).toBe(START + 60_990)
  })

  test('whatever the offset and the delays, the instant is never earlier than the truth', () => {
    const delays = fc.array(fc.tuple(fc.nat(5000), fc.nat(2000), fc.nat(2000)), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.integer({ min: -10_000_000, max: 10_000_000 }), delays, (offset, replies) => {
        const clock = new ProviderClock()
        let now = START
        for (const [pause, there, back] of replies) {
          const sentAt = now + pause
          const date = Math.floor((sentAt + there + offset) / 1000) * 1000
          now = sentAt + there + back
          clock.observe(date, sentAt, now)
        }
        expect(clock.atLatest(START)).toBeGreaterThanOrEqual(Math.max(START, START + offset))
      }),
    )
  })
})

describe('a run counts', () => {
  test.each([
    ['created at the watermark', {}, false, true],
    ['created before it', { createdAt: START + 9999 }, false, false],
    ['with no time of creation', { createdAt: null }, false, false],
    ['dry', { movesData: false }, false, false],
    ['incremental, where full is asked for', {}, true, false],
    ['full, where full is asked for', { full: true }, true, true],
    ['full, where it need not be', { full: true }, false, true],
  ])('%s', (_name, overrides, full, expected) => {
    expect(counts(run(overrides), START + 10_000, full)).toBe(expected)
  })
})

describe('the moment the data was ready', () => {
  test('is five seconds after dbt’s newest build', () => {
    expect(readyAt(START, START + 60_000)).toBe(START + 5000)
  })

  test('is when the step began, where nothing is known of a build', () => {
    expect(readyAt(null, START)).toBe(START)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counts, ProviderClock, watermarkOf } from '../../src/core/watermark.ts'
import { run, START } from '../support/builders.ts'

/** The instant at which a step began, on the provider's clock, as late as it may be. */
const atLatest = (clock: ProviderClock) => watermarkOf(null, START, clock).readyAt()

/** What is learned of a clock that is so far ahead, from replies that are so long under way. */
function learn(
  offset: number,
  replies: readonly (readonly [pause: number, there: number, back: number])[],
  from = START,
) {
  const clock = new ProviderClock()
  let now = from
  for (const [pause, there, back] of replies) {
    const sentAt = now + pause
    const date = Math.floor((sentAt + there + offset) / 1000) * 1000
    now = sentAt + there + back
    clock.observe(date, sentAt, now)
  }
  return clock
}

describe("the provider's clock", () => {
  test('without any reply an instant stays what it is', () => {
    expect(atLatest(new ProviderClock())).toBe(START)
  })

  test('an instant is never moved to an earlier time', () => {
    const clock = new ProviderClock()
    clock.observe(START - 3_600_000, START, START + 100)
    expect(atLatest(clock)).toBe(START)
  })

  test('a clock that is an hour ahead moves it by an hour and the uncertainty of the header', () => {
    const clock = new ProviderClock()
    clock.observe(START + 3_600_000, START, START + 100)
    expect(atLatest(clock)).toBe(START + 3_600_000 + 1000)
  })

  test('later replies narrow the uncertainty', () => {
    const clock = new ProviderClock()
    clock.observe(START, START + 900, START + 950)
    clock.observe(START + 1000, START + 1050, START + 1100)
    expect(atLatest(clock)).toBe(START + 100)
  })

  test('a clock that is set in between is followed', () => {
    const clock = new ProviderClock()
    clock.observe(START, START, START + 10)
    clock.observe(START + 60_000, START + 10, START + 20)
    expect(atLatest(clock)).toBe(START + 60_990)
  })

  test('whatever the offset and the delays, the instant is never earlier than the truth', () => {
    const delays = fc.array(fc.tuple(fc.nat(5000), fc.nat(2000), fc.nat(2000)), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.integer({ min: -10_000_000, max: 10_000_000 }), delays, (offset, replies) => {
        const clock = learn(offset, replies)
        expect(atLatest(clock)).toBeGreaterThanOrEqual(Math.max(START, START + offset))
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
  const BUILT = START - 60_000
  const exact = (offset: number) => ({ ahead: { least: offset, most: offset } })

  test('is when the step began, where nothing is known of a build', () => {
    expect(watermarkOf(null, START, new ProviderClock()).readyAt()).toBe(START)
    expect(watermarkOf(null, START, exact(7000)).readyAt()).toBe(START + 7000)
    expect(watermarkOf(null, START, exact(-7000)).readyAt()).toBe(START)
    expect(watermarkOf(null, START, exact(-7000)).triggerAt()).toBe(START)
  })

  test.each([
    ['clocks that agree', 0, BUILT + 5000, BUILT + 5000],
    ['a provider that is ahead', 7000, BUILT + 12_000, BUILT + 5000],
    ['a provider that is behind', -7000, BUILT + 5000, BUILT + 12_000],
    ['a provider that is far behind', -700_000, BUILT + 5000, START + 10_000],
  ])('is five seconds after dbt’s newest build, with %s', (_name, offset, ready, trigger) => {
    const { readyAt, triggerAt } = watermarkOf(BUILT, START, exact(offset))
    expect([readyAt(), triggerAt()]).toEqual([ready, trigger])
  })

  // A provider that is behind by more than the step waits costs a needless run.
  const offsets = fc.integer({ min: -60_000, max: 60_000 })
  const replies = fc.array(fc.tuple(fc.nat(5000), fc.nat(1500), fc.nat(1500)), { minLength: 1, maxLength: 9 })

  test('whatever the clocks, a run that counts was created after the build', () => {
    fc.assert(
      fc.property(offsets, replies, (offset, seen) => {
        const { readyAt } = watermarkOf(BUILT, START, learn(offset, seen))
        expect(readyAt() - offset).toBeGreaterThan(BUILT)
        expect(readyAt()).toBeGreaterThanOrEqual(BUILT + 5000)
      }),
    )
  })

  test('whatever the clocks, the run of one attempt counts for the next', () => {
    fc.assert(
      fc.property(offsets, replies, replies, (offset, first, second) => {
        const created = watermarkOf(BUILT, START, learn(offset, first)).triggerAt() + offset
        expect(created).toBeGreaterThanOrEqual(
          watermarkOf(BUILT, START, learn(offset, second, START + 90_500)).readyAt(),
        )
      }),
    )
  })
})

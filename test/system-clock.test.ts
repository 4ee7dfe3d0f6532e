import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../src/system-clock.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1
const DAY = 24 * 60 * 60 * 1000

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A sleep, and whether it is over. */
function sleep(ms: number, signal?: AbortSignal) {
  const state = { over: false }
  void systemClock.sleep(ms, signal).then(() => {
    state.over = true
  })
  return state
}

describe('a sleep', () => {
  test.each([1, 50, 60_000, 7 * DAY])('of %d ms lasts that long, and no longer', async (ms) => {
    const nap = sleep(ms)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(nap.over).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(nap.over).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([0, -1, -DAY])('of %d ms is over at the next turn', async (ms) => {
    const nap = sleep(ms)
    await vi.advanceTimersByTimeAsync(1)
    expect(nap.over).toBe(true)
  })

  test('longer than a timer can be does not end at once, and asks no timer for more than it can', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const ms = 2 * LONGEST_TIMER_MS + 500
    const nap = sleep(ms)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(nap.over).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(nap.over).toBe(true)
    expect(timers.mock.calls.map(([, asked]) => asked)).toEqual([LONGEST_TIMER_MS, LONGEST_TIMER_MS, 500])
    timers.mockRestore()
  })

  test('without an end goes on until it is aborted', async () => {
    const abort = new AbortController()
    const nap = sleep(Number.POSITIVE_INFINITY, abort.signal)
    await vi.advanceTimersByTimeAsync(100 * DAY)
    expect(nap.over).toBe(false)
    abort.abort()
    await vi.advanceTimersByTimeAsync(0)
    expect(nap.over).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a signal', () => {
  test('that has aborted lets nobody sleep, and sets no timer', async () => {
    const nap = sleep(DAY, AbortSignal.abort())
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(0)
    expect(nap.over).toBe(true)
  })

  test.each([DAY, 60 * DAY])('that aborts ends a sleep of %d ms early, without an error', async (ms) => {
    const abort = new AbortController()
    const nap = sleep(ms, abort.signal)
    await vi.advanceTimersByTimeAsync(1000)
    expect(nap.over).toBe(false)
    abort.abort(new Error('stop'))
    await vi.advanceTimersByTimeAsync(0)
    expect(nap.over).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends every sleep that has it, and no other', async () => {
    const abort = new AbortController()
    const ours = [sleep(DAY, abort.signal), sleep(2 * DAY, abort.signal)]
    const other = sleep(DAY)
    abort.abort()
    await vi.advanceTimersByTimeAsync(0)
    expect(ours.map(({ over }) => over)).toEqual([true, true])
    expect(other.over).toBe(false)
  })

  test('keeps nothing of a sleep that is over', async () => {
    const { signal } = new AbortController()
    const naps = Array.from({ length: 50 }, () => sleep(1000, signal))
    expect(getEventListeners(signal, 'abort')).toHaveLength(50)
    await vi.advanceTimersByTimeAsync(1000)
    expect(naps.every(({ over }) => over)).toBe(true)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('the time', () => {
  test('since the start goes on when the wall clock is set', async () => {
    const began = systemClock.now()
    vi.setSystemTime(Date.UTC(2031, 0, 1))
    expect(systemClock.wall()).toBe(Date.UTC(2031, 0, 1))
    expect(systemClock.now()).toBe(began)
    await vi.advanceTimersByTimeAsync(5000)
    expect(systemClock.now() - began).toBe(5000)
  })
})

import { describe, expect, test } from 'vitest'
import { type Patience, poll } from '../../src/core/poll.ts'
import { ProviderError, type Trouble } from '../../src/core/provider.ts'
import { adaptive, every } from '../../src/core/schedule.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

type Look = string | Trouble

/** Looks at one word of the script after the other, the last one for ever; words of trouble are thrown. */
function scripted(script: Look[], clock: VirtualClock) {
  const looks: number[] = []
  const troubles = ['refused', 'missing', 'retired', 'rejected', 'unavailable'] as const
  const look = async () => {
    const word = script[Math.min(looks.length, script.length - 1)] ?? ''
    looks.push(clock.now())
    const trouble = troubles.find((kind) => kind === word)
    if (trouble !== undefined) throw new ProviderError(trouble, word)
    return word
  }
  return { looks, look }
}

function setUp(script: Look[], overrides: Partial<Patience> = {}) {
  const clock = new VirtualClock()
  const patience: Patience = {
    clock,
    schedule: every(10_000),
    deadline: 3_600_000,
    signal: new AbortController().signal,
    tolerate: ({ trouble }) => (trouble === 'missing' ? 60_000 : 900_000),
    ...overrides,
  }
  const { looks, look } = scripted(script, clock)
  return { clock, looks, run: () => clock.run(poll(look, (word) => word === 'completed', patience)) }
}

describe('the poll loop', () => {
  test('looks early, then at the interval, and stops with the look that satisfies', async () => {
    const { looks, run } = setUp(['queued', 'working', 'completed'])
    expect(await run()).toMatchObject({ end: 'done', value: 'completed' })
    expect(looks).toEqual([1000, 11_000, 21_000])
  })

  test('makes its last look half a second before the deadline and ends with what it saw', async () => {
    const { clock, looks, run } = setUp(['working'], { deadline: 25_000 })
    expect(await run()).toMatchObject({ end: 'deadline', last: 'working' })
    expect(looks).toEqual([1000, 11_000, 21_000, 24_500])
    expect(clock.now()).toBe(24_500)
  })

  test('ends at the deadline though a look never comes back', async () => {
    const clock = new VirtualClock()
    const hang = (signal: AbortSignal) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener('abort', () => reject(new ProviderError('unavailable', 'stopped')))
      })
    const patience = { clock, schedule: every(1000), signal: new AbortController().signal, tolerate: () => 900_000 }
    expect(await clock.run(poll(hang, () => true, { ...patience, deadline: 60_000 }))).toMatchObject({
      end: 'deadline',
    })
    expect(clock.now()).toBe(60_000)
  })

  test('looks no more once the signal aborts, also in the middle of a sleep', async () => {
    const stop = new AbortController()
    const { clock, looks, run } = setUp(['working'], { signal: stop.signal })
    clock.at(5000, () => stop.abort())
    expect(await run()).toMatchObject({ end: 'aborted', last: 'working' })
    expect(looks).toEqual([1000])
    expect(clock.now()).toBe(5000)
  })

  test('gives up on an outage when the tolerance is over, having made few requests', async () => {
    const { clock, looks, run } = setUp(['working', 'unavailable'])
    expect(await run()).toMatchObject({ end: 'lost' })
    expect(looks.filter((at) => at > 1000 && at <= 601_000).length).toBeLessThanOrEqual(40)
    // The tolerance counts from the first failure, and the end comes exactly with it.
    expect(clock.now()).toBe((looks[1] ?? 0) + 900_000)
  })

  test('a good look in between starts the tolerance anew', async () => {
    const script: Look[] = [
      ...Array<Look>(10).fill('unavailable'),
      'working',
      ...Array<Look>(10).fill('unavailable'),
      'completed',
    ]
    const { run } = setUp(script, { tolerate: () => 300_000 })
    expect(await run()).toMatchObject({ end: 'done' })
  })

  test('believes "no such run" only after a minute of it', async () => {
    const { clock, run } = setUp(['working', 'missing'], {
      tolerate: ({ trouble }) => (trouble === 'missing' ? 60_000 : 0),
    })
    expect(await run()).toMatchObject({ end: 'lost', error: { trouble: 'missing' } })
    expect(clock.now()).toBe(11_000 + 60_000)
  })

  test('a run that appears late is no trouble', async () => {
    const { run } = setUp(['missing', 'missing', 'missing', 'completed'])
    expect(await run()).toMatchObject({ end: 'done' })
  })

  test('other trouble in between interrupts the row of "no such run"', async () => {
    const script: Look[] = ['missing', 'missing', 'unavailable', 'missing', 'missing', 'completed']
    const { run } = setUp(script, { tolerate: ({ trouble }) => (trouble === 'missing' ? 31_000 : 900_000) })
    expect(await run()).toMatchObject({ end: 'done' })
  })

  test('stops at once for trouble that is not tolerated', async () => {
    const { looks, run } = setUp(['refused'], { tolerate: () => 0 })
    expect(await run()).toMatchObject({ end: 'lost', error: { trouble: 'refused' } })
    expect(looks).toHaveLength(1)
  })

  test('makes no look at all after the deadline', async () => {
    const { looks, run } = setUp(['completed'], { deadline: 0 })
    expect(await run()).toMatchObject({ end: 'deadline' })
    expect(looks).toEqual([])
  })

  test('an error that is none of the provider passes through', async () => {
    const clock = new VirtualClock()
    const patience = {
      clock,
      schedule: every(1),
      deadline: 1000,
      signal: new AbortController().signal,
      tolerate: () => 0,
    }
    const bug = async () => {
      throw new TypeError('a bug')
    }
    await expect(clock.run(poll(bug, () => true, patience))).rejects.toThrow('a bug')
  })
})

describe('the adaptive schedule', () => {
  test('looks often at first and seldom later, never rarer than every 30 s', () => {
    const minutes = (count: number) => Math.round(adaptive(count * 60_000, 1) / 1000)
    expect([adaptive(0, 0), adaptive(500, 1)]).toEqual([1000, 2000])
    expect([1, 10, 60, 600].map(minutes)).toEqual([7, 14, 23, 30])
  })

  test('a fixed interval below a second also shortens the first look', () => {
    expect([every(50)(0, 0), every(50)(0, 1), every(60_000)(0, 0)]).toEqual([50, 50, 1000])
  })
})

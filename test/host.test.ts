import { describe, expect, test } from 'vitest'
import { ProviderError } from '../src/core/provider.ts'
import { Host } from '../src/host.ts'
import { type Http, type Reply, TransportError } from '../src/http.ts'
import { VirtualClock } from './support/virtual-clock.ts'

type Answer = { status: number; headers?: Record<string, string> } | TransportError

/** A host whose answers come one after the other from a list, the last one for ever, each after `latencyMs`. */
function setUp(answers: Answer[], latencyMs = 10) {
  const clock = new VirtualClock()
  const sent: { at: number; method: string; url: string; headers: Readonly<Record<string, string>> }[] = []
  const dates: number[][] = []
  let inFlight = 0
  const peaks = { inFlight: 0 }
  const http: Http = {
    async send({ method, url, headers, signal }): Promise<Reply> {
      if (signal.aborted) throw new TransportError('stopped', false)
      const answer = answers[Math.min(sent.length, answers.length - 1)] ?? { status: 200 }
      sent.push({ at: clock.now(), method, url, headers })
      inFlight += 1
      peaks.inFlight = Math.max(peaks.inFlight, inFlight)
      const sentAt = clock.wall()
      await clock.sleep(latencyMs, signal)
      inFlight -= 1
      if (answer instanceof TransportError) throw answer
      return { status: answer.status, headers: answer.headers ?? {}, text: '', sentAt, receivedAt: clock.wall() }
    },
  }
  const host = new Host(http, {
    baseUrl: 'https://census.example',
    headers: { authorization: 'Bearer t' },
    clock,
    onDate: (...times) => dates.push(times),
  })
  return { clock, host, sent, dates, peaks }
}

const calm = new AbortController().signal
const ok = { status: 200 }
const busy = (seconds?: string) => ({ status: 429, headers: seconds === undefined ? {} : { 'retry-after': seconds } })

describe('a host', () => {
  test('is asked at its address, with the credentials', async () => {
    const { clock, host, sent } = setUp([ok])
    await clock.run(host.get('/api/v1/syncs/1', calm))
    await clock.run(host.post('/api/v1/syncs/1/trigger', calm))
    expect(sent).toMatchObject([
      { method: 'GET', url: 'https://census.example/api/v1/syncs/1', headers: { authorization: 'Bearer t' } },
      { method: 'POST', url: 'https://census.example/api/v1/syncs/1/trigger' },
    ])
  })

  test('tells the time with every answer that has one', async () => {
    const { clock, host, dates } = setUp([
      { status: 200, headers: { date: 'Tue, 24 Nov 2026 03:00:05 GMT' } },
      { status: 200, headers: { date: 'no date' } },
    ])
    const began = clock.wall()
    await clock.run(host.get('/a', calm))
    await clock.run(host.get('/b', calm))
    expect(dates).toEqual([[Date.UTC(2026, 10, 24, 3, 0, 5), began, began + 10]])
  })

  test('has at most 32 requests to answer at once', async () => {
    const { clock, host, peaks, sent } = setUp([ok])
    await clock.run(Promise.all(Array.from({ length: 200 }, (_, index) => host.get(`/${index}`, calm))))
    expect(sent).toHaveLength(200)
    expect(peaks.inFlight).toBe(32)
  })

  test('that does not answer is unavailable to a read, and as it is to a write', async () => {
    const { clock, host } = setUp([new TransportError('the connection was refused', false)])
    await expect(clock.run(host.get('/a', calm))).rejects.toMatchObject({
      name: 'ProviderError',
      trouble: 'unavailable',
      message: 'the connection was refused',
    })
    await expect(clock.run(host.post('/a', calm))).rejects.toBeInstanceOf(TransportError)
    await expect(clock.run(host.get('/a', calm))).rejects.toBeInstanceOf(ProviderError)
  })
})

describe('a host that throttles', () => {
  test('closes its gate for everybody, for as long as it says', async () => {
    const { clock, host, sent } = setUp([busy('7'), ok])
    const first = host.get('/first', calm)
    clock.at(1000, () => void host.get('/second', calm))
    expect((await clock.run(first)).status).toBe(200)
    await clock.run(clock.sleep(10_000))
    expect(sent.map(({ at }) => at)).toEqual([0, 7010, 7010])
    expect(host.closedForMs).toBe(0)
  })

  test('and does not say for how long, is given ever more time', async () => {
    const { clock, host, sent } = setUp([busy(), busy(), busy(), busy(), ok])
    await clock.run(host.get('/a', calm))
    const pauses = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0) - 10)
    expect(pauses).toEqual([1000, 2000, 4000, 8000])
  })

  test('gets a write but once: what that means is for the caller to say', async () => {
    const { clock, host, sent } = setUp([busy('7'), ok])
    expect((await clock.run(host.post('/a', calm))).status).toBe(429)
    expect(sent).toHaveLength(1)
    expect(host.closedForMs).toBe(7000)
  })

  test('with 503 and Retry-After closes its gate too, and hands the answer on', async () => {
    const { clock, host } = setUp([{ status: 503, headers: { 'retry-after': '5' } }, { status: 503 }])
    expect((await clock.run(host.get('/a', calm))).status).toBe(503)
    expect(host.closedForMs).toBe(5000)
    await clock.run(host.get('/b', calm))
    expect(host.closedForMs).toBe(0)
  })

  test('is asked by half as many at once after each refusal, and by more again with each answer', async () => {
    const refusals = Array.from({ length: 32 }, () => busy('1'))
    const { clock, host, peaks, sent } = setUp([...refusals, ok])
    await clock.run(Promise.all(Array.from({ length: 32 }, (_, index) => host.get(`/${index}`, calm))))
    expect(sent).toHaveLength(64)
    peaks.inFlight = 0
    await clock.run(Promise.all(Array.from({ length: 4 }, (_, index) => host.get(`/more/${index}`, calm))))
    expect(peaks.inFlight).toBeLessThanOrEqual(4)
    await clock.run(Promise.all(Array.from({ length: 800 }, (_, index) => host.get(`/many/${index}`, calm))))
    expect(peaks.inFlight).toBe(32)
  })

  test('keeps nobody who has stopped waiting', async () => {
    const stop = new AbortController()
    const { clock, host, sent } = setUp([busy('3600'), ok])
    const asked = host.get('/a', stop.signal)
    clock.at(5000, () => stop.abort())
    await expect(clock.run(asked)).rejects.toBeInstanceOf(ProviderError)
    expect(clock.now()).toBe(5000)
    expect(sent).toHaveLength(1)
  })
})

import { describe, expect, test } from 'vitest'
import { ProviderError } from '../src/core/provider.ts'
import { Host } from '../src/host.ts'
import { type Http, type Reply, type Request, TransportError } from '../src/http.ts'
import { VirtualClock } from './support/virtual-clock.ts'

type Answer = { status: number; headers?: Record<string, string> } | Error

/** A host whose answers come one after the other from a list, the last one for ever, each after `latencyMs`. */
function setUp(answers: Answer[], latencyMs = 10) {
  const clock = new VirtualClock()
  const sent: (Pick<Request, 'method' | 'url' | 'headers' | 'timeoutMs'> & { at: number })[] = []
  const dates: number[][] = []
  const pauses: number[] = []
  const outages: string[] = []
  let inFlight = 0
  const peaks = { inFlight: 0 }
  const http: Http = {
    async send({ method, url, headers, timeoutMs, signal }): Promise<Reply> {
      if (signal.aborted) throw new TransportError('stopped', false)
      const answer = answers[Math.min(sent.length, answers.length - 1)] ?? { status: 200 }
      sent.push({ at: clock.now(), method, url, headers, timeoutMs })
      inFlight += 1
      peaks.inFlight = Math.max(peaks.inFlight, inFlight)
      const sentAt = clock.wall()
      await clock.sleep(latencyMs, signal)
      inFlight -= 1
      if (answer instanceof Error) throw answer
      return { status: answer.status, headers: answer.headers ?? {}, text: '', sentAt, receivedAt: clock.wall() }
    },
  }
  const host = new Host(http, {
    baseUrl: 'https://census.example',
    headers: { authorization: 'Bearer t' },
    secrets: [],
    clock,
    onDate: (...times) => dates.push(times),
    onPause: (ms) => pauses.push(ms),
    onOutage: (why) => outages.push(why),
  })
  return { clock, host, sent, dates, peaks, pauses, outages }
}

const calm = new AbortController().signal
const ok = { status: 200 }
const busy = (seconds?: string) => ({ status: 429, headers: seconds === undefined ? {} : { 'retry-after': seconds } })

describe('a host', () => {
  test('tells of a long wait that was asked for, once for all who are told of it', async () => {
    const { clock, host, pauses } = setUp([busy('600'), busy('600'), busy('2'), ok], 100)
    await clock.run(Promise.all([host.get('/a', calm), host.get('/b', calm)]))
    expect(pauses).toEqual([600_000])
  })

  test('tells of an outage once, and those who wait the same as those who have asked', async () => {
    const { clock, host, outages } = setUp([{ status: 503 }])
    const seen = new Set<string>()
    const ask = async () => {
      for (let look = 0; look < 6; look += 1) {
        const said = await host.get('/a', calm).then(
          ({ status }) => `${status}`,
          (error: unknown) => (error instanceof ProviderError ? `${error.message}, ${error.hint}` : 'something else'),
        )
        seen.add(said)
      }
    }
    await clock.run(Promise.all([ask(), ask(), ask(), ask(), ask(), ask()]))
    expect(outages).toEqual(['the provider is not available (HTTP 503)'])
    // Some have an answer, and the others are told what it was: nobody is sent to look for a fault on this side.
    expect([...seen].toSorted()).toEqual(['503', 'the provider is not available (HTTP 503), outage'])
  })

  test('is set up wrongly only as long as it has never answered', async () => {
    const unknown = new TransportError('the host name is not known', false, undefined, true)
    const { clock, host } = setUp([unknown, ok, unknown])
    await expect(clock.run(host.get('/a', calm))).rejects.toMatchObject({ trouble: 'unreachable' })
    await clock.run(host.get('/a', calm))
    await expect(clock.run(host.get('/a', calm))).rejects.toMatchObject({ trouble: 'unavailable' })
  })

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

  test('has at most 16 requests to answer at once', async () => {
    const { clock, host, peaks, sent } = setUp([ok])
    await clock.run(Promise.all(Array.from({ length: 200 }, (_, index) => host.get(`/${index}`, calm))))
    expect(sent).toHaveLength(200)
    expect(peaks.inFlight).toBe(16)
  })

  test('lets through what is no failure of the network as it is: a slip of ours is no outage', async () => {
    const { clock, host } = setUp([new TypeError('a bug')])
    await expect(clock.run(host.get('/a', calm))).rejects.toThrow(new TypeError('a bug'))
    await expect(clock.run(host.post('/a', calm))).rejects.toThrow(new TypeError('a bug'))
  })

  test('gives a read half a minute unless told otherwise, and a write a whole one', async () => {
    const { clock, host, sent } = setUp([ok])
    await clock.run(host.get('/a', calm))
    await clock.run(host.getOnce('/a', calm, 5000))
    await clock.run(host.post('/a', calm))
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([30_000, 5000, 60_000])
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

  test('is given ever more time up to a minute and a half, and a second again after an answer', async () => {
    const { clock, host, sent } = setUp([...Array(9).fill(busy()), ok, busy(), ok])
    await clock.run(host.get('/a', calm))
    await clock.run(host.get('/b', calm))
    const pauses = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0) - 10)
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 90_000, 90_000, 0, 1000])
  })

  test('and says "at once" again and again is given time all the same', async () => {
    const { clock, host, sent } = setUp([...Array(8).fill(busy('0')), ok])
    await clock.run(host.get('/a', calm))
    const pauses = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0) - 10)
    expect(Math.max(...pauses)).toBeGreaterThanOrEqual(1000)
  })

  test('with a date is held against its own clock, which is an hour slow', async () => {
    const headers = { date: 'Tue, 24 Nov 2026 02:00:00 GMT', 'retry-after': 'Tue, 24 Nov 2026 02:00:30 GMT' }
    const { clock, host } = setUp([{ status: 429, headers }])
    await clock.run(host.post('/a', calm))
    expect(host.closedForMs).toBe(30_000)
  })

  test('says of everybody who had to wait for how long, whoever had been refused', async () => {
    const { clock, host } = setUp([busy('100'), ok, { status: 503 }])
    const [first, second] = await clock.run(
      Promise.all([host.get('/a', calm), clock.sleep(20_000).then(() => host.get('/b', calm))]),
    )
    expect(first.heldMs).toBe(100_000)
    expect(second.heldMs).toBeGreaterThan(79_000)
    expect(second.heldMs).toBeLessThanOrEqual(80_010)
    expect((await clock.run(host.get('/c', calm))).heldMs).toBe(0)
    // With 503 it is an outage, however long the host asks to wait.
    const away = setUp([{ status: 503, headers: { 'retry-after': '100' } }, ok])
    await away.clock.run(away.host.get('/a', calm))
    expect((await away.clock.run(away.host.get('/b', calm))).heldMs).toBe(0)
    expect(away.clock.now()).toBeGreaterThan(100_000)
  })

  test('a short wait does not open the gate that a longer one has closed', async () => {
    const { clock, host, sent } = setUp([busy('60'), busy('2'), ok])
    await clock.run(Promise.all([host.post('/a', calm), host.post('/b', calm)]))
    expect(host.closedForMs).toBe(60_000)
    await clock.run(host.post('/c', calm))
    expect(sent.at(-1)?.at).toBe(60_010)
  })

  test.each([200, 202, 404, 500, 502])('a Retry-After with HTTP %i closes nothing', async (status) => {
    const { clock, host } = setUp([{ status, headers: { 'retry-after': '60' } }])
    await clock.run(host.get('/a', calm))
    expect(host.closedForMs).toBe(0)
  })

  test.each([
    [0, 16],
    [1, 8],
    [2, 4],
    [3, 2],
    [4, 1],
    [9, 1],
  ])('after %i refusals is asked at most %i things at once', async (refusals, most) => {
    const { clock, host, peaks } = setUp([...Array(refusals).fill(busy('1')), ok])
    for (let count = 0; count < refusals; count += 1) await clock.run(host.post('/a', calm))
    await clock.run(Promise.all(Array.from({ length: most + 1 }, (_, index) => host.get(`/${index}`, calm))))
    expect(peaks.inFlight).toBe(most)
  })

  test('is asked more and more again, with every answer that is no refusal', async () => {
    const { clock, host, peaks } = setUp([...Array(5).fill(busy('1')), ok])
    for (let count = 0; count < 5; count += 1) await clock.run(host.post('/a', calm))
    const peakAfter = async (answers: number) => {
      for (let count = 0; count < answers; count += 1) await clock.run(host.get('/a', calm))
      peaks.inFlight = 0
      await clock.run(Promise.all(Array.from({ length: 17 }, (_, index) => host.get(`/${index}`, calm))))
      return peaks.inFlight
    }
    const early = await peakAfter(3)
    const later = await peakAfter(30)
    expect([early > 1, early < later, later < 16]).toEqual([true, true, true])
    expect(await peakAfter(600)).toBe(16)
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

  test('sends no write for somebody who has stopped waiting', async () => {
    const stop = new AbortController()
    const { clock, host, sent } = setUp([busy('3600'), ok])
    await clock.run(host.post('/a', calm))
    const asked = host.post('/b', stop.signal)
    clock.at(5000, () => stop.abort())
    await expect(clock.run(asked)).rejects.toMatchObject({ name: 'TransportError', sent: false })
    expect(clock.now()).toBe(5000)
    expect(sent).toHaveLength(1)
  })
})

describe('a crowd of requests', () => {
  test('that is refused at once was refused once', async () => {
    const { clock, host } = setUp([...Array(16).fill(busy()), ok])
    const crowd = Promise.all(Array.from({ length: 16 }, (_, index) => host.get(`/${index}`, calm)))
    clock.at(11, () => expect(host.closedForMs).toBeLessThanOrEqual(1000))
    await clock.run(crowd)
    expect(clock.now()).toBeLessThan(2000)
  })

  test('leaves nobody in the queue who has stopped waiting', async () => {
    const stop = new AbortController()
    const { clock, host, sent } = setUp([ok], 60_000)
    const crowd = Promise.all(Array.from({ length: 16 }, (_, index) => host.get(`/${index}`, calm)))
    const late = host.post('/late', stop.signal)
    clock.at(5000, () => stop.abort())
    await expect(clock.run(late)).rejects.toMatchObject({ name: 'TransportError', sent: false })
    expect(clock.now()).toBe(5000)
    await clock.run(crowd)
    expect(sent.some(({ url }) => url.endsWith('/late'))).toBe(false)
  })
})

describe('an outage of the host', () => {
  const down = { status: 502 }
  const unreachable = new TransportError('the connection was refused', false)
  const failed = (asked: Promise<unknown>) =>
    asked.then(
      () => 'answered',
      () => 'failed',
    )

  test.each([
    ['answers of its own', down],
    ['a network that is down', unreachable],
  ])('%s: a few failures in a row close the gate for everybody', async (_name, answer) => {
    const { clock, host, sent } = setUp([answer])
    for (let count = 0; count < 4; count += 1) await clock.run(failed(host.get('/a', calm)))
    expect(host.closedForMs).toBe(0)
    await clock.run(failed(host.get('/a', calm)))
    expect(host.closedForMs).toBe(1000)
    expect(sent).toHaveLength(5)
  })

  test('one request asks for all of them: while it fails nobody else is sent', async () => {
    const { clock, host, sent } = setUp([down])
    for (let count = 0; count < 5; count += 1) await clock.run(host.get('/a', calm))
    const crowd = Array.from({ length: 300 }, (_, index) => failed(host.get(`/${index}`, calm)))
    const ends = await clock.run(Promise.all(crowd))
    expect(sent).toHaveLength(6)
    expect(ends.filter((end) => end === 'failed')).toHaveLength(299)
  })

  test('once it is answered all others follow', async () => {
    const { clock, host, sent } = setUp([...Array(5).fill(down), ok])
    for (let count = 0; count < 5; count += 1) await clock.run(host.get('/a', calm))
    const crowd = Array.from({ length: 300 }, (_, index) => host.get(`/${index}`, calm))
    await clock.run(Promise.all(crowd))
    expect(sent).toHaveLength(305)
  })

  test('costs ever fewer requests, whoever asks and however often', async () => {
    const { clock, host, sent } = setUp([down])
    const ask = async () => {
      while (clock.now() < 600_000) {
        await failed(host.get('/a', calm))
        await clock.sleep(500)
      }
    }
    await clock.run(Promise.all(Array.from({ length: 200 }, ask)))
    expect(sent.length).toBeLessThanOrEqual(40)
  })

  test('holds writes back, too, and says that they were not sent', async () => {
    const { clock, host, sent } = setUp([down])
    for (let count = 0; count < 5; count += 1) await clock.run(host.get('/a', calm))
    const [probe, write] = await clock.run(Promise.allSettled([host.get('/probe', calm), host.post('/trigger', calm)]))
    expect(probe).toMatchObject({ status: 'fulfilled', value: { status: 502 } })
    expect(write).toMatchObject({ status: 'rejected', reason: { name: 'TransportError', sent: false } })
    expect(sent.some(({ method }) => method === 'POST')).toBe(false)
  })

  test('is not what a few answers of another kind in between make it', async () => {
    const { clock, host } = setUp([down, down, down, down, { status: 404 }, down, down, down, down, ok])
    for (let count = 0; count < 9; count += 1) await clock.run(host.get('/a', calm))
    expect(host.closedForMs).toBe(0)
  })

  test('is none where it was us who stopped', async () => {
    const stop = new AbortController()
    const { clock, host } = setUp([ok], 1000)
    const crowd = Array.from({ length: 10 }, () => failed(host.get('/a', stop.signal)))
    clock.at(500, () => stop.abort())
    await clock.run(Promise.all(crowd))
    expect(host.closedForMs).toBe(0)
    expect((await clock.run(host.get('/a', calm))).status).toBe(200)
  })

  test('keeps nobody who has stopped waiting for the one that asks', async () => {
    const stop = new AbortController()
    const { clock, host } = setUp([down], 5000)
    for (let count = 0; count < 5; count += 1) await clock.run(host.get('/a', calm))
    const probe = host.get('/probe', calm)
    const waiting = failed(host.get('/a', stop.signal))
    const began = clock.now()
    clock.at(began + 2000, () => stop.abort())
    expect(await clock.run(waiting)).toBe('failed')
    expect(clock.now() - began).toBe(2000)
    await clock.run(probe)
  })
})

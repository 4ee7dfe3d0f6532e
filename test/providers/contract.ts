import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Provider, ProviderError, Relation, Trouble } from '../../src/core/provider.ts'
import type { Fault } from '../simulator/index.ts'

/** What the shared suite asks of a provider's simulator. */
export interface Stage extends AsyncDisposable {
  provider: Provider
  /** The same provider with a token that nobody knows. */
  stranger: Provider
  /** The same provider at an address where nobody listens. */
  unreachable: Provider
  /** Ids of a sync that is there, of a paused one, and of one that is not. */
  sync: { id: string; name: string; destination: string; source: Relation }
  paused: string
  missing: string
  missingRun: string
  /** Moves the provider's clock. */
  pass(ms: number): void
  /** How the next triggered run goes; it takes a minute. */
  script(how: 'completes' | 'fails' | 'is cancelled' | 'is skipped' | 'hibernates'): void
  /** A run of somebody else that is going on, or a dry run that is over. */
  startRun(kind: 'going' | 'dry'): string
  failNext(request: 'read' | 'history' | 'describe' | 'trigger' | 'cancel', fault: Fault): void
  /** How many requests came, of every kind. */
  requests(): number
  /** How many runs were triggered. */
  created(): number
  wasCancelled(runId: string): boolean
  /** What no correct client would do. */
  problems: readonly string[]
}

const calm = new AbortController().signal
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** What every provider has to do, whatever its API is like. */
export function describeProvider(name: string, setUp: () => Promise<Stage>): void {
  describe(name, () => {
    let stage: Stage
    beforeEach(async () => {
      stage = await setUp()
      // A run of its sync is read first, as the action always does: a provider may learn from it how to go on.
      await stage.provider.history(stage.sync.id, calm)
    })
    afterEach(async () => {
      expect(stage.problems).toEqual([])
      await stage[Symbol.asyncDispose]()
    })

    const trigger = async (full = false) => {
      const answer = await stage.provider.trigger(stage.sync.id, { full }, calm)
      if (answer.kind !== 'accepted') throw new Error(`the trigger was ${answer.kind}`)
      return answer.runId
    }

    test('describes a sync', async () => {
      expect(await stage.provider.describe(stage.sync.id, calm)).toEqual({ ...stage.sync, paused: false })
      expect(await stage.provider.describe(stage.paused, calm)).toMatchObject({ paused: true })
      expect(new URL(stage.provider.link(stage.sync.id)).pathname).toContain(stage.sync.id)
    })

    test('lists all syncs, where it can', async () => {
      const page = await stage.provider.list?.(1, calm)
      if (page === undefined) return
      expect(page.more).toBe(false)
      expect(page.syncs.map(({ id, paused }) => [id, paused]).sort()).toEqual([
        [stage.sync.id, false],
        [stage.paused, true],
      ])
      expect(page.syncs.find(({ id }) => id === stage.sync.id)?.source).toEqual(stage.sync.source)
    })

    test('reads a run through its whole life', async () => {
      stage.script('completes')
      const runId = await trigger()
      expect(await stage.provider.read(runId, calm)).toMatchObject({
        id: runId,
        syncId: stage.sync.id,
        state: 'queued',
        finishedAt: null,
        movesData: true,
        byApi: true,
        full: false,
      })
      stage.pass(30_000)
      expect(await stage.provider.read(runId, calm)).toMatchObject({
        state: 'running',
        counts: { processed: null, succeeded: null, failed: null },
      })
      stage.pass(31_000)
      const run = await stage.provider.read(runId, calm)
      expect(run).toMatchObject({
        state: 'succeeded',
        counts: { processed: 120, succeeded: 117, failed: 3, invalid: 0 },
      })
      expect((run.finishedAt ?? 0) - (run.createdAt ?? 0)).toBe(60_000)
    })

    test('starts one run with one request', async () => {
      const before = stage.requests()
      await trigger()
      expect([stage.requests() - before, stage.created()]).toEqual([1, 1])
    })

    test('a trigger with a token that nobody knows is rejected', async () => {
      expect(await stage.stranger.trigger(stage.sync.id, { full: false }, calm)).toMatchObject({
        kind: 'rejected',
        error: { trouble: 'refused' },
      })
      expect(stage.created()).toBe(0)
    })

    test('a read that has to wait because the provider is throttling stops when told to', async () => {
      stage.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '3600' } })
      await stage.provider.trigger(stage.sync.id, { full: false }, calm)
      const before = stage.requests()
      const stop = new AbortController()
      const asked = stage.provider.history(stage.sync.id, stop.signal).catch((error: ProviderError) => error.trouble)
      await nextTurn()
      stop.abort()
      expect(await asked).toBe('unavailable')
      expect(stage.requests()).toBe(before)
    })

    test('says that a full run was full', async () => {
      expect(await stage.provider.read(await trigger(true), calm)).toMatchObject({ full: true })
    })

    test.each([
      ['fails', { state: 'failed', message: 'The object is locked', detail: 'row 7 of "jane"' }],
      ['is cancelled', { state: 'cancelled' }],
      ['is skipped', { state: 'skipped', status: 'skipped' }],
      ['hibernates', { state: 'unrecognized', status: 'hibernating', finishedAt: null }],
    ] as const)('a run that %s', async (how, expected) => {
      stage.script(how)
      const runId = await trigger()
      stage.pass(61_000)
      expect(await stage.provider.read(runId, calm)).toMatchObject(expected)
    })

    test('lists the runs of a sync, newest first', async () => {
      const dry = stage.startRun('dry')
      stage.pass(120_000)
      const runId = await trigger()
      const history = await stage.provider.history(stage.sync.id, calm)
      expect(history.slice(0, 2)).toMatchObject([
        { id: runId, movesData: true, byApi: true, syncId: stage.sync.id },
        { id: dry, movesData: false, state: 'succeeded' },
      ])
    })

    test.each<[string, () => Promise<unknown>, Trouble]>([
      ['a sync that is not there', () => stage.provider.describe(stage.missing, calm), 'missing'],
      ['the runs of a sync that is not there', () => stage.provider.history(stage.missing, calm), 'missing'],
      ['a run that is not there', () => stage.provider.read(stage.missingRun, calm), 'missing'],
      [
        'the runs of a sync, for a token that nobody knows',
        () => stage.stranger.history(stage.sync.id, calm),
        'refused',
      ],
      ['a sync, for a token that nobody knows', () => stage.stranger.describe(stage.sync.id, calm), 'refused'],
      ['a run, for a token that nobody knows', () => stage.stranger.read(stage.startRun('going'), calm), 'refused'],
    ])('%s', async (_name, ask, trouble) => {
      await expect(ask()).rejects.toMatchObject({ name: 'ProviderError', trouble })
    })

    test.each<[string, Fault]>([
      ['HTTP 500', { kind: 'respond', status: 500 }],
      ['HTTP 502 with a page', { kind: 'respond', status: 502, body: '<html>Bad gateway</html>' }],
      ['HTTP 503', { kind: 'respond', status: 503 }],
      ['HTTP 408', { kind: 'respond', status: 408 }],
      ['a login page with HTTP 200', { kind: 'respond', status: 200, body: '<!doctype html><title>Sign in</title>' }],
      ['nothing with HTTP 200', { kind: 'respond', status: 200, body: '' }],
      ['HTTP 204', { kind: 'respond', status: 204 }],
      ['JSON that is something else', { kind: 'respond', status: 200, body: '[1, null, {"a": []}]' }],
      ['half an answer', { kind: 'truncate' }],
      ['half an answer that looks whole', { kind: 'truncate', length: 'undeclared' }],
      ['a reset', { kind: 'reset', when: 'after' }],
    ])('a read that gets %s may be tried again', async (_name, fault) => {
      const going = stage.startRun('going')
      for (const [request, ask] of [
        ['read', () => stage.provider.read(going, calm)],
        ['history', () => stage.provider.history(stage.sync.id, calm)],
        ['describe', () => stage.provider.describe(stage.sync.id, calm)],
      ] as const) {
        stage.failNext(request, fault)
        await expect(ask(), request).rejects.toMatchObject({ name: 'ProviderError', trouble: 'unavailable' })
      }
    })

    test.each([400, 401, 402, 403, 404, 405, 410, 413, 415, 422])(
      'a trigger that gets HTTP %i was rejected, and the provider is quoted',
      async (status) => {
        stage.failNext('trigger', { kind: 'respond', status, body: '{"status":"error","message":"Not like this"}' })
        expect(await stage.provider.trigger(stage.sync.id, { full: false }, calm)).toMatchObject({
          kind: 'rejected',
          error: { message: expect.stringContaining(`HTTP ${status}`), detail: 'Not like this' },
        })
      },
    )

    test.each<[string, Fault]>([
      ...[408, 500, 502, 503, 504, 520].map((status): [string, Fault] => [
        `HTTP ${status}`,
        { kind: 'respond-after', status },
      ]),
      ['a reset', { kind: 'reset', when: 'after' }],
      ['a reset before it was read', { kind: 'reset', when: 'before' }],
      ['half an answer', { kind: 'truncate' }],
      ['an answer without a run', { kind: 'respond-after', status: 200, body: '{"status":"success","data":{}}' }],
      ['an empty answer', { kind: 'respond-after', status: 200, body: '' }],
      ['a page', { kind: 'respond-after', status: 200, body: '<html></html>' }],
    ])('a trigger that gets %s is ambiguous', async (_name, fault) => {
      stage.failNext('trigger', fault)
      expect(await stage.provider.trigger(stage.sync.id, { full: false }, calm)).toMatchObject({
        kind: 'ambiguous',
        resend: false,
      })
      expect(stage.created()).toBeLessThanOrEqual(1)
    })

    test('a trigger that is throttled was not sent, and says when to come again', async () => {
      stage.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '9' } })
      const answer = await stage.provider.trigger(stage.sync.id, { full: false }, calm)
      expect(answer).toMatchObject({ kind: 'not-sent', error: { trouble: 'unavailable', retryAfterMs: 9000 } })
      expect(stage.created()).toBe(0)
    })

    test('a trigger that is put off with a time may be sent once more', async () => {
      stage.failNext('trigger', { kind: 'respond', status: 503, headers: { 'retry-after': '9' } })
      expect(await stage.provider.trigger(stage.sync.id, { full: false }, calm)).toMatchObject({
        kind: 'ambiguous',
        resend: true,
      })
    })

    test.each([300, 301, 302, 303, 307, 308])(
      'HTTP %i is followed by nobody, so the token goes nowhere else',
      async (status) => {
        const arrived: string[] = []
        const other = createServer((request, response) => {
          arrived.push(`${request.method} ${request.url} ${request.headers.authorization}`)
          response.end('{}')
        }).listen(0, '127.0.0.1')
        await once(other, 'listening')
        const address = other.address()
        const location = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/api`
        stage.failNext('trigger', { kind: 'respond', status, headers: { location } })
        expect(await stage.provider.trigger(stage.sync.id, { full: false }, calm)).toMatchObject({
          kind: 'rejected',
          busy: false,
        })
        for (const [request, ask] of [
          ['history', () => stage.provider.history(stage.sync.id, calm)],
          ['describe', () => stage.provider.describe(stage.sync.id, calm)],
          ['cancel', () => stage.provider.cancel?.(stage.missingRun, calm)],
        ] as const) {
          stage.failNext(request, { kind: 'respond', status, headers: { location } })
          await expect(ask(), request).rejects.toMatchObject({ trouble: 'rejected' })
        }
        other.close()
        expect(arrived).toEqual([])
      },
    )

    test('what nobody can have received is told apart from what was lost', async () => {
      const { unreachable: provider, sync } = stage
      expect(await provider.trigger(sync.id, { full: false }, calm)).toMatchObject({
        kind: 'not-sent',
        error: { trouble: 'unavailable', retryAfterMs: null },
      })
      await expect(provider.history(sync.id, calm)).rejects.toMatchObject({ trouble: 'unavailable' })
      await expect(provider.cancel?.(stage.missingRun, calm)).rejects.toMatchObject({ trouble: 'unavailable' })
    })

    test('cancels a run, and says so when that does not work', async () => {
      const runId = stage.startRun('going')
      await stage.provider.cancel?.(runId, calm)
      expect(stage.wasCancelled(runId)).toBe(true)
      stage.failNext('cancel', { kind: 'respond', status: 500 })
      await expect(stage.provider.cancel?.(runId, calm)).rejects.toMatchObject({ trouble: 'unavailable' })
      stage.failNext('cancel', { kind: 'reset', when: 'before' })
      await expect(stage.provider.cancel?.(runId, calm)).rejects.toMatchObject({ trouble: 'unavailable' })
    })

    test('asks nothing any more once it was told to stop', async () => {
      const stopped = AbortSignal.abort()
      const before = stage.requests()
      expect(await stage.provider.trigger(stage.sync.id, { full: false }, stopped)).toMatchObject({ kind: 'not-sent' })
      for (const ask of [
        () => stage.provider.read(stage.missingRun, stopped),
        () => stage.provider.history(stage.sync.id, stopped),
        () => stage.provider.describe(stage.sync.id, stopped),
        () => stage.provider.cancel?.(stage.missingRun, stopped),
      ])
        await expect(ask()).rejects.toMatchObject({ name: 'ProviderError', trouble: 'unavailable' })
      expect(stage.requests()).toBe(before)
    })

    test.each(['read', 'history', 'describe', 'trigger', 'cancel'] as const)(
      'stops at once when told to: %s',
      async (request) => {
        stage.failNext(request, { kind: 'hang', when: 'before' })
        const stop = new AbortController()
        const ask = {
          read: () => stage.provider.read(stage.missingRun, stop.signal),
          history: () => stage.provider.history(stage.sync.id, stop.signal),
          describe: () => stage.provider.describe(stage.sync.id, stop.signal),
          trigger: () => stage.provider.trigger(stage.sync.id, { full: false }, stop.signal),
          cancel: () => stage.provider.cancel?.(stage.missingRun, stop.signal),
        }[request]
        const before = stage.requests()
        const asked = Promise.resolve(ask()).catch((error: ProviderError) => error.trouble)
        while (stage.requests() === before) await nextTurn()
        stop.abort()
        const answer = await asked
        if (request === 'trigger') expect(answer).toMatchObject({ kind: 'ambiguous' })
        else expect(answer).toBe('unavailable')
      },
    )
  })
}

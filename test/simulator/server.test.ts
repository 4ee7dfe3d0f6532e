import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { HandClock } from './ask.ts'
import { type Fault, Simulator, serve } from './index.ts'

const SYNC = 512

async function served(fault?: Fault) {
  const simulator = new Simulator({ now: new HandClock().now, syncs: [{ id: SYNC }] })
  if (fault !== undefined) simulator.failNext('trigger', fault)
  return { simulator, server: await serve(simulator) }
}

interface Received {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

async function trigger(url: string, signal?: AbortSignal): Promise<Received> {
  const headers = { authorization: `Bearer ${new Simulator().token()}`, connection: 'close' }
  const sent = request(`${url}/api/v1/syncs/${SYNC}/trigger`, { method: 'POST', headers, ...(signal && { signal }) })
  return new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (response) => {
      const { statusCode: status = 0 } = response
      text(response).then((body) => resolve({ status, headers: response.headers, body }), reject)
    })
    sent.end()
  })
}

describe('over real sockets', () => {
  it('answers with the date of the simulator', async () => {
    const { simulator, server } = await served()
    await using _ = server
    const { status, headers, body } = await trigger(server.url)
    expect([status, headers.date]).toEqual([200, 'Wed, 11 Mar 2026 12:00:00 GMT'])
    expect(JSON.parse(body)).toEqual({ status: 'success', data: { sync_run_id: simulator.runs(SYNC)[0]?.id } })
    expect(simulator.requests).toMatchObject([{ operation: 'trigger', status: 200, fault: undefined }])
  })

  it.each([
    { when: 'before', created: 0 },
    { when: 'after', created: 1 },
  ] as const)('resets the connection $when the trigger takes effect', async ({ when, created }) => {
    const { simulator, server } = await served({ kind: 'reset', when })
    await using _ = server
    await expect(trigger(server.url)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(simulator.runsCreated(SYNC)).toBe(created)
    expect(simulator.requests).toMatchObject([{ status: 0, fault: 'reset' }])
    expect((await trigger(server.url)).status).toBe(200)
  })

  it.each([
    { kind: 'respond', created: 0 },
    { kind: 'respond-after', created: 1 },
  ] as const)('answers 503 by $kind', async ({ kind, created }) => {
    const { simulator, server } = await served({ kind, status: 503, headers: { 'Retry-After': '2' }, body: 'busy' })
    await using _ = server
    const { status, headers, body } = await trigger(server.url)
    expect([status, headers['retry-after'], body]).toEqual([503, '2', 'busy'])
    expect(headers.date).toBeDefined()
    expect(simulator.runsCreated(SYNC)).toBe(created)
  })

  it('never answers a hanging request, and closes all the same', async () => {
    const simulator = new Simulator({ syncs: [{ id: SYNC }] })
    simulator.failNext(/\/trigger$/, { kind: 'hang', when: 'after' })
    const client = new AbortController()
    await using server = await serve(simulator, { onRequest: () => client.abort() })
    await expect(trigger(server.url, client.signal)).rejects.toMatchObject({ name: 'AbortError' })
    expect(simulator.runsCreated(SYNC)).toBe(1)
  })

  it('cuts a body of declared length short', async () => {
    const { server } = await served({ kind: 'truncate' })
    await using _ = server
    await expect(trigger(server.url)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('lets a half body of undeclared length look whole', async () => {
    const { server } = await served({ kind: 'truncate', length: 'undeclared' })
    await using _ = server
    const { status, headers, body } = await trigger(server.url)
    expect([status, headers['content-length'], headers['transfer-encoding']]).toEqual([200, undefined, undefined])
    expect(body).toMatch(/^\{"status":"success",?/)
    expect(() => JSON.parse(body)).toThrow(SyntaxError)
  })

  it.each([
    { kind: 'delay', ms: 1 },
    { kind: 'trickle', everyMs: 0 },
  ] as const)('delivers the whole answer after a $kind', async (fault) => {
    const { simulator, server } = await served(fault)
    await using _ = server
    expect(JSON.parse((await trigger(server.url)).body)).toMatchObject({ status: 'success' })
    expect(simulator.requests).toMatchObject([{ status: 200, fault: fault.kind }])
  })

  it('sends bytes and text that are no HTTP answer', async () => {
    const { simulator, server } = await served({ kind: 'respond', status: 200, bytes: Uint8Array.of(0xff, 0x41) })
    await using _ = server
    simulator.failNext('trigger', { kind: 'raw', when: 'before', text: 'SMTP ready\r\n' })
    expect((await trigger(server.url)).body).toBe('\uFFFDA')
    await expect(trigger(server.url)).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) })
  })

  it('counts the calls of each kind for its rules', async () => {
    const { simulator, server } = await served()
    await using _ = server
    simulator.faults.push((_request, { operation, nth }) =>
      operation === 'trigger' && nth === 2
        ? { kind: 'delay', ms: 1, fault: { kind: 'respond', status: 500 } }
        : undefined,
    )
    const statuses = [await trigger(server.url), await trigger(server.url), await trigger(server.url)]
    expect(statuses.map(({ status }) => status)).toEqual([200, 500, 200])
  })
})

// Starting a process may take long on a busy machine; the limit only ends what hangs.
describe('the command line', { timeout: 60_000 }, () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))

  it('prints what a workflow needs, one line a request, and ends on SIGINT', async () => {
    const child = spawn(process.execPath, [main, '--port', '0', '--scenario', 'failing'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    const lines: string[] = []
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      const url = /base-url: '(.+)'/.exec(line)?.[1]
      if (url !== undefined) await fetch(`${url}/api/v2/syncs`)
      if (line.endsWith('401  GET /api/v2/syncs')) child.kill('SIGINT')
    }
    expect(await closed).toEqual([0, null])
    expect(lines.join('\n')).toContain("sync-ids: '8290, 8291, 8292'")
  })

  it('refuses what it does not know', async () => {
    const child = spawn(process.execPath, [main, '--scenario', 'sunny'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    expect([said, code]).toEqual(['--scenario "sunny" is none of good, failing, busy.\nSee --help.\n', 2])
  })
})

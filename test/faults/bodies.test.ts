// What the body of an answer can be: over real sockets against the committed bundle, and for memory against the adapter in a
// process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { annotations, play, triggersOf } from '../bundle/stage.ts'
import { ROOT } from '../runner/runner.ts'
import { completesAfter, type Fault, Simulator, serve } from '../simulator/index.ts'
import { eachItsOwn, eachRunItsOwn, opened, syncs } from './support.ts'

const PAGE = '<!doctype html><title>Sign in</title>'
const JSON_TYPE = { 'content-type': 'application/json' }

/** Bodies with HTTP 200 that hold no run and no run id. */
const SENSELESS: [string, Omit<Extract<Fault, { kind: 'respond' }>, 'kind' | 'status'>][] = [
  ['body-page', { headers: { 'content-type': 'text/html' }, body: PAGE }],
  ['body-page-as-json', { headers: JSON_TYPE, body: PAGE }],
  ['body-empty', { headers: JSON_TYPE, body: '' }],
  ['body-blank', { headers: JSON_TYPE, body: ' \r\n ' }],
  ['body-cut-json', { headers: JSON_TYPE, body: '{"status":"success","data":{"id":' }],
  ['body-two-values', { headers: JSON_TYPE, body: '{}{}' }],
  ['body-null', { headers: JSON_TYPE, body: 'null' }],
  ['body-number', { headers: JSON_TYPE, body: '42' }],
  ['body-text', { headers: JSON_TYPE, body: '"completed"' }],
  ['body-list', { headers: JSON_TYPE, body: '[{"status":"completed"}]' }],
  ['body-no-data', { headers: JSON_TYPE, body: '{"status":"success"}' }],
  ['body-data-null', { headers: JSON_TYPE, body: '{"status":"success","data":null}' }],
  ['body-data-list', { headers: JSON_TYPE, body: '{"status":"success","data":[]}' }],
  ['body-data-text', { headers: JSON_TYPE, body: '{"status":"success","data":"completed"}' }],
  ['body-data-empty', { headers: JSON_TYPE, body: '{"status":"success","data":{}}' }],
  ['body-status-null', { headers: JSON_TYPE, body: '{"status":"success","data":{"status":null}}' }],
  ['body-status-object', { headers: JSON_TYPE, body: '{"status":"success","data":{"status":{"name":"completed"}}}' }],
  ['body-envelope', { headers: JSON_TYPE, body: '{"status":"completed","data":{}}' }],
  ['body-proto', { headers: JSON_TYPE, body: '{"__proto__":{"data":{"status":"completed","sync_run_id":7}}}' }],
  [
    'body-constructor',
    { headers: JSON_TYPE, body: '{"constructor":{"prototype":{"data":{"status":"completed","sync_run_id":7}}}}' },
  ],
  ['body-nested', { headers: JSON_TYPE, body: `${'['.repeat(100_000)}${']'.repeat(100_000)}` }],
  ['body-nan', { headers: JSON_TYPE, body: '{"data":{"status":NaN}}' }],
  ['body-nul', { headers: JSON_TYPE, body: '\0' }],
  ['body-invalid-utf8', { headers: JSON_TYPE, bytes: Uint8Array.of(0xff, 0xfe, 0x7b, 0x7d) }],
  ['body-utf16', { headers: JSON_TYPE, bytes: Buffer.from('\uFEFF{"data":{"status":"completed"}}', 'utf16le') }],
  ['body-wrong-encoding', { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: '{"data":{}}' }],
  ['body-unknown-encoding', { headers: { ...JSON_TYPE, 'content-encoding': 'zstd' }, bytes: zstdCompressSync('{}') }],
  ['body-double-gzip', { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, bytes: gzipSync(gzipSync('{}')) }],
  [
    'body-bare-deflate',
    { headers: { ...JSON_TYPE, 'content-encoding': 'deflate' }, bytes: deflateRawSync('{"data":{}}') },
  ],
  [
    'body-gzip-cut',
    { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, bytes: gzipSync('{"data":{}}').subarray(0, 15) },
  ],
]
const NAMES = SENSELESS.map(([name]) => name)

describe.concurrent('a body that makes no sense', () => {
  test('body-poll: it is no end and no success, and with the next look it is forgotten', async () => {
    const simulator = new Simulator({ syncs: syncs(SENSELESS.length, { timeline: completesAfter(200) }) })
    eachRunItsOwn(
      simulator,
      SENSELESS.map(([, answer]): Fault => ({ kind: 'respond', status: 200, ...answer })),
    )
    const { results, step } = await play({ simulator })
    const ends = results.map(({ outcome, polls }, index) => [NAMES[index], outcome, polls > 1])
    expect(ends).toEqual(NAMES.map((name) => [name, 'succeeded', true]))
    expect(step.exitCode).toBe(0)
    expect(annotations(step, 'error')).toEqual([])
  })

  test('body-poll-forever: a run of which nothing else is ever said is unknown, and never green', async () => {
    const simulator = new Simulator({ syncs: syncs(SENSELESS.length, { timeline: completesAfter(0) }) })
    eachRunItsOwn(
      simulator,
      SENSELESS.map(([, answer]): Fault => ({ kind: 'respond', status: 200, ...answer })),
      Number.POSITIVE_INFINITY,
    )
    const { results, step } = await play({ simulator, with: { 'outage-tolerance-minutes': '0.02' } })
    const ends = results.map(({ outcome }, index) => [NAMES[index], outcome])
    expect(ends).toEqual(NAMES.map((name) => [name, 'unknown']))
    expect(step.exitCode).toBe(1)
    expect(step.log).not.toContain('<!doctype')
  })

  test('body-trigger: nobody can say what such an answer to a trigger means, so the run is looked for', async () => {
    const simulator = new Simulator({ syncs: syncs(SENSELESS.length, { timeline: completesAfter(100) }) })
    eachItsOwn(
      simulator,
      'trigger',
      SENSELESS.map(([, answer]): Fault => ({ kind: 'respond-after', status: 200, ...answer })),
    )
    const { results } = await play({ simulator })
    const ends = results.map(({ outcome, adopted }, index) => [NAMES[index], outcome, adopted])
    expect(ends).toEqual(NAMES.map((name) => [name, 'succeeded', true]))
    expect(simulator.syncs().map(({ id }) => simulator.runsCreated(id))).toEqual(NAMES.map(() => 1))
    expect(triggersOf(simulator)).toBe(NAMES.length)
  })
})

describe.concurrent('a body that makes sense', () => {
  const DONE =
    '{"status":"success","data":{"status":"completed","records_processed":3,"records_updated":3,"records_failed":0}}'
  const GOOD: [string, Record<string, string>, string | Uint8Array][] = [
    ['without a content type', {}, DONE],
    ['called plain text', { 'content-type': 'text/plain' }, DONE],
    ['called a page', { 'content-type': 'text/html' }, DONE],
    ['after a byte order mark', JSON_TYPE, `\uFEFF${DONE}`],
    ['in gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(DONE)],
    ['in deflate', { ...JSON_TYPE, 'content-encoding': 'deflate' }, deflateSync(DONE)],
    ['in br', { ...JSON_TYPE, 'content-encoding': 'br' }, brotliCompressSync(DONE)],
    [
      'with a key that occurs twice',
      JSON_TYPE,
      DONE.replace('"status":"completed"', '"status":"failed","status":"completed"'),
    ],
    ['with __proto__ in it', JSON_TYPE, DONE.replace('"data":{', '"data":{"__proto__":{"canceled":true},')],
    [
      'with invalid UTF-8 in a text',
      JSON_TYPE,
      Buffer.concat([Buffer.from(DONE.replace('}}', ',"current_step":"')), Buffer.of(0xff, 0xc3), Buffer.from('"}}')]),
    ],
  ]

  test('body-liberal: an answer is taken for what it is, however it is called and packed', async () => {
    const simulator = new Simulator({ syncs: syncs(GOOD.length, { timeline: completesAfter(60_000) }) })
    eachRunItsOwn(
      simulator,
      GOOD.map(([, headers, body]): Fault => {
        return { kind: 'respond', status: 200, headers, ...(typeof body === 'string' ? { body } : { bytes: body }) }
      }),
      Number.POSITIVE_INFINITY,
    )
    const { results } = await play({ simulator })
    const ends = results.map(({ outcome, records }, index) => [GOOD[index]?.[0], outcome, records.succeeded])
    expect(ends).toEqual(GOOD.map(([name]) => [name, 'succeeded', 3]))
  })

  test('body-long-ids: an id beyond 2^53 keeps every digit, from the trigger to the outputs', async () => {
    const LONG = '9007199254740993'
    const simulator = new Simulator({ syncs: [{ id: 8290 }] })
    const asked = new Set<string>()
    simulator.faults.push(({ method, path }) => {
      if (method === 'POST') return { kind: 'respond', status: 200, body: `{"data":{"sync_run_id":${LONG}}}` }
      if (!path.includes('/sync_runs/')) return undefined
      asked.add(path)
      return {
        kind: 'respond',
        status: 200,
        body: `{"data":{"id":${LONG},"sync_id":8290,"status":"completed","records_failed":0}}`,
      }
    })
    const { results, step } = await play({ simulator })
    expect(results).toMatchObject([{ outcome: 'succeeded', run_id: LONG }])
    expect([...asked]).toEqual([`/api/v1/sync_runs/${LONG}`])
    expect(JSON.parse(step.outputs.runs ?? '')).toEqual([{ provider: 'census', sync_id: '8290', run_id: LONG }])
    expect(step.state['run-8290']).toContain(`"${LONG}"`)
  })

  test('body-strange-ids: a run id that could be a path, a number of another kind or endless never gets into an address', async () => {
    const ids = [
      '"../../admin"',
      '"1?x=2"',
      '"1/cancel"',
      '-5',
      '0',
      '1.5',
      '1e30',
      '""',
      'null',
      '[]',
      '{}',
      'true',
      `"${'9'.repeat(10_000)}"`,
    ]
    const simulator = new Simulator({ syncs: syncs(ids.length, { timeline: completesAfter(100) }) })
    eachItsOwn(
      simulator,
      'trigger',
      ids.map(
        (id): Fault => ({
          kind: 'respond-after',
          status: 200,
          body: `{"status":"success","data":{"sync_run_id":${id}}}`,
        }),
      ),
    )
    const { results } = await play({ simulator })
    for (const result of results) expect(result).toMatchObject({ outcome: 'succeeded', adopted: true })
    for (const { path } of simulator.requests)
      expect(path).toMatch(/^\/api\/v1\/(destinations|syncs\/\d{4}(\/sync_runs|\/trigger)?|sync_runs\/\d{9})$/)
  })

  test('body-strange-text: whatever characters names and messages hold, log, outputs and summary are well-formed text', async () => {
    const strange = 'a\0b\u0007c\ud800d\u2028e\u202Ef\u200Bg\u0085h\u{1F680}i\r\n::error::owned'
    const { results, step } = await play({
      simulator: { syncs: [{ id: 8290, label: strange }] },
      prepare: (sim) =>
        sim.script(8290, [
          { at: 0, status: 'working', step: strange },
          { at: 300, status: 'failed', error: { code: strange, message: strange, detail: strange } },
        ]),
      with: { 'show-details': 'true' },
    })
    expect(results).toMatchObject([{ outcome: 'failed' }])
    for (const shown of [step.log, step.summary, ...Object.values(step.outputs)]) {
      expect(shown.isWellFormed()).toBe(true)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(shown).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/)
    }
    expect(annotations(step, 'error')).toHaveLength(1)
  })
})

describe('a body of great size', () => {
  const MiB = 1024 * 1024
  const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }

  /** How much more memory (bytes) a process needs at most for an answer, and what became of it. */
  async function read(url: string): Promise<{ more: number; end: string }> {
    const script = `
      import { createHttp } from './src/http.ts'
      const http = createHttp('test-agent', Date.now)
      const ask = (path) => {
        const request = { method: 'GET', url: '${url}' + path, headers: {}, timeoutMs: 120_000, signal: new AbortController().signal }
        return http.send(request).then(({ text }) => text, (error) => error.message)
      }
      await ask('/small')
      const before = process.resourceUsage().maxRSS
      const end = await ask('/large')
      console.log(JSON.stringify({ more: (process.resourceUsage().maxRSS - before) * 1024, end: end.slice(0, 200) }))
    `
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const printed = text(child.stdout)
    await once(child, 'close')
    return JSON.parse(await printed)
  }

  /** A server whose second answer is 200 MiB of blanks, as they are or packed. */
  async function large(encoding: 'gzip' | 'br' | 'identity', size: number) {
    const chunk = Buffer.alloc(MiB, ' ')
    const packed = encoding === 'br' ? brotliCompressSync(Buffer.alloc(size, ' '), FAST) : null
    return await opened(
      createServer(({ url }, response) => {
        response.on('error', () => {})
        if (url === '/small') return void response.end('{}')
        response.writeHead(200, { 'content-encoding': encoding })
        if (packed !== null) return void response.end(packed)
        const blanks = Readable.from(Array.from({ length: size / MiB }, () => chunk)).on('error', () => {})
        if (encoding === 'identity') blanks.pipe(response)
        else
          blanks
            .pipe(createGzip())
            .on('error', () => {})
            .pipe(response)
      }),
    )
  }

  test.each([
    ['body-bomb-gzip', 'gzip', 200],
    ['body-bomb-br', 'br', 200],
    ['body-50-mb', 'identity', 50],
  ] as const)(
    '%s: an answer without end (%s, %i MiB) is cut off, and costs less than 60 MB',
    async (_row, encoding, size) => {
      await using server = await large(encoding, size * MiB)
      const { more, end } = await read(`http://127.0.0.1:${server.port}`)
      expect(end).toBe('the answer is larger than 8 MiB')
      expect(more).toBeLessThan(60_000_000)
    },
  )

  test('body-bomb-step: in the middle of a step it is one failed look', async () => {
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: completesAfter(200) }] })
    const bytes = gzipSync(Buffer.alloc(64 * MiB, ' '))
    simulator.failNext('read-run', { kind: 'respond', status: 200, headers: { 'content-encoding': 'gzip' }, bytes })
    await using _server = await serve(simulator)
    const { results, step } = await play({ simulator })
    expect(results).toMatchObject([{ outcome: 'succeeded', polls: 2 }])
    expect(step.log).toContain('the answer is larger than 8 MiB')
  })
})

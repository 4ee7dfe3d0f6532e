// Measures the committed bundle in real time, side by side with what it can be measured by, and prints tables in Markdown.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ACTION, ROOT, runMain } from '../test/runner/runner.ts'
import { completesAfter, Simulator, serve } from '../test/simulator/index.ts'

const ROUNDS = 21
const temp = mkdtempSync(join(tmpdir(), 'bench-'))
try {
  console.log(`node ${process.version}, ${availableParallelism()} cores\n`)
  await startUp()
  await scale()
} finally {
  rmSync(temp, { recursive: true })
}

/** From the start of the process to its first request: of the step, of a bundle with the same imports, of a script of one line. */
async function startUp(): Promise<void> {
  let heard = () => {}
  const server = createServer((_request, response) => {
    heard()
    response.end('{}')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const url = `http://127.0.0.1:${address.port}`
  const cases = {
    'a script of one line': script('bare', `import { get } from 'node:http'\nget(process.env['INPUT_BASE-URL'])\n`),
    'a bundle with the same imports, and nothing else': emptyBundle(),
    'the step': join(ROOT, ACTION.runs.main),
  }
  const inputs = Object.entries(ACTION.inputs).map(([name, input]) => [name, input.default ?? ''])
  // What the runner would put in place of the defaults that are expressions.
  const evaluated = { 'job-index': '0', 'job-status': 'success', 'github-token': '' }
  const given = {
    ...Object.fromEntries(inputs),
    'base-url': url,
    'api-token': 'secret-token:abc123',
    'sync-ids': '1',
    ...evaluated,
  }
  const variables = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, String(value)])
  const env = { PATH: process.env.PATH ?? '', ...Object.fromEntries(variables) }
  const times = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, file] of Object.entries(cases)) {
      const first = new Promise<number>((done) => {
        heard = () => done(performance.now())
      })
      const began = performance.now()
      const child = spawn(process.execPath, [file], { env, cwd: temp, stdio: 'ignore' })
      const over = new Promise((done) => child.on('close', done))
      const heardAt = await Promise.race([first, over.then(() => null)])
      if (heardAt === null) throw new Error(`${name} ended without a request`)
      const took = heardAt - began
      child.kill('SIGKILL')
      await over
      // The first round is to warm up.
      if (round > 0) times.set(name, [...(times.get(name) ?? []), took])
    }
  }
  server.close()
  const rows = [...times].map(([name, all]) => ({ name, median: all.sort((a, b) => a - b)[all.length >> 1] ?? 0 }))
  const same = rows[1]?.median ?? 0
  console.log('| start to first request | median | against the same imports |\n|---|---|---|')
  for (const { name, median } of rows)
    console.log(`| ${name} | ${median.toFixed(0)} ms | ${(median / same).toFixed(2)} |`)
}

/** Syncs whose runs take no time: what is left is the step itself. */
async function scale(): Promise<void> {
  const hook = script(
    'peak',
    `process.on('exit', () => process.stdout.write('\\npeak ' + process.resourceUsage().maxRSS + '\\n'))\n`,
  )
  const lean = '--max-old-space-size=64 --max-semi-space-size=1'
  console.log(
    '\n| syncs whose runs take no time | whole step | requests | peak memory | and in a small heap |\n|---|---|---|---|---|',
  )
  for (const count of [1, 100, 1000, 2000]) {
    const [roomy, small] = [await instant(count, hook, ''), await instant(count, hook, lean)]
    console.log(
      `| ${count} | ${roomy.seconds} s | ${roomy.requests} | ${roomy.peakMb} MB | ${small.seconds} s, ${small.peakMb} MB |`,
    )
  }
  console.log(`\nA small heap is \`NODE_OPTIONS: ${lean}\`.`)
}

async function instant(count: number, hook: string, options: string) {
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  const simulator = new Simulator({ syncs: ids.map((id) => ({ id, timeline: completesAfter(0) })) })
  await using server = await serve(simulator)
  const given = { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': ids.join('\n') }
  const began = performance.now()
  const { exitCode, log } = await runMain(given, {
    env: { NODE_OPTIONS: `--import=${pathToFileURL(hook)} ${options}` },
  })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  if (exitCode !== 0) throw new Error(`the step of ${count} syncs was not green:\n${log.slice(-2000)}`)
  return {
    seconds,
    requests: simulator.requests.length,
    peakMb: Math.round(Number(/^peak (\d+)$/m.exec(log)?.[1]) / 1000),
  }
}

function script(name: string, code: string): string {
  const file = join(temp, `${name}.mjs`)
  writeFileSync(file, code)
  return file
}

/** What main imports, bundled in the same way. What main imports only where it is needed is in the bundle too, and not run. */
function emptyBundle(): string {
  const source = join(ROOT, 'lib', 'bench-empty.js')
  mkdirSync(join(ROOT, 'lib'), { recursive: true })
  writeFileSync(
    source,
    `import * as core from '@actions/core'
import { HttpClient } from '@actions/http-client'
import leven from 'leven'
import pLimit from 'p-limit'
import * as v from 'valibot'
if (process.env.NEVER) await import(/* webpackMode: "eager" */ 'yaml')
if (process.env.NEVER) await import(/* webpackMode: "eager" */ '@actions/github')
core.setSecret(v.parse(v.string(), leven('a', 'b') + 'x'))
await pLimit(1)(() => new HttpClient('bench').get(process.env['INPUT_BASE-URL']))
`,
  )
  const out = join(temp, 'empty')
  const ncc = join(ROOT, 'node_modules/@vercel/ncc/dist/ncc/cli.js')
  execFileSync(process.execPath, [ncc, 'build', source, '--out', out, '--no-cache', '--quiet'], { cwd: ROOT })
  rmSync(source)
  return join(out, 'index.js')
}

import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT, runStage } from '../runner/runner.ts'
import { serve, shop } from '../simulator/index.ts'

const run = promisify(execFile)
const DBT = required('DBT')
const ACT = required('ACT')

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} must name a program: run .ci/run, which installs it`)
  return value
}

let temp = ''
beforeAll(() => {
  temp = mkdtempSync(join(tmpdir(), 'e2e-'))
})
afterAll(() => rmSync(temp, { recursive: true, force: true }))

/** Builds a copy of the shop with the real dbt. Returns what `job.status` is after it. */
async function build(name: string, vars: string): Promise<{ status: 'success' | 'failure'; target: string }> {
  const project = join(temp, name)
  cpSync(join(ROOT, 'examples', 'shop'), project, {
    recursive: true,
    filter: (source) => !/target$|logs$/.test(source),
  })
  mkdirSync(join(project, 'target'))
  const status = await run(DBT, ['build', '--vars', vars], { cwd: project }).then(
    () => 'success' as const,
    (error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 1)) throw error
      return 'failure' as const
    },
  )
  return { status, target: join(project, 'target') }
}

describe('after a real dbt build', () => {
  test('all good: every sync delivers', async () => {
    const { status, target } = await build('good', '{}')
    expect(status).toBe('success')
    const rows: { results: { status: string }[] } = JSON.parse(readFileSync(join(target, 'run_results.json'), 'utf8'))
    expect(rows.results.length).toBeGreaterThan(20)
    const simulator = shop('good', { speed: 4 })
    await using server = await serve(simulator)
    const step = await runStage('main', {
      with: { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290 8291 8292' },
      jobStatus: status,
    })
    expect(step.exitCode).toBe(0)
    expect(step.outputs.conclusion).toBe('success')
    expect([8290, 8291, 8292].map((id) => simulator.runsCreated(id))).toEqual([1, 1, 1])
    expect(simulator.problems).toEqual([])
  })

  test('a broken test: dbt is red, so nothing is triggered', async () => {
    const { status } = await build('broken', '{break_customers_test: true}')
    expect(status).toBe('failure')
    const simulator = shop('good')
    await using server = await serve(simulator)
    const step = await runStage('main', {
      with: { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290 8291 8292' },
      jobStatus: status,
    })
    expect(step.exitCode).toBe(1)
    expect(simulator.requests).toEqual([])
  })
})

describe('on a real workflow engine', () => {
  /** Runs the workflow in a clean copy of the checkout, on this machine. */
  async function workflow(scenario: 'good' | 'failing', vars: string) {
    const checkout = join(temp, `checkout-${scenario}-${vars.length}`)
    await run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, checkout])
    const simulator = shop(scenario, { speed: 4 })
    await using server = await serve(simulator)
    const env = { DBT, DBT_VARS: vars, CENSUS_TOKEN: simulator.token(), CENSUS_URL: server.url }
    const given = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const args = [
      'workflow_dispatch',
      '-W',
      'test/e2e/workflows/after-dbt.yml',
      '-P',
      'ubuntu-latest=-self-hosted',
      ...given,
    ]
    const { code, log } = await run(ACT, args, { cwd: checkout, maxBuffer: 64 * 1024 * 1024 }).then(
      ({ stdout, stderr }) => ({ code: 0, log: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        log: error.stdout + error.stderr,
      }),
    )
    return { code, log, simulator }
  }

  test('all good: the job goes on, outputs and all', async () => {
    const { code, log, simulator } = await workflow('good', '{}')
    expect(log).toContain('verdict=success failed=[]')
    expect(log).toContain('the deploy goes on')
    expect(code).toBe(0)
    expect(simulator.runsCreated(8290)).toBe(1)
  })

  test('a sync fails: the job is red and the deploy does not happen', async () => {
    const { code, log } = await workflow('failing', '{}')
    expect(log).toContain('verdict=failure failed=["8291"]')
    expect(log).not.toContain('| the deploy goes on')
    expect(code).toBe(1)
  })

  test('dbt fails: the step runs, sees it through job.status, and triggers nothing', async () => {
    const { code, log, simulator } = await workflow('good', '{break_customers_test: true}')
    expect(log).toContain('verdict=failure failed=["8290","8291","8292"]')
    expect(simulator.requests).toEqual([])
    expect(code).toBe(1)
  })
})

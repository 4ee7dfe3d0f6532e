import { describe, expect, test } from 'vitest'
import { ACTION, runStage } from '../runner/runner.ts'
import { completesAfter, failsAfter, Simulator, serve, shop, worksForever } from '../simulator/index.ts'
import { annotations, busy, play, requestsOf, triggersOf } from './stage.ts'

describe.concurrent('a step with three syncs', () => {
  test('one fails: the others finish, it is named with message, counts and link, and the job is red', async () => {
    const { step, results, simulator, url } = await play({ simulator: shop('failing', { speed: 8 }) })
    expect(step.exitCode).toBe(1)
    expect(results.map(({ outcome }) => outcome)).toEqual(['warned', 'failed', 'succeeded'])
    expect(Object.keys(step.outputs).sort()).toEqual(Object.keys(ACTION.outputs).sort())
    expect(step.outputs).toMatchObject({
      conclusion: 'failure',
      'succeeded-count': '2',
      'failed-count': '1',
      'skipped-count': '0',
      'blocked-count': '0',
      'failed-sync-ids': '["8291"]',
      'blocked-sync-ids': '[]',
      'records-failed': '3',
      'records-invalid': '5',
      url: `${url}/syncs/8291/sync-history`,
    })
    const [error, ...others] = annotations(step, 'error')
    expect(others).toEqual([])
    expect(error).toContain(
      '8291 Customers to accounts → Salesforce · Account: the provider says: Salesforce rejected the batch',
    )
    expect(error).toContain(`${url}/syncs/8291/sync-history`)
    expect(step.summary).toContain('❌ 8291 Customers to accounts → Salesforce · Account: failed')
    expect(step.summary.indexOf('8291')).toBeLessThan(step.summary.indexOf('8290'))
    expect(triggersOf(simulator)).toBe(3)
  })

  test('shows nothing that the provider quotes from records, unless asked to', async () => {
    const quoted = /Lindqvist|kundpost|4539148803436467/
    const careful = await play({ simulator: shop('failing', { speed: 8 }) })
    for (const text of [
      careful.step.log,
      careful.step.summary,
      JSON.stringify(careful.step.outputs),
      JSON.stringify(careful.step.state),
    ]) {
      expect(text).not.toMatch(quoted)
    }
    const open = await play({ simulator: shop('failing', { speed: 8 }), with: { 'show-details': 'true' } })
    expect(open.step.log).toMatch(quoted)
    expect(open.step.summary).toMatch(quoted)
    expect(JSON.stringify(open.step.outputs)).not.toMatch(quoted)
  })

  test('sends one trigger a sync, no request after the verdict, and at most four a sync beyond its looks', async () => {
    const { results, simulator } = await play({ simulator: shop('good', { speed: 8 }) })
    const looks = results.reduce((total, { polls }) => total + polls, 0)
    expect(simulator.requests.filter(({ operation }) => operation === 'read-run')).toHaveLength(looks)
    expect(simulator.requests.length - looks).toBeLessThanOrEqual(12)
    for (const id of [8290, 8291, 8292]) {
      expect(simulator.runsCreated(id)).toBe(1)
      const run = simulator.runs(id).at(-1)
      const reads = simulator.requests.filter(({ path }) => path === `/api/v1/sync_runs/${run?.id}`)
      // The look that saw the end is the last one.
      expect(reads.filter(({ at }) => at >= (run?.completedAt ?? 0))).toHaveLength(1)
    }
  })

  test('describes every sync before it triggers any', async () => {
    const { simulator } = await play({ simulator: shop('good', { speed: 8 }) })
    const operations = simulator.requests.map(({ operation }) => operation)
    expect(operations.lastIndexOf('read-sync')).toBeLessThan(operations.indexOf('trigger'))
    expect(operations.lastIndexOf('list-runs')).toBeLessThan(operations.indexOf('trigger'))
  })

  test('never has more runs going than max-parallel', async () => {
    const { simulator, outcomes } = await play({
      simulator: { syncs: [1, 2, 3, 4].map((id) => ({ id, timeline: completesAfter(300) })) },
      with: { 'max-parallel': '2' },
    })
    expect(outcomes).toEqual(Array(4).fill('succeeded'))
    const runs = simulator.syncs().flatMap(({ id }) => simulator.runs(id))
    const going = runs.map(
      ({ createdAt }) => runs.filter((run) => run.createdAt <= createdAt && (run.completedAt ?? 0) > createdAt).length,
    )
    expect(Math.max(...going)).toBe(2)
  })
})

describe.concurrent('what keeps a step from triggering', () => {
  test('a wrong token: one clear message, every sync not started', async () => {
    const { step, results, simulator } = await play({
      simulator: shop('good'),
      with: { 'api-token': 'secret-token:NotTheRightOne' },
    })
    expect(step.exitCode).toBe(1)
    expect(results.map(({ outcome }) => outcome)).toEqual(['not_started', 'not_started', 'not_started'])
    expect(results[0]?.reason).toContain('v2: the token was refused (HTTP 401); v1: the token was refused (HTTP 401)')
    expect(triggersOf(simulator)).toBe(0)
    expect(step.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('NotTheRightOne')
  })

  test('three bad inputs: all told at once, no request, all outputs set', async () => {
    const { step, simulator } = await play({
      simulator: shop('good'),
      with: { 'sync-ids': '../admin', retries: 'many', 'timeout-minutes': '0' },
    })
    expect(step.exitCode).toBe(1)
    expect(annotations(step, 'error').map((text) => text.split(':')[0])).toEqual([
      'sync-ids',
      'retries',
      'timeout-minutes',
    ])
    expect(simulator.requests).toEqual([])
    expect(step.outputs).toMatchObject({ conclusion: 'failure', results: '[]', runs: '[]', 'failed-count': '0' })
    expect(step.summary).toContain('there are 3 mistakes in the inputs')
  })

  test('sixty bad inputs: fifty are told in the summary, and how many more there are', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `x${index}`)
    const { step } = await play({ simulator: shop('good'), with: { 'sync-ids': ids.join(' ') } })
    expect(step.summary).toContain('there are 60 mistakes in the inputs')
    expect(step.summary).toContain('And 10 more.')
    expect(step.summary.match(/x\d+/g)).toHaveLength(50)
  })

  test('an empty list of syncs', async () => {
    const { step, simulator } = await play({ simulator: shop('good'), with: { 'sync-ids': ' # none today' } })
    expect(step.exitCode).toBe(1)
    expect(annotations(step, 'error')).toEqual([expect.stringContaining('sync-ids: is required and names no sync')])
    expect(simulator.requests).toEqual([])
  })

  test('a name that is nearly an input is an error, a foreign one a warning', async () => {
    const near = await play({ simulator: shop('good'), with: { 'max-failed-record': '5', max_parallel: '1' } })
    expect(near.step.exitCode).toBe(1)
    expect(annotations(near.step, 'error')).toEqual([
      'max-failed-record: there is no such input. Did you mean max-failed-records?',
      'max_parallel: there is no such input. Did you mean max-parallel?',
    ])
    const foreign = await play({
      simulator: { syncs: [{ id: 1, timeline: completesAfter(100) }] },
      with: { 'slack-channel': 'x' },
    })
    expect(foreign.step.exitCode).toBe(0)
    expect(annotations(foreign.step, 'warning')).toContainEqual(
      'slack-channel: there is no such input, so it has no effect.',
    )
  })

  test('an earlier step that failed', async () => {
    const { step, results, simulator } = await play({ simulator: shop('good'), options: { jobStatus: 'failure' } })
    expect(step.exitCode).toBe(1)
    expect(results.map(({ outcome }) => outcome)).toEqual(['not_started', 'not_started', 'not_started'])
    expect(annotations(step, 'error')[0]).toContain('an earlier step of this job failed')
    expect(simulator.requests).toEqual([])
  })

  test('a workflow that was cancelled before', async () => {
    const { step, outcomes, simulator } = await play({ simulator: shop('good'), options: { jobStatus: 'cancelled' } })
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'cancelled' } })
    expect(outcomes).toEqual(['cancelled', 'cancelled', 'cancelled'])
    expect(simulator.requests).toEqual([])
  })

  test.each([
    [
      'a fork',
      { repository: { full_name: 'acme/shop' }, pull_request: { head: { repo: { full_name: 'jane/shop' } } } },
      {},
      'a pull request from a fork',
    ],
    [
      'Dependabot',
      { repository: { full_name: 'acme/shop' }, pull_request: { head: { repo: { full_name: 'acme/shop' } } } },
      { GITHUB_ACTOR: 'dependabot[bot]' },
      'started by Dependabot',
    ],
    ['a missing secret', {}, {}, 'does the secret exist'],
  ])('an empty token, explained for %s', async (_name, event, env, text) => {
    const { step, simulator } = await play({
      simulator: shop('good'),
      with: { 'api-token': '' },
      options: { event, env },
    })
    expect(step.exitCode).toBe(1)
    expect(annotations(step, 'error')).toEqual([expect.stringContaining(text)])
    expect(simulator.requests).toEqual([])
  })

  test('waiting for no run at all is nothing to do', async () => {
    const { step } = await play({ simulator: shop('good'), with: { mode: 'wait', runs: '[]' } })
    expect(step).toMatchObject({ exitCode: 0, outputs: { conclusion: 'skipped', results: '[]' } })
  })
})

describe.concurrent('tokens and versions', () => {
  const one = { syncs: [{ id: 8290, timeline: completesAfter(100) }] }

  test('a workspace key finds version 1, and hears when that ends', async () => {
    const { step, simulator } = await play({ simulator: one })
    expect(step.exitCode).toBe(0)
    expect(simulator.requests.every(({ path }) => path.startsWith('/api/v1/'))).toBe(true)
    expect(annotations(step, 'warning').join()).toContain('ends on 2027-01-15')
  })

  test('a personal access token finds version 2, without that warning', async () => {
    const simulator = new Simulator(one)
    const { step } = await play({ simulator, with: { 'api-token': simulator.token('v2') } })
    expect(step.exitCode).toBe(0)
    expect(simulator.requests.every(({ path }) => path.startsWith('/api/v2/'))).toBe(true)
    expect(step.log).not.toContain('2027')
  })

  test('full-sync goes as a query parameter', async () => {
    const { simulator, step } = await play({ simulator: one, with: { 'full-sync': 'true' } })
    expect(step.exitCode).toBe(0)
    expect(simulator.requests.find(({ operation }) => operation === 'trigger')).toMatchObject({
      query: { force_full_sync: 'true' },
      fullSyncFrom: 'query',
      body: '',
    })
    expect(simulator.runs(8290).at(-1)?.fullSync).toBe(true)
  })

  test('the token is masked before anything else and stands nowhere else', async () => {
    const simulator = new Simulator(one)
    const { step } = await play({ simulator })
    const [first] = step.log.split('\n')
    expect(first).toBe(`::add-mask::${simulator.token()}`)
    const rest =
      step.log.replaceAll(/^::add-mask::.*$/gm, '') + step.summary + JSON.stringify([step.outputs, step.state])
    expect(rest).not.toContain(simulator.token())
    expect(rest).not.toContain(simulator.token().replace('secret-token:', ''))
  })
})

describe.concurrent('hostile text from the provider', () => {
  test('is inert in log, summary and outputs', async () => {
    const label =
      '::error::owned\r\n::set-output name=conclusion::success\n##[add-mask]a <img src=x onerror=alert(1)> [x](https://evil.example) | `@team`'
    const { step, results } = await play({
      simulator: { syncs: [{ id: 8290, label }] },
      prepare: (sim) =>
        sim.script(8290, failsAfter(100, { message: `${label}\n::stop-commands::x`, code: '::warning::x' })),
    })
    expect(results).toMatchObject([{ outcome: 'failed' }])
    expect(new Set(step.commands.map(({ name }) => name))).toEqual(
      new Set(['add-mask', 'warning', 'group', 'endgroup', 'error']),
    )
    expect(step.commands.filter(({ name }) => name === 'error')).toHaveLength(1)
    expect(step.summary).not.toMatch(/<img|\]\(https:\/\/evil/)
  })
})

describe.concurrent('a run in the way', () => {
  test('is waited out, and then the sync is triggered', async () => {
    const simulator = busy(completesAfter(150_000), [{ id: 8290, timeline: completesAfter(100) }])
    const { results, step } = await play({ simulator })
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 1, adopted: false }])
    expect(step.log).toContain('waiting: run')
    expect(simulator.runs(8290).map(({ state }) => state.status)).toEqual(['completed', 'completed'])
  })

  test('on-running: attach takes its end for the sync, and triggers nothing', async () => {
    const simulator = busy(failsAfter(150_000), [{ id: 8290 }])
    const { results } = await play({ simulator, with: { 'on-running': 'attach' } })
    expect(results).toMatchObject([{ outcome: 'failed', adopted: true, attempts: 0 }])
    expect(triggersOf(simulator)).toBe(0)
  })

  test('retries: a failed run gets another one, after its end', async () => {
    const { results, simulator } = await play({
      simulator: { syncs: [{ id: 8290 }] },
      with: { retries: '1' },
      prepare: (sim) => sim.script(8290, failsAfter(100), completesAfter(100)),
    })
    expect(results).toMatchObject([{ outcome: 'succeeded', attempts: 2 }])
    expect(simulator.runs(8290).map(({ state }) => state.status)).toEqual(['failed', 'completed'])
  })

  test('a lost answer to the trigger: the run is found, and never a second one started', async () => {
    const { results, simulator } = await play({
      simulator: { syncs: [{ id: 8290, timeline: completesAfter(100) }] },
      prepare: (sim) => sim.failNext('trigger', { kind: 'reset', when: 'after' }),
    })
    expect(results).toMatchObject([{ outcome: 'succeeded', adopted: true, attempts: 1 }])
    expect(simulator.runsCreated(8290)).toBe(1)
  })
})

describe.concurrent('cancelling and cleaning up', () => {
  // On Windows a process cannot send another one a signal that it hears: test/entries.test.ts has the same in process.
  const withSignals = test.runIf(process.platform !== 'win32')
  const going = { syncs: [{ id: 8290, timeline: worksForever() }, { id: 8291 }] }
  const whenTriggered =
    (signal: NodeJS.Signals) => (line: string, child: { kill(signal: NodeJS.Signals): boolean }) => {
      if (line.includes('8290') && line.includes('working')) child.kill(signal)
    }

  withSignals('SIGINT: cancelled, the runs of this step told to stop, adopted ones left alone', async () => {
    let foreign = 0
    const { step, outcomes, simulator } = await play({
      simulator: going,
      with: { 'on-running': 'attach' },
      prepare: (sim) => {
        foreign = sim.startRun(8291, { createdAt: Date.now() - 60_000, timeline: worksForever() })
      },
      options: { onLine: whenTriggered('SIGINT') },
    })
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'cancelled' } })
    expect(outcomes).toEqual(['cancelled', 'cancelled'])
    const cancels = requestsOf(simulator).filter((request) => request.endsWith('/cancel'))
    expect(cancels).toEqual([`POST /api/v1/sync_runs/${simulator.runs(8290).at(-1)?.id}/cancel`])
    expect(cancels.join()).not.toContain(String(foreign))
  })

  withSignals('SIGINT with cancel-on: never leaves the run alone and says so', async () => {
    const { step, results, simulator } = await play({
      simulator: going,
      with: { 'sync-ids': '8290', 'cancel-on': 'never' },
      options: { onLine: whenTriggered('SIGINT') },
    })
    expect(step.exitCode).toBe(1)
    expect(results[0]?.reason).toContain('goes on at the provider')
    expect(requestsOf(simulator).filter((request) => request.endsWith('/cancel'))).toEqual([])
  })

  test('SIGKILL in a cancelled job: the post step cancels that run and no other', async () => {
    const { step, simulator } = await play({
      simulator: going,
      with: { 'sync-ids': '8290' },
      options: { onLine: whenTriggered('SIGKILL') },
    })
    expect(step.signal).toBe('SIGKILL')
    simulator.startRun(8291, { timeline: worksForever() })
    await using server = await serve(simulator)
    const given = { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290' }
    const post = await runStage('post', { with: given, state: step.state, jobStatus: 'cancelled' })
    expect(post.exitCode).toBe(0)
    expect(simulator.runs(8290).at(-1)?.state.canceled).toBe(true)
    expect(simulator.runs(8291).at(-1)?.state.canceled).toBe(false)
  })

  test('a time-out whose cancel did not get through: the post step sees to it', async () => {
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: worksForever() }] })
    simulator.failNext('cancel-run', { kind: 'respond', status: 500 })
    const inputs = { 'timeout-minutes': '0.03', 'cancel-on': 'timeout' }
    const { step, outcomes } = await play({ simulator, with: inputs })
    expect(outcomes).toEqual(['timed_out'])
    expect(simulator.runs(8290).at(-1)?.state.canceled).toBe(false)
    await using server = await serve(simulator)
    const given = { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290', ...inputs }
    const post = await runStage('post', { with: given, state: step.state, jobStatus: 'failure' })
    expect(post.exitCode).toBe(0)
    expect(simulator.runs(8290).at(-1)?.state.canceled).toBe(true)
  })

  test('a second signal ends the process at once, and the post step sees to the run', async () => {
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: worksForever() }] })
    simulator.failNext('cancel-run', { kind: 'hang', when: 'before' })
    const { step } = await play({
      simulator,
      options: {
        onLine: (line, process) => {
          if (/triggered run|telling the provider to cancel/.test(line)) process.kill('SIGINT')
        },
      },
    })
    expect(step.signal).toBe('SIGINT')
    simulator.faults.length = 0
    await using server = await serve(simulator)
    const given = { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290' }
    await runStage('post', { with: given, state: step.state, jobStatus: 'cancelled' })
    expect(simulator.runs(8290).at(-1)?.state.canceled).toBe(true)
  })

  test('a crash in a job that goes on: the post step reports the run and leaves it', async () => {
    const { step, simulator } = await play({
      simulator: going,
      with: { 'sync-ids': '8290' },
      options: { onLine: whenTriggered('SIGKILL') },
    })
    await using server = await serve(simulator)
    const before = simulator.requests.length
    const given = { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290' }
    const post = await runStage('post', { with: given, state: step.state, jobStatus: 'failure' })
    expect(annotations(post, 'warning').join()).toMatch(/run \d+ of sync 8290 may still be going: http/)
    expect(simulator.requests.slice(before).every(({ operation }) => operation === 'read-run')).toBe(true)
  })

  test('after a normal end the post step makes no request and prints nothing', async () => {
    const { step, simulator } = await play({ simulator: { syncs: [{ id: 1, timeline: completesAfter(100) }] } })
    await using server = await serve(simulator)
    const before = simulator.requests.length
    const post = await runStage('post', {
      with: { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '1' },
      state: step.state,
      jobStatus: 'cancelled',
    })
    expect(post).toMatchObject({ exitCode: 0, log: '' })
    expect(simulator.requests.length).toBe(before)
  })

  test('fail-fast with cancel-on: failure stops what is going', async () => {
    const { results, simulator } = await play({
      simulator: {
        syncs: [
          { id: 8290, timeline: worksForever() },
          { id: 8291, timeline: failsAfter(500) },
        ],
      },
      with: { 'fail-fast': 'true', 'cancel-on': 'failure' },
    })
    expect(results).toMatchObject([
      { outcome: 'cancelled', reason: expect.stringContaining('fail-fast') },
      { outcome: 'failed' },
    ])
    expect(simulator.runs(8290).at(-1)?.state.canceled).toBe(true)
  })
})

// The process of a step and what it is given: signals at every phase, files that cannot be written, a log that nobody reads.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { annotations, type Played, play, type Scene, triggersOf } from '../bundle/stage.ts'
import { parseFileCommands } from '../runner/commands.ts'
import { ACTION, ROOT, runStage, type Step } from '../runner/runner.ts'
import { type Call, completesAfter, type Fault, Simulator, serve, worksForever } from '../simulator/index.ts'
import { Rehearsal } from '../support/in-memory.ts'
import { syncs } from './support.ts'

/** A signal comes to a process only where there are signals. test/entries.test.ts has the same within the process. */
const withSignals = test.runIf(process.platform !== 'win32')
const onLinux = test.runIf(process.platform === 'linux')

const CANCEL = { kind: 'hang', when: 'before' } as const

interface Struck extends Played {
  /** From the signal to the end of the process, in milliseconds. */
  tookMs: number
}

/** A step that gets a signal just as a request comes to the provider, before it is answered as `answer` says. */
async function struck(
  signal: NodeJS.Signals,
  when: (call: Call) => boolean,
  answer: Fault | undefined,
  scene: Omit<Scene, 'simulator'> & { simulator?: Simulator } = {},
): Promise<Struck> {
  const simulator = scene.simulator ?? new Simulator({ syncs: [{ id: 8290, timeline: worksForever() }] })
  let child: ChildProcess | undefined
  let at = 0
  simulator.faults.unshift((_request, call) => {
    if (at > 0 || !when(call)) return undefined
    at = performance.now()
    child?.kill(signal)
    return answer
  })
  const onLine = (_line: string, process: ChildProcess) => {
    child = process
  }
  const played = await play({ ...scene, simulator, options: { onLine, ...scene.options } })
  expect(at).toBeGreaterThan(0)
  return { ...played, tookMs: performance.now() - at }
}

/** The clean-up of the same step in the same workflow. */
async function cleanUp({ simulator, step }: Played, jobStatus: 'cancelled' | 'failure'): Promise<Step> {
  await using server = await serve(simulator)
  const given = { 'api-token': simulator.token(), 'base-url': server.url, 'sync-ids': '8290' }
  return await runStage('post', { with: given, state: step.state, jobStatus })
}

/** The runner waits so long after SIGINT before it goes on to SIGTERM. */
const PATIENCE_MS = 7500
const isNth = (operation: Call['operation'], nth: number) => (call: Call) =>
  call.operation === operation && call.nth === nth

describe.concurrent.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  withSignals('signal-baseline: before anything was triggered, nothing is', async () => {
    const { step, outcomes, simulator, tookMs } = await struck(signal, isNth('list-runs', 1), CANCEL)
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'cancelled' } })
    expect(outcomes).toEqual(['cancelled'])
    expect(triggersOf(simulator)).toBe(0)
    expect(tookMs).toBeLessThan(PATIENCE_MS)
  })

  withSignals('signal-trigger-answered: with a trigger on its way the run that it starts is cancelled', async () => {
    const { step, outcomes, simulator } = await struck(signal, isNth('trigger', 1), undefined)
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'cancelled' } })
    expect(outcomes).toEqual(['cancelled'])
    expect(simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
  })

  withSignals('signal-trigger-lost: a run whose id never came back is looked for once, and cancelled', async () => {
    const { outcomes, results, simulator, tookMs } = await struck(signal, isNth('trigger', 1), {
      kind: 'hang',
      when: 'after',
    })
    expect(outcomes).toEqual(['cancelled'])
    expect(results).toMatchObject([{ adopted: true, attempts: 1 }])
    expect(simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
    expect(triggersOf(simulator)).toBe(1)
    expect(tookMs).toBeLessThan(PATIENCE_MS)
  })

  withSignals('signal-trigger-unsent: where no run can be found nobody says that there is none', async () => {
    const { outcomes, step, simulator, tookMs } = await struck(signal, isNth('trigger', 1), {
      kind: 'hang',
      when: 'before',
    })
    expect(outcomes).toEqual(['unknown'])
    expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'cancelled' } })
    expect(triggersOf(simulator)).toBe(1)
    expect(tookMs).toBeLessThan(PATIENCE_MS)
  })

  withSignals(
    'signal-trigger-late: a run that the list shows only after the step has ended is cancelled by the clean-up',
    async () => {
      const played = await struck(
        signal,
        isNth('trigger', 1),
        { kind: 'hang', when: 'after' },
        {
          prepare: (sim) => {
            const isSecond = isNth('list-runs', 2)
            sim.faults.push((_request, call) => (isSecond(call) ? { kind: 'respond', status: 502 } : undefined))
          },
        },
      )
      expect(played.outcomes).toEqual(['unknown'])
      await cleanUp(played, 'cancelled')
      expect(played.simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
    },
  )

  withSignals('signal-reconcile: while a lost run is looked for it is found, and cancelled', async () => {
    const { results, simulator } = await struck(signal, isNth('list-runs', 2), undefined, {
      prepare: (sim) => sim.failNext('trigger', { kind: 'reset', when: 'after' }),
    })
    expect(results).toMatchObject([{ outcome: 'cancelled', adopted: true }])
    expect(simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
  })

  withSignals('signal-asleep: between two looks nobody waits for the next one', async () => {
    const { outcomes, simulator, step } = await play({
      simulator: { syncs: [{ id: 8290, timeline: worksForever() }] },
      with: { 'poll-interval-seconds': '3600' },
      options: {
        onLine: (line, process) => {
          if (line.includes('8290') && /: (queued|working)/.test(line)) process.kill(signal)
        },
      },
    })
    expect(outcomes).toEqual(['cancelled'])
    expect(step.exitCode).toBe(1)
    expect(simulator.requests.filter(({ operation }) => operation === 'read-run')).toHaveLength(1)
    expect(simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
  })

  withSignals('signal-poll: with a look on its way nobody waits for its answer', async () => {
    const { outcomes, simulator, tookMs } = await struck(signal, (call) => call.operation === 'read-run', CANCEL)
    expect(outcomes).toEqual(['cancelled'])
    expect(simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
    expect(tookMs).toBeLessThan(PATIENCE_MS)
  })

  withSignals('signal-dead-network: a run that cannot be cancelled is named, and the clean-up cancels it', async () => {
    const played = await struck(signal, (call) => call.operation === 'read-run', CANCEL, {
      prepare: (sim) => sim.failNext('cancel-run', CANCEL),
    })
    expect(played.results).toMatchObject([
      { outcome: 'cancelled', reason: expect.stringContaining('its run may go on: cancelling did not work') },
    ])
    expect(played.tookMs).toBeLessThan(PATIENCE_MS)
    expect(played.simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([false])
    const post = await cleanUp(played, 'cancelled')
    expect(post.exitCode).toBe(0)
    expect(played.simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
  })

  withSignals('signal-twice: a second one ends the process at once, and the clean-up does the rest', async () => {
    let child: ChildProcess | undefined
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: worksForever() }] })
    simulator.faults.push((_request, { operation }) => {
      if (operation !== 'read-run' && operation !== 'cancel-run') return undefined
      child?.kill(signal)
      return CANCEL
    })
    const onLine = (_line: string, process: ChildProcess) => {
      child = process
    }
    const played = await play({ simulator, options: { onLine } })
    expect(played.step.signal).toBe(signal)
    expect(played.step.outputs).toEqual({})
    simulator.faults.length = 0
    await cleanUp(played, 'cancelled')
    expect(simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
  })
})

describe.concurrent('a step that is killed', () => {
  withSignals('kill-baseline: before a trigger leaves the clean-up nothing to do', async () => {
    const played = await struck('SIGKILL', isNth('list-runs', 1), CANCEL)
    expect(played.step.signal).toBe('SIGKILL')
    const before = played.simulator.requests.length
    expect(await cleanUp(played, 'cancelled')).toMatchObject({ exitCode: 0, log: '' })
    expect(played.simulator.requests).toHaveLength(before)
  })

  withSignals('kill-trigger: with a trigger on its way the clean-up at least says so, with a link', async () => {
    const played = await struck('SIGKILL', isNth('trigger', 1), { kind: 'hang', when: 'after' })
    expect(played.step.state['run-8290']).toContain('"runId":null')
    const post = await cleanUp(played, 'failure')
    expect(post.exitCode).toBe(0)
    expect(annotations(post, 'warning').join()).toMatch(/sync 8290.*\/syncs\/8290\/sync-history/)
  })

  onLinux(
    'kill-trigger-cancelled: in a cancelled workflow the run that a killed trigger started is found and cancelled',
    async () => {
      const played = await struck('SIGKILL', isNth('trigger', 1), { kind: 'hang', when: 'after' })
      await cleanUp(played, 'cancelled')
      const [run] = played.simulator.runs(8290)
      expect(run?.state.canceled).toBe(true)
    },
  )

  withSignals('kill-poll: while a run is watched its id is already known to the clean-up', async () => {
    const played = await struck('SIGKILL', isNth('read-run', 1), CANCEL)
    const [run] = played.simulator.runs(8290)
    expect(played.step.state['run-8290']).toContain(`"runId":"${run?.id}"`)
    await cleanUp(played, 'cancelled')
    expect(played.simulator.runs(8290).map(({ state }) => state.canceled)).toEqual([true])
  })
})

test('signal-bound: whatever hangs, a cancelled step is over within six seconds', async () => {
  for (const phase of ['list-runs', 'read-sync', 'trigger', 'read-run'] as const) {
    const stage = new Rehearsal({}, { syncs: syncs(40, { timeline: worksForever() }) })
    let at = 0
    stage.simulator.faults.push((_request, { operation }) => {
      if (at === 0 && operation === phase) {
        at = stage.clock.now() + 1
        stage.clock.at(at + 200, () => stage.cancel.abort())
      }
      return at > 0 ? { kind: 'hang', when: 'after' } : undefined
    })
    const { conclusion } = await stage.run()
    expect(conclusion).toBe('cancelled')
    expect(stage.clock.now() - at - 200).toBeLessThanOrEqual(6000)
  }
})

describe.concurrent('files of the runner', () => {
  const one: Scene = { simulator: { syncs: [{ id: 8290, timeline: completesAfter(200) }] } }
  const FILES = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY'] as const
  const all = (path: string) => Object.fromEntries(FILES.map((name) => [name, path]))

  test('file-unset: without any of them the step does its work, and nothing becomes a command instead', async () => {
    const { step, simulator } = await play({ ...one, options: { env: all('') } })
    expect(step.exitCode).toBe(0)
    expect(simulator.runsCreated(8290)).toBe(1)
    expect(step.log).toContain('outputs: {"conclusion":"success"')
    expect(new Set(step.commands.map(({ name }) => name))).toEqual(
      new Set(['add-mask', 'warning', 'group', 'endgroup']),
    )
  })

  const broken: [string, string][] = [
    ['file-missing', '/nowhere/file'],
    ['file-read-only', tmpdir()],
    ...(process.platform === 'linux' ? ([['file-disk-full', '/dev/full']] satisfies [string, string][]) : []),
  ]
  test.each(broken)('%s: the verdict stands, it is told, and the step goes on', async (_row, path) => {
    const { step, simulator } = await play({ ...one, options: { env: all(path) } })
    expect(step.exitCode).toBe(0)
    expect(simulator.runsCreated(8290)).toBe(1)
    expect(step.log).toContain('✅ succeeded')
    expect(annotations(step, 'error').join()).toMatch(/the outputs could not be written/)
  })

  test('file-annotations: files that cannot be written are told in at most ten annotations', async () => {
    const { step } = await play({
      simulator: { syncs: syncs(12, { timeline: completesAfter(100) }) },
      options: { env: all('/nowhere/file') },
    })
    expect(annotations(step, 'error').length).toBeLessThanOrEqual(10)
  })

  onLinux('file-half: a disk that is full in the middle of an output leaves no half of it', async () => {
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: completesAfter(200) }] })
    const { exitCode, files } = await launch(simulator, { limit: 4 })
    expect(exitCode).toBe(0)
    expect(() => parseFileCommands(files.output)).not.toThrow()
    expect(() => parseFileCommands(files.state)).not.toThrow()
  })

  onLinux('file-state-first: what the clean-up needs is in its file before the first look at a run', async () => {
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: completesAfter(200) }] })
    const states: string[] = []
    const { exitCode } = await launch(simulator, {
      onRequest: (operation, state) => {
        if (operation === 'trigger' || operation === 'read-run') states.push(state)
      },
    })
    expect(exitCode).toBe(0)
    expect(parseFileCommands(states[0] ?? '')['run-8290']).toContain('"runId":null')
    expect(parseFileCommands(states[1] ?? '')['run-8290']).toMatch(/"runId":"\d+"/)
  })
})

describe.concurrent('a process in trouble', () => {
  onLinux(
    'process-stdout-closed: a log that nobody reads any more keeps no run from being watched to its end',
    async () => {
      const simulator = new Simulator({ syncs: [{ id: 8290, timeline: completesAfter(1500) }] })
      const { exitCode, files } = await launch(simulator, { closeAfter: 'triggered' })
      expect(parseFileCommands(files.output)).toMatchObject({ conclusion: 'success' })
      expect(exitCode).toBe(0)
    },
  )

  test('process-crash: an error that nobody has caught makes the step red, with one annotation and all outputs', async () => {
    const temp = mkdtempSync(join(tmpdir(), 'crash-'))
    const crash = join(temp, 'crash.mjs')
    writeFileSync(crash, "setTimeout(() => void Promise.reject(new Error('a bug')), 1000)")
    const { step } = await play({
      simulator: { syncs: [{ id: 8290, timeline: worksForever() }] },
      options: { env: { NODE_OPTIONS: `--import=${pathToFileURL(crash).href}` } },
    })
    rmSync(temp, { recursive: true })
    expect(step.exitCode).not.toBe(0)
    expect(annotations(step, 'error')).toHaveLength(1)
    expect(Object.keys(step.outputs).sort()).toEqual(Object.keys(ACTION.outputs).sort())
    expect(step.outputs.conclusion).toBe('failure')
  })

  test('process-memory: five hundred syncs fit into a heap of 64 MB', async () => {
    const { outcomes, step } = await play({
      simulator: { syncs: syncs(500, { timeline: completesAfter(1000) }) },
      options: { env: { NODE_OPTIONS: '--max-old-space-size=64' } },
    })
    expect(step.exitCode).toBe(0)
    expect(outcomes).toEqual(Array(500).fill('succeeded'))
  }, 90_000)
})

interface LaunchOptions {
  /** No file may grow beyond so many blocks of 512 bytes. */
  limit?: number
  /** A line with this is the last one that is read of the log. */
  closeAfter?: string
  onRequest?(operation: Call['operation'], state: string): void
}

/** Runs the committed bundle with means that test/runner does not have. */
async function launch(simulator: Simulator, { limit, closeAfter, onRequest }: LaunchOptions) {
  const temp = mkdtempSync(join(tmpdir(), 'launch-'))
  try {
    const path = (name: string) => join(temp, name)
    const names = ['output', 'state', 'summary'] as const
    for (const name of names) writeFileSync(path(name), '')
    await using server = await serve(simulator, {
      onRequest: ({ operation }) => onRequest?.(operation, readFileSync(path('state'), 'utf8')),
    })
    const inputs = {
      'api-token': simulator.token(),
      'base-url': server.url,
      'sync-ids': '8290',
      'poll-interval-seconds': '0.05',
    }
    const env = {
      PATH: process.env.PATH ?? '',
      GITHUB_OUTPUT: path('output'),
      GITHUB_STATE: path('state'),
      GITHUB_STEP_SUMMARY: path('summary'),
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
    }
    const command = [process.execPath, join(ROOT, ACTION.runs.main)]
    // A shell drops variables with a name such as INPUT_API-TOKEN, so they are set behind it.
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const shell = ['/bin/sh', '-c', `ulimit -f ${limit}; exec "$@"`, 'sh', 'env', ...variables]
    const [program = '', ...args] = [...(limit === undefined ? [] : shell), ...command]
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (closeAfter !== undefined && chunk.includes(closeAfter)) child.stdout.destroy()
    })
    const exitCode = await new Promise((resolve) => child.once('exit', resolve))
    const read = (name: (typeof names)[number]) => readFileSync(path(name), 'utf8')
    return { exitCode, files: { output: read('output'), state: read('state'), summary: read('summary') } }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

// Runs a bundle the way the GitHub runner does: a process of its own, inputs in INPUT_ variables with the defaults of action.yml,
// files for outputs, state and summary, and commands in what it prints.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type Command, parseCommand, parseFileCommands } from './commands.ts'

export const ROOT = resolve(import.meta.dirname, '..', '..')

export interface Action {
  name: string
  inputs: Record<string, { description?: string; required?: boolean; default?: string }>
  outputs: Record<string, { description?: string }>
  runs: { using: string; main: string; post: string }
}

export const ACTION: Action = parse(readFileSync(join(ROOT, 'action.yml'), 'utf8'))

export interface StepOptions {
  /** What the workflow gives under `with:`. */
  with?: Record<string, string>
  /** More environment, over an otherwise almost empty one. */
  env?: Record<string, string>
  jobStatus?: 'success' | 'failure' | 'cancelled'
  /** The token of the job, `github.token`. */
  githubToken?: string
  /** Which job of a matrix it is, `strategy.job-index`. */
  jobIndex?: number
  event?: unknown
  /** The folder that the job works in; empty where a test gives none. */
  workspace?: string
  /** State of an earlier stage of the same step, for `post`. */
  state?: Record<string, string>
  /** Hears of every printed line, and may act on the process. */
  onLine?(line: string, process: ChildProcess): void
}

export interface Step {
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** Everything printed, as it was printed. */
  log: string
  /** Printed lines that are no commands. */
  lines: string[]
  commands: Command[]
  outputs: Record<string, string>
  state: Record<string, string>
  summary: string
}

export async function runStage(stage: 'main' | 'post', options: StepOptions = {}): Promise<Step> {
  const temp = mkdtempSync(join(tmpdir(), 'runner-'))
  try {
    const file = (name: string, content = '') => {
      writeFileSync(join(temp, name), content)
      return join(temp, name)
    }
    const workspace = options.workspace ?? join(temp, 'workspace')
    mkdirSync(workspace, { recursive: true })
    const files = { output: file('output'), state: file('state'), summary: file('summary') }
    const env: Record<string, string> = {
      PATH: process.env.PATH ?? '',
      // Windows finds neither DNS nor temporary files without them.
      ...(process.env.SYSTEMROOT === undefined ? {} : { SYSTEMROOT: process.env.SYSTEMROOT, TEMP: temp, TMP: temp }),
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: files.output,
      GITHUB_STATE: files.state,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_EVENT_PATH: file('event.json', JSON.stringify(options.event ?? {})),
      GITHUB_WORKSPACE: workspace,
      RUNNER_TEMP: temp,
      ...inputVariables(options),
      ...Object.fromEntries(Object.entries(options.state ?? {}).map(([name, value]) => [`STATE_${name}`, value])),
      ...options.env,
    }
    const child = spawn(process.execPath, [join(ROOT, ACTION.runs[stage])], {
      cwd: workspace,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let log = ''
    let rest = ''
    const hear = (chunk: string) => {
      log += chunk
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) options.onLine?.(line, child)
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done, fail) => {
      child.on('error', fail)
      child.on('close', (code, killedBy) => done([code, killedBy]))
    })
    // The runner splits lines as .NET does: at a lone carriage return, too.
    const printed = log.split(/\r\n|\r|\n/).filter((line) => line !== '')
    const commands = printed.flatMap((line) => parseCommand(line) ?? [])
    return {
      exitCode,
      signal,
      log,
      commands,
      lines: printed.filter((line) => parseCommand(line) === null),
      outputs: parseFileCommands(readFileSync(files.output, 'utf8')),
      state: parseFileCommands(readFileSync(files.state, 'utf8')),
      summary: readFileSync(files.summary, 'utf8'),
    }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

export function runMain(given: Record<string, string>, options: Omit<StepOptions, 'with'> = {}): Promise<Step> {
  return runStage('main', { ...options, with: given })
}

function inputVariables({
  with: given = {},
  jobStatus = 'success',
  githubToken = '',
  jobIndex = 0,
}: StepOptions): Record<string, string> {
  const defaults = Object.entries(ACTION.inputs).map(([name, input]) => [name, input.default ?? ''])
  // The expressions that action.yml uses.
  const evaluated = { ...Object.fromEntries(defaults), ...given }
  return Object.fromEntries(
    Object.entries(evaluated).map(([name, value]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      String(value)
        .replace(/^\$\{\{ job\.status \}\}$/, jobStatus)
        .replace(/^\$\{\{ strategy\.job-index \}\}$/, String(jobIndex))
        .replace(/^\$\{\{ github\.token \}\}$/, githubToken),
    ]),
  )
}

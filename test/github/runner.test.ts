import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { annotate, group, print, saveState, setOutputs, writeSummary } from '../../src/github/runner.ts'
import { outputsOf } from '../../src/report/outputs.ts'
import { type Command, parseCommand, parseFileCommands } from '../runner/commands.ts'
import { result, sync } from '../support/builders.ts'

let folder = ''
let printed = ''
const at = (name: string) => join(folder, name)
const lines = () => printed.split(/\r\n|\r|\n/).filter((line) => line !== '')
const commands = (): Command[] => lines().flatMap((line) => parseCommand(line) ?? [])

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runner-'))
  printed = ''
  for (const name of ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY']) vi.stubEnv(name, undefined)
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk)
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** An empty file that the runner would have prepared. */
function prepare(variable: string): string {
  writeFileSync(at(variable), '')
  vi.stubEnv(variable, at(variable))
  return at(variable)
}

describe('a line of the log', () => {
  test('is printed as it is, and a warning as one', () => {
    print({ level: 'info', text: '[0:07] 8290 Customers: triggered run 501' })
    print({ level: 'warning', text: '[0:08] 100 % strange' })
    expect(lines()[0]).toBe('[0:07] 8290 Customers: triggered run 501')
    expect(commands()).toEqual([{ name: 'warning', properties: {}, text: '[0:08] 100 % strange' }])
  })
})

describe('an annotation', () => {
  test.each(['error', 'warning', 'notice'] as const)('is a command of its level, with its title: %s', (level) => {
    annotate({ level, title: 'Sync: failed, badly', text: 'because, of: this' })
    expect(commands()).toEqual([
      { name: level, properties: { title: 'Sync: failed, badly' }, text: 'because, of: this' },
    ])
  })
})

describe('a group', () => {
  test('is closed, whatever happens in it', async () => {
    expect(await group('Plan', async () => 7)).toBe(7)
    await expect(group('Plan', () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
    expect(commands().map(({ name, text }) => [name, text])).toEqual([
      ['group', 'Plan'],
      ['endgroup', ''],
      ['group', 'Plan'],
      ['endgroup', ''],
    ])
  })
})

describe('the outputs', () => {
  test('are written to the file of the runner, every one as it is', () => {
    const file = prepare('GITHUB_OUTPUT')
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\r', ''))
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,12}$/), text), (outputs) => {
        writeFileSync(file, '')
        setOutputs(outputs)
        expect(parseFileCommands(readFileSync(file, 'utf8'))).toEqual({
          ...Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, value.toWellFormed()])),
        })
      }),
    )
    expect(printed).toBe('')
  })

  test('cannot be closed early by what they hold', () => {
    const file = prepare('GITHUB_OUTPUT')
    setOutputs({ message: 'EOF\nghadelimiter_0\nconclusion=success', conclusion: 'failure' })
    expect(parseFileCommands(readFileSync(file, 'utf8'))).toEqual({
      message: 'EOF\nghadelimiter_0\nconclusion=success',
      conclusion: 'failure',
    })
  })

  test('outside a runner go to the log, and never as a command', () => {
    const hostile = sync({ name: '::set-output name=conclusion::success ##[error]x\n::stop-commands::y' })
    const results = [result({ sync: hostile, outcome: 'failed', message: '\n::add-mask::a\r::error::b ##[debug]c' })]
    const outputs = outputsOf({ conclusion: 'failure', results, problems: [] })
    setOutputs(outputs)
    expect(commands()).toEqual([])
    expect(lines()).toHaveLength(1)
    expect(JSON.parse(lines()[0]?.replace(/^outputs: /, '') ?? '')).toEqual(outputs)
  })

  test('that cannot be written are an error, and not the end', () => {
    vi.stubEnv('GITHUB_OUTPUT', at('is-not-there'))
    setOutputs({ conclusion: 'success' })
    expect(commands()).toMatchObject([
      { name: 'error', text: expect.stringMatching(/^the outputs could not be written: Missing file/) },
    ])
  })
})

describe('the summary', () => {
  test('is added to the file of the runner', async () => {
    const file = prepare('GITHUB_STEP_SUMMARY')
    await writeSummary('## One')
    await writeSummary('## Two')
    expect(readFileSync(file, 'utf8').split(/\r?\n/)).toEqual(['## One', '## Two', ''])
    expect(printed).toBe('')
  })

  test('is left out where there is no file for it', async () => {
    await writeSummary('## One')
    expect(printed).toBe('')
  })

  test('that cannot be written is a warning, and not the end', async () => {
    vi.stubEnv('GITHUB_STEP_SUMMARY', at('is-not-there'))
    await writeSummary('## One')
    expect(commands()).toMatchObject([
      { name: 'warning', text: expect.stringMatching(/^the job summary could not be written: /) },
    ])
  })
})

describe('the state', () => {
  test('is written as JSON, the last value last', () => {
    const file = prepare('GITHUB_STATE')
    saveState('run-8290', { runId: null })
    saveState('run-8290', { runId: '501' })
    saveState('verdict', 'success')
    expect(parseFileCommands(readFileSync(file, 'utf8'))).toEqual({
      'run-8290': '{"runId":"501"}',
      verdict: '"success"',
    })
  })

  test('is left out where there is no file for it: as a command it could be read by others', () => {
    saveState('verdict', 'success')
    expect(printed).toBe('')
  })

  test('that cannot be written is an error, and not the end', () => {
    vi.stubEnv('GITHUB_STATE', at('is-not-there'))
    saveState('verdict', 'success')
    expect(commands()).toMatchObject([
      { name: 'error', text: expect.stringMatching(/^the state for the post step could not be written: /) },
    ])
  })
})

import { statSync, truncateSync } from 'node:fs'
import * as core from '@actions/core'
import type { Annotation } from '../report/annotations.ts'
import type { Line } from '../report/log.ts'

const ISSUE = { error: core.error, warning: core.warning, notice: core.notice }

/** The runner's side of the step. Every text given to it is already safe. */

export function print({ level, text }: Line): void {
  if (level === 'warning') core.warning(text)
  else core.info(text)
}

export function annotate({ level, title, text }: Annotation): void {
  ISSUE[level](text, { title })
}

export function group<T>(title: string, work: () => Promise<T>): Promise<T> {
  return core.group(title, work)
}

/** Sets all outputs. Outside a runner they go to the log: the toolkit would print them as commands that the runner obeys. */
export function setOutputs(outputs: Record<string, string>): void {
  if (!process.env.GITHUB_OUTPUT) {
    core.info(`outputs: ${JSON.stringify(outputs)}`)
    return
  }
  const file = process.env.GITHUB_OUTPUT
  attempt('the outputs could not be written', () => {
    for (const [name, value] of Object.entries(outputs)) whole(file, () => core.setOutput(name, value))
  })
}

export async function writeSummary(markdown: string): Promise<void> {
  if (!process.env.GITHUB_STEP_SUMMARY) return
  await core.summary
    .addRaw(markdown, true)
    .write()
    .catch((error: unknown) => core.warning(`the job summary could not be written: ${reason(error)}`))
}

/** Tells the post step something. It is read again even if this process is killed right after. */
export function saveState(name: string, value: unknown): void {
  const file = process.env.GITHUB_STATE
  if (!file) return
  attempt('the state for the post step could not be written', () => {
    whole(file, () => core.saveState(name, JSON.stringify(value)))
  })
}

/** Half of an entry, as a full disk leaves it, would make the runner refuse the whole file and fail the step. */
function whole(file: string, append: () => void): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  try {
    append()
  } catch (error) {
    if (size !== undefined) truncateSync(file, size)
    throw error
  }
}

const told = new Set<string>()

function attempt(failure: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    // Once: GitHub shows ten annotations, and others have more to say.
    if (!told.has(failure)) core.error(`${failure}: ${reason(error)}`)
    told.add(failure)
  }
}

/** Lets the step go on where nobody reads what it prints any more: its runs have to be watched all the same. */
export function outliveStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason'
}

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
  attempt('the outputs could not be written', () => {
    for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
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
  if (!process.env.GITHUB_STATE) return
  attempt('the state for the post step could not be written', () => core.saveState(name, JSON.stringify(value)))
}

function attempt(failure: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    core.error(`${failure}: ${reason(error)}`)
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason'
}

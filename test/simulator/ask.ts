/** How the tests of the simulator talk to it: without a socket, on a clock that moves only when told. */
import { isRecord, parseJson } from './exchange.ts'
import type { Simulator, Version } from './index.ts'

export const NOON = Date.parse('2026-03-11T12:00:00.250Z')

export class HandClock {
  ms = NOON
  readonly now = (): number => this.ms
  pass(ms: number): void {
    this.ms += ms
  }
}

export interface Question {
  readonly version?: Version
  readonly token?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export interface Reply {
  readonly status: number
  readonly date: string
  /** The parsed body, or the text where it is no JSON. */
  readonly body: unknown
}

/** `tail` is what follows `/api/v1` or `/api/v2`. */
export function ask(simulator: Simulator, method: string, tail: string, question: Question = {}): Reply {
  const { version = 'v1', token = simulator.token(version), headers = {}, body = '' } = question
  const url = `/api/${version}${tail}`
  const reply = simulator.handle({ method, url, headers: { authorization: `Bearer ${token}`, ...headers }, body })
  if (reply.kind !== 'response') throw new Error(`The simulator answered with ${reply.kind}.`)
  return { status: reply.status, date: String(reply.headers.date), body: parseJson(reply.body) ?? reply.body }
}

/** Triggers a sync and returns the id of its run. */
export function trigger(simulator: Simulator, syncId: number): number {
  const { body } = ask(simulator, 'POST', `/syncs/${syncId}/trigger`)
  const id = isRecord(body) && isRecord(body.data) ? body.data.sync_run_id : undefined
  if (typeof id !== 'number') throw new Error(`The trigger was refused: ${JSON.stringify(body)}`)
  return id
}

/** The `data` of a run. */
export function readRun(simulator: Simulator, runId: number): unknown {
  const { body } = ask(simulator, 'GET', `/sync_runs/${runId}`)
  return isRecord(body) ? body.data : body
}

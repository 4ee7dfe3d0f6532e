/** What can go wrong between GitHub and its client. The kinds of faults are those of the provider simulator. */
import type { HeaderFields, ParsedRequest } from '../simulator/exchange.ts'
import type { Answer, Fault, When } from '../simulator/faults.ts'
import { refused } from './answers.ts'
import { limitHeaders } from './rate-limit.ts'
import type { Operation } from './routes.ts'

/** What a request is about, and the how many-th of its operation it is, from 1. */
export interface Call {
  readonly operation: Operation | 'stray'
  /** The number of the issue or pull request or the id of the comment in the path; 0 where there is none. */
  readonly id: number
  readonly nth: number
}

/** Asked before the request takes effect: what it does to GitHub by itself happens in between. */
export type FaultRule = (request: ParsedRequest, call: Call) => Fault | undefined

export type FaultMatch = Operation | ((request: ParsedRequest, call: Call) => boolean)

/** A rule that strikes the next `times` requests that match. */
export function failing(match: FaultMatch, fault: Fault, times: number): FaultRule {
  let left = times
  return (request, call) => {
    const fits = typeof match === 'function' ? match(request, call) : match === call.operation
    if (left === 0 || !fits) return undefined
    left -= 1
    return fault
  }
}

/** It took effect, but nobody was told. */
export const LOST_ANSWER: Fault = { kind: 'reset', when: 'after' }
/** It never arrived. */
export const LOST_REQUEST: Fault = { kind: 'reset', when: 'before' }
/** It took effect, and the answer never comes. */
export const STALLED: Fault = { kind: 'hang', when: 'after' }

const LIMITS = 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api'
const HELP =
  'If you reach out to GitHub Support for help, please include the request ID 0A01:2B3C4D:5E6F70:8192A3:6A0B1C2D'

export function exceeded(status: 403 | 429, headers: HeaderFields): Answer {
  const answer = refused(status, `API rate limit exceeded for installation. ${HELP}.`, LIMITS)
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

/** The requests of the hour are used up; `resetAt` is in milliseconds. */
export function primaryRateLimit({ status = 403, resetAt }: { status?: 403 | 429; resetAt: number }): Fault {
  return { kind: 'respond', ...exceeded(status, limitHeaders('core', 1000, 1000, resetAt)) }
}

/** Too many at once or too much created; `retryAfter` is in seconds, and not always told. */
export function secondaryRateLimit({
  status = 403,
  retryAfter,
}: {
  status?: 403 | 429
  retryAfter?: number
} = {}): Fault {
  const message = `You have exceeded a secondary rate limit. Please wait a few minutes before you try again. ${HELP}.`
  const answer = refused(status, message, `${LIMITS}#about-secondary-rate-limits`)
  const headers = { ...answer.headers, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) }
  return { kind: 'respond', ...answer, headers }
}

/** The page of a front end that got no answer from behind: HTML, whatever was asked for. */
export function serverError(status: 500 | 502 | 503 | 504 = 502, when: When = 'before'): Fault {
  const body = `<!DOCTYPE html>\n<html>\n  <head>\n    <title>Unicorn! &middot; GitHub</title>\n  </head>\n</html>\n`
  const answer = { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
  return { kind: when === 'before' ? 'respond' : 'respond-after', ...answer }
}

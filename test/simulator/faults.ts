/** What can go wrong between the vendor and its client, injected on purpose. */
import type { Operation } from './census-routes.ts'
import type { HeaderFields, ParsedRequest } from './exchange.ts'

/** An answer in place of the vendor's. A header set to `undefined` is left out, `date` too. */
export interface Answer {
  readonly status: number
  readonly headers?: HeaderFields
  readonly body?: string
  /** Sent instead of `body`, for what is no valid text: compressed or broken bytes. */
  readonly bytes?: Uint8Array
}

/** `after`: the request takes effect first, so a trigger does create its run. */
export type When = 'before' | 'after'

export type Fault =
  | ({ readonly kind: 'respond' } & Answer)
  | ({ readonly kind: 'respond-after' } & Answer)
  | { readonly kind: 'reset'; readonly when: When }
  | { readonly kind: 'hang'; readonly when: When }
  /** Half of the body. `undeclared` sends no length, so that the half looks whole. */
  | { readonly kind: 'truncate'; readonly length?: 'declared' | 'undeclared' }
  /** The body byte by byte. */
  | { readonly kind: 'trickle'; readonly everyMs: number }
  /** Whatever text instead of a HTTP response. */
  | { readonly kind: 'raw'; readonly when: When; readonly text: string }
  /** Takes effect at once and answers late, with another fault if one is named. */
  | { readonly kind: 'delay'; readonly ms: number; readonly fault?: Fault }

/** What a request is about, and the how many-th of its kind it is, from 1. */
export interface Call {
  readonly operation: Operation | 'stray'
  /** The number in the path; 0 where there is none. */
  readonly id: number
  /** Counted per operation and id. */
  readonly nth: number
}

export type FaultRule = (request: ParsedRequest, call: Call) => Fault | undefined

/** An operation, a pattern over `METHOD /path`, or any predicate. */
export type FaultMatch = Operation | RegExp | ((request: ParsedRequest, call: Call) => boolean)

/** What the transport is to do. `delayMs` is the wait before it does so. */
export type Delivery = { readonly delayMs: number } & (
  | ({ readonly kind: 'response' } & SentResponse)
  | ({ readonly kind: 'truncated'; readonly length: 'declared' | 'undeclared' } & SentResponse)
  | ({ readonly kind: 'trickled'; readonly everyMs: number } & SentResponse)
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
)

export interface SentResponse {
  readonly status: number
  readonly headers: HeaderFields
  readonly body: string
  readonly bytes?: Uint8Array
}

/** A rule that strikes the next `times` requests that match. */
export function failing(match: FaultMatch, fault: Fault, times: number): FaultRule {
  let left = times
  return (request, call) => {
    if (left === 0 || !fits(match, request, call)) return undefined
    left -= 1
    return fault
  }
}

/** What reaches the client when `fault` strikes. `handle` lets the request take effect and returns the true answer. */
export function deliver(
  fault: Fault | undefined,
  handle: () => SentResponse,
  complete: (answer: Answer) => SentResponse,
): Delivery {
  const effect = (when: When): SentResponse | undefined => (when === 'after' ? handle() : undefined)
  switch (fault?.kind) {
    case undefined:
      return { kind: 'response', ...handle(), delayMs: 0 }
    case 'respond':
      return { kind: 'response', ...complete(fault), delayMs: 0 }
    case 'respond-after':
      handle()
      return { kind: 'response', ...complete(fault), delayMs: 0 }
    case 'reset':
      effect(fault.when)
      return { kind: 'reset', delayMs: 0 }
    case 'hang':
      effect(fault.when)
      return { kind: 'hang', delayMs: 0 }
    case 'raw':
      effect(fault.when)
      return { kind: 'raw', text: fault.text, delayMs: 0 }
    case 'truncate':
      return { kind: 'truncated', ...handle(), length: fault.length ?? 'declared', delayMs: 0 }
    case 'trickle':
      return { kind: 'trickled', ...handle(), everyMs: fault.everyMs, delayMs: 0 }
    case 'delay': {
      const late = deliver(fault.fault, handle, complete)
      return { ...late, delayMs: late.delayMs + fault.ms }
    }
  }
}

function fits(match: FaultMatch, request: ParsedRequest, call: Call): boolean {
  if (typeof match === 'function') return match(request, call)
  if (match instanceof RegExp) return match.test(`${request.method} ${request.path}`)
  return match === call.operation
}

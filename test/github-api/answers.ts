/** The shapes of GitHub's answers. Messages are the wire's own; clients match on them. */
import type { HeaderFields } from '../simulator/exchange.ts'
import type { Answer } from '../simulator/faults.ts'

export interface FieldError {
  readonly resource: string
  readonly code: string
  readonly field: string
  readonly message?: string
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

export function found(value: unknown, headers: HeaderFields = {}): Answer {
  const cached = { ...JSON_TYPE, 'cache-control': 'private, max-age=60, s-maxage=60', ...headers }
  return { status: 200, headers: cached, body: JSON.stringify(value) }
}

export function changed(value: unknown): Answer {
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(value) }
}

export function created(value: { readonly url: string }): Answer {
  return { status: 201, headers: { ...JSON_TYPE, location: value.url }, body: JSON.stringify(value) }
}

export function refused(status: number, message: string, docs: string, more: Record<string, unknown> = {}): Answer {
  // The status in the body is text.
  const body = { message, ...more, documentation_url: docs, status: String(status) }
  return { status, headers: JSON_TYPE, body: JSON.stringify(body) }
}

export function notFound(docs: string): Answer {
  return refused(404, 'Not Found', docs)
}

/** What the validation of the application says. */
export function invalid(docs: string, ...errors: readonly FieldError[]): Answer {
  return refused(422, 'Validation Failed', docs, { errors })
}

/** What the schema of the operation says, which is looked at first. It names no field but in its text. */
export function malformed(docs: string, text: string): Answer {
  return refused(422, `Invalid request.\n\n${text}`, docs)
}

/** One HTTP exchange as plain data, so that a test can talk to the simulator without a socket. */

/** Header values as `node:http` takes and gives them; an array is one field sent several times. */
export type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>

export interface SimulatedRequest {
  readonly method: string
  /** Path and query, as on the request line. */
  readonly url: string
  readonly headers?: HeaderFields
  readonly body?: string
}

export interface SimulatedResponse {
  readonly status: number
  readonly headers: HeaderFields
  readonly body: string
}

/** A request taken apart once, with lower-case header names. */
export interface ParsedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: HeaderFields
  readonly body: string
}

/**
 * The path is kept exactly as sent: `new URL()` would quietly repair `..` and doubled slashes,
 * and hide a client that builds them.
 */
export function parseRequest(request: SimulatedRequest): ParsedRequest {
  const mark = request.url.indexOf('?')
  const path = mark === -1 ? request.url : request.url.slice(0, mark)
  const query = new URLSearchParams(mark === -1 ? '' : request.url.slice(mark + 1))
  return { method: request.method, path, query, headers: lowerCased(request.headers ?? {}), body: request.body ?? '' }
}

export function lowerCased(headers: HeaderFields): HeaderFields {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** The first value of a header, or the empty string. */
export function header(headers: HeaderFields, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}

export function jsonResponse(status: number, body: unknown, headers: HeaderFields = {}): SimulatedResponse {
  const fields = { 'content-type': 'application/json; charset=utf-8', ...headers }
  return { status, headers: fields, body: JSON.stringify(body) }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The parsed body, or `undefined` for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

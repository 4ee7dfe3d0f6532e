/**
 * Reading JSON that may be larger than a string of this engine can be (512 MiB), and of which most is not wanted: a dbt manifest
 * is two thirds macros and SQL. Objects are walked as bytes; only what is asked for is parsed.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = new Set([0x7b, 0x5b])
const CLOSE = new Set([0x7d, 0x5d])
const COMMA = 0x2c
const COLON = 0x3a
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])

export interface Entry {
  key: string
  /** The bytes of the value, unread. */
  value: Buffer
}

/** The entries of the object that `bytes` hold, in order. Throws SyntaxError where it is none, or ends before its end. */
export function* entriesOf(bytes: Buffer): Generator<Entry> {
  let at = skipBlanks(bytes, hasMark(bytes) ? 3 : 0)
  if (bytes[at] !== 0x7b) throw new SyntaxError(`expected {, found ${shown(bytes, at)}`)
  at = skipBlanks(bytes, at + 1)
  if (bytes[at] === 0x7d) return expectEnd(bytes, at + 1)
  for (;;) {
    const keyEnd = bytes[at] === QUOTE ? stringEnd(bytes, at) : at
    if (keyEnd === at) throw new SyntaxError(`expected a name in quotes, found ${shown(bytes, at)}`)
    const key = String(JSON.parse(bytes.toString('utf8', at, keyEnd)))
    at = skipBlanks(bytes, keyEnd)
    if (bytes[at] !== COLON)
      throw new SyntaxError(`expected a colon after "${key.slice(0, 80)}", found ${shown(bytes, at)}`)
    const from = skipBlanks(bytes, at + 1)
    const to = valueEnd(bytes, from)
    yield { key, value: bytes.subarray(from, to) }
    at = skipBlanks(bytes, to)
    if (bytes[at] === 0x7d) return expectEnd(bytes, at + 1)
    if (bytes[at] !== COMMA) throw new SyntaxError(`expected a comma or }, found ${shown(bytes, at)}`)
    at = skipBlanks(bytes, at + 1)
  }
}

/** A whole value. Throws SyntaxError, and RangeError where it is longer than a string can be. */
export function parseBytes(bytes: Buffer): unknown {
  const start = hasMark(bytes) ? 3 : 0
  // A byte may become a character, so this is found out before it is tried.
  if (bytes.length - start > MOST) throw new RangeError(`${Math.round(bytes.length / 1024 / 1024)} MiB`)
  return JSON.parse(bytes.toString('utf8', start))
}

/** The length of the longest string of V8 (buffer.constants.MAX_STRING_LENGTH). */
const MOST = 2 ** 29 - 24

/** A byte order mark, as some Windows tools put it in front. */
function hasMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from
  while (BLANKS.has(bytes[at] ?? 0)) at += 1
  return at
}

/** Behind the string that begins at `from`. */
function stringEnd(bytes: Buffer, from: number): number {
  let at = from + 1
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at)
    if (quote === -1) throw truncated()
    let slashes = 0
    while (bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1
    at = quote + 1
    if (slashes % 2 === 0) return at
  }
}

/** Behind the value that begins at `from`. What is inside is only looked at as far as its end must be found. */
function valueEnd(bytes: Buffer, from: number): number {
  let depth = 0
  let at = from
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) {
      at = stringEnd(bytes, at)
      if (depth === 0) return at
      continue
    }
    if (OPEN.has(byte)) depth += 1
    else if (CLOSE.has(byte)) {
      if (depth === 0) return at
      depth -= 1
      if (depth === 0) return at + 1
    } else if (depth === 0 && (byte === COMMA || BLANKS.has(byte))) return at
    at += 1
  }
  throw truncated()
}

function expectEnd(bytes: Buffer, from: number): void {
  const at = skipBlanks(bytes, from)
  if (at < bytes.length) throw new SyntaxError(`expected the end, found ${shown(bytes, at)}`)
}

function truncated(): SyntaxError {
  return new SyntaxError('it ends in the middle')
}

function shown(bytes: Buffer, at: number): string {
  return at >= bytes.length ? 'the end' : JSON.stringify(bytes.toString('utf8', at, at + 12))
}

/** What a value is, where it is that; else nothing. Nothing of a file is believed to be there. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

export function scalar(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

import { parseJson } from './json.ts'

/** A run as another step or job names it: an item of the `runs` output. `syncId` is null where only a run id is known. */
export interface RunHandle {
  provider: string
  syncId: string | null
  runId: string
}

/** What the inputs need to know of a provider before it is talked to. */
export interface ProviderFacts {
  name: string
  aliases: readonly string[]
  /** Pattern of its sync and run ids. */
  id: RegExp
  idHelp: string
  /** Region → address. The first one is the default. */
  regions: ReadonlyMap<string, string>
  /** Where its web app shows a sync: the hosts, and the sync's id in the path. */
  pages: { hosts: readonly string[]; sync: RegExp }
}

export type CheckedUrl = { url: string; warning?: string } | { problem: string }

const SHORTEST_SECRET = 8

/**
 * A token as people paste it: with white space, quotes or the word Bearer around it. The prefix `secret-token:` is part of a
 * Census workspace key and stays. The message never holds the value.
 */
export function parseToken(text: string, whenEmpty: string): { token: string } | { problem: string } {
  const unquoted = (quoted: string) =>
    quoted
      .trim()
      .replace(/^(["'`])(.*)\1$/s, '$2')
      .trim()
  const token = unquoted(unquoted(text.replace(/^\uFEFF/, '')).replace(/^Bearer\s+/i, ''))
  if (token === '') return { problem: `api-token: is required. ${whenEmpty}` }
  if (/^https?:/i.test(token))
    return { problem: 'api-token: is an address. Give the token alone, without the address that it is used with.' }
  // Printable ASCII without blanks: whatever else a header would carry is a line break, a control character or a slip.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return {
      problem:
        'api-token: holds a blank, a line break, a control character or a letter that no token has. Paste it again.',
    }
  }
  if (token.length < SHORTEST_SECRET)
    return { problem: `api-token: is shorter than ${SHORTEST_SECRET} characters, so it cannot be a token.` }
  return { token }
}

/**
 * The token, what is left of it without its prefix, and the two as the user name and password of HTTP; nothing that is so short that
 * it may stand in any text.
 */
export function secretsOf(token: string): string[] {
  const forms = [token, token.replace(/^secret-token:/, ''), btoa(`bearer:${token}`)]
  return forms.filter(isLong)
}

function isLong(secret: string): boolean {
  return secret.length >= SHORTEST_SECRET
}

/** A message that quotes what somebody has pasted, without the token if that is what it was, or the pieces of what is none. */
export function hideToken(text: string, raw: string): string {
  const parsed = parseToken(raw, '')
  const secrets = 'token' in parsed ? secretsOf(parsed.token) : piecesOf(raw)
  return secrets.toSorted((a, b) => b.length - a.length).reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}

/** What begins a token, and tells everybody no more than that it is one. */
const PREFIX = /^(?:secret-token:|gh[a-z]_|github_pat_)$/

/** What stands between the blanks and line breaks of something that was to be a token, as far as it may be one. */
export function piecesOf(raw: string): string[] {
  const pieces = raw.split(/[\s\p{Cc}]+/u).filter((piece) => !PREFIX.test(piece))
  return pieces.flatMap((piece) => [piece, piece.replace(/^secret-token:/, '')]).filter(isLong)
}

/** A list as people write it. `#` starts a comment. null: it begins like JSON and is none. */
export function parseList(text: string): unknown[] | null {
  if (text.trim().startsWith('[')) {
    try {
      const list = parseJson(text)
      return Array.isArray(list) ? list : null
    } catch {
      return null
    }
  }
  return text
    .replace(/#.*$/gm, '')
    .split(/[\s,]+/)
    .filter((item) => item !== '')
}

export function toId(item: unknown): string | null {
  if (typeof item === 'string') return item.trim()
  return typeof item === 'number' && Number.isSafeInteger(item) ? String(item) : null
}

/** A plain run id, or an item of the `runs` output. */
export function toHandle(item: unknown, provider: string): RunHandle | null {
  const runId = toId(item)
  if (runId !== null) return { provider, syncId: null, runId }
  if (typeof item !== 'object' || item === null || !('run_id' in item)) return null
  const of = 'provider' in item ? item.provider : provider
  const sync = 'sync_id' in item ? toId(item.sync_id) : null
  const run = toId(item.run_id)
  return run === null || typeof of !== 'string' ? null : { provider: of, syncId: sync, runId: run }
}

export function parseCancelOn(text: string): ReadonlySet<'cancel' | 'timeout' | 'failure'> | null {
  const words = text.toLowerCase().split(/[\s,]+/)
  if (words.length === 1 && words[0] === 'never') return new Set()
  const chosen = new Set<'cancel' | 'timeout' | 'failure'>()
  for (const word of words) {
    if (word !== 'cancel' && word !== 'timeout' && word !== 'failure') return null
    chosen.add(word)
  }
  return chosen
}

export function parseAddress(
  facts: ProviderFacts | undefined,
  region: string,
  baseUrl: string,
  checkUrl: (text: string) => CheckedUrl,
): CheckedUrl {
  if (baseUrl !== '') {
    if (region !== '') return { problem: 'region: cannot be combined with base-url. Give one of the two.' }
    const checked = checkUrl(baseUrl)
    return 'problem' in checked ? { problem: `base-url: ${checked.problem}` } : checked
  }
  if (facts === undefined) return { url: '' }
  const names = [...facts.regions.keys()]
  const url = facts.regions.get(region === '' ? (names[0] ?? '') : region.toLowerCase())
  return url === undefined
    ? { problem: `region: ${quote(region)} is not allowed. Allowed for ${facts.name}: ${names.join(', ')}.` }
    : { url }
}

/** `onDuplicates` hears, once, which keys occur more than once: `"8290" and 2 more are`. */
export function dedupe<T>(items: readonly T[], key: (item: T) => string, onDuplicates: (which: string) => void): T[] {
  const kept = new Map<string, T>()
  const repeated = new Set<string>()
  for (const item of items) {
    if (kept.has(key(item))) repeated.add(key(item))
    else kept.set(key(item), item)
  }
  const [first, ...more] = repeated
  if (first !== undefined) onDuplicates(`${quote(first)}${more.length === 0 ? ' is' : ` and ${more.length} more are`}`)
  return [...kept.values()]
}

/** A value for a message; what looks like a token that was given to the wrong input is not repeated. */
export function quote(value: string): string {
  const shown = value.replace(/(secret-token:|gh[a-z]_|github_pat_)[^\s"']+/g, '$1***')
  return `"${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}"`
}

export function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}

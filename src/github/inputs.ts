import { setSecret } from '@actions/core'
import leven from 'leven'
import { hideToken, parseToken, piecesOf } from '../core/input-values.ts'
import { DEFAULTS } from '../core/inputs.ts'

export interface RawInputs {
  raw: Record<string, string>
  problems: string[]
  warnings: string[]
}

/**
 * The inputs as the runner passes them, in variables named INPUT_…; one that is nearly one of ours is a problem, because a typo
 * must not silently switch a limit off.
 */
export function readInputs(env: NodeJS.ProcessEnv): RawInputs {
  const read: RawInputs = { raw: {}, problems: [], warnings: [] }
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('INPUT_')) continue
    const name = variable.slice('INPUT_'.length).toLowerCase()
    if (Object.hasOwn(DEFAULTS, name)) {
      read.raw[name] = value ?? ''
      continue
    }
    const meant = Object.keys(DEFAULTS).find((known) => isNearly(name, known))
    if (meant !== undefined) read.problems.push(`${name}: there is no such input. Did you mean ${meant}?`)
    else read.warnings.push(`${name}: there is no such input, so it has no effect.`)
  }
  const token = read.raw['api-token'] ?? ''
  mask(token)
  mask(read.raw['github-token'] ?? '')
  maskProxies(env)
  // A token pasted into another input as well is taken out before anything shows that input: a piece of it is not masked.
  for (const [name, value] of Object.entries(read.raw)) {
    if (name !== 'api-token' && name !== 'github-token') read.raw[name] = hideToken(value, token)
  }
  return read
}

/** One slip away, or only a part of the name: `max_parallel`, `retry`, `timeout`, `token`. */
function isNearly(name: string, known: string): boolean {
  const plain = (text: string) => text.replace(/[-_ ]/g, '').replace(/ies$/, 'y').replace(/s$/, '')
  const isPart = name.length > 2 && `-${known}-`.includes(`-${name}-`)
  return isPart || plain(name) === plain(known) || leven(name, known) <= Math.min(2, Math.floor(known.length / 3))
}

/** A text shorter than this would hide half the log. */
const SHORTEST = 8

/** Hides the token and what it is sent as, before anything is printed. */
function mask(raw: string): void {
  const parsed = parseToken(raw, '')
  const token = 'token' in parsed ? parsed.token : raw.trim()
  const forms = [
    raw.trim(),
    ...piecesOf(raw),
    token,
    token.replace(/^secret-token:/, ''),
    Buffer.from(`bearer:${token}`).toString('base64'),
  ]
  for (const secret of new Set(forms)) {
    if (secret.length >= SHORTEST && token.length >= SHORTEST) setSecret(secret)
  }
}

/** The password of a proxy, which an error of the network might quote. */
function maskProxies(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (!/^https?_proxy$/i.test(name) || value === undefined || !URL.canParse(value)) continue
    const { username, password } = new URL(value)
    // As it is in the address, and as it is sent.
    const pairs = [
      [username, password],
      [decoded(username), decoded(password)],
    ] as const
    const forms = pairs.flatMap(([user, secret]) => [
      secret,
      `${user}:${secret}`,
      Buffer.from(`${user}:${secret}`).toString('base64'),
    ])
    for (const secret of password === '' ? [] : new Set(forms)) if (secret.length >= SHORTEST) setSecret(secret)
  }
}

/** A piece of an address as it is meant; as it stands, where that cannot be told. */
function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece)
  } catch {
    return piece
  }
}

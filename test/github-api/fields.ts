/** Reads the JSON body of a request by the schema of its operation. */
import { isRecord, parseJson } from '../simulator/exchange.ts'
import type { Answer } from '../simulator/faults.ts'
import { malformed, refused } from './answers.ts'

type Kind = 'string' | 'number' | 'array' | 'null'

export interface Field {
  readonly kinds: readonly Kind[]
  readonly required?: boolean
  readonly oneOf?: readonly string[]
}

export type Schema = Readonly<Record<string, Field>>

export type Values = Readonly<Record<string, unknown>>

export type Read =
  | { readonly kind: 'values'; readonly values: Values }
  | { readonly kind: 'refused'; readonly answer: Answer }

export interface Reading {
  readonly body: string
  readonly docs: string
  readonly problem: (text: string) => void
}

export function readFields({ body, docs, problem }: Reading, schema: Schema): Read {
  const refuse = (answer: Answer): Read => ({ kind: 'refused', answer })
  if (body === '') return refuse(malformed(docs, "For 'links/0/schema', nil is not an object."))
  const values = parseJson(body)
  if (values === undefined) return refuse(refused(400, 'Problems parsing JSON', docs))
  if (!isRecord(values)) return refuse(refused(400, 'Body should be a JSON object', docs))
  for (const name of Object.keys(values)) {
    if (schema[name] === undefined) problem(`unknown field "${name}" in the body`)
  }
  for (const [name, field] of Object.entries(schema)) {
    const wrong = complaint(name, field, values[name])
    if (wrong !== undefined) return refuse(malformed(docs, wrong))
  }
  return { kind: 'values', values }
}

export function textIn(values: Values, name: string): string | undefined {
  const value = values[name]
  // A title may be a number, says the schema.
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

/** Names, given as they are or as objects with a `name`. */
export function namesIn(values: Values, name: string): string[] | undefined {
  const value = values[name]
  if (!Array.isArray(value)) return undefined
  return value.map((item: unknown) => String(isRecord(item) ? item.name : item))
}

function complaint(name: string, { kinds, required = false, oneOf }: Field, value: unknown): string | undefined {
  if (value === undefined) return required ? `"${name}" wasn't supplied.` : undefined
  if (!kinds.some((kind) => kind === kindOf(value)))
    return `For 'properties/${name}', ${inspected(value)} is not ${listed(kinds)}.`
  if (oneOf === undefined || value === null || oneOf.some((allowed) => allowed === value)) return undefined
  return `For 'properties/${name}', ${inspected(value)} is not a member of ${JSON.stringify(oneOf)}.`
}

function kindOf(value: unknown): Kind | 'other' {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'other'
}

function listed(kinds: readonly Kind[]): string {
  const names = kinds.map((kind) => (kind === 'number' ? 'integer' : kind))
  const text = names.length < 3 ? names.join(' or ') : `${names.slice(0, -1).join(', ')}, or ${names.at(-1)}`
  return /^[aeiou]/.test(text) ? `an ${text}` : `a ${text}`
}

/** As Ruby would show it. */
function inspected(value: unknown): string {
  return value === null ? 'nil' : JSON.stringify(value)
}

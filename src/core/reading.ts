import { type ProviderFacts, quote } from './input-values.ts'
import type { InputName } from './inputs.ts'
import type { Limit } from './judge.ts'

/** The words that a setting may have, its default first. The inputs and the config file share them. */
export const CHOICES = {
  'on-fresh': ['skip', 'trigger'],
  'on-running': ['queue', 'attach', 'skip', 'fail'],
  'on-paused': ['fail', 'skip', 'trigger'],
  'on-not-built': ['skip', 'trigger'],
  'on-blocked': ['fail', 'skip'],
  'dbt-gate': ['upstream', 'direct', 'strict', 'off'],
} as const

/** What numbers may be. */
export const RANGES = {
  retries: { unit: 'runs', least: 0, most: 10, whole: true },
  'max-parallel': { unit: 'runs', least: 1, most: 2000, whole: true },
  'timeout-minutes': { unit: 'minutes', least: 0.01, most: 7200, whole: false },
  'poll-interval-seconds': { unit: 'seconds', least: 0.01, most: 3600, whole: false },
  'outage-tolerance-minutes': { unit: 'minutes', least: 0, most: 7200, whole: false },
  'dbt-max-age-hours': { unit: 'hours', least: 0.01, most: 8760, whole: false },
} as const

/** Turns the text of a setting into its value; hears of `problem` where it is none, and goes on with something harmless. */
export interface Reader<Name extends string> {
  text(name: Name): string
  problem(name: Name, allowed: string): void
}

/** The texts of the inputs, and what is found to be wrong with them. */
export interface Desk extends Reader<InputName> {
  problem(name: InputName, allowed: string, value?: string): void
  /** Nothing may run. */
  problems: string[]
  warnings: string[]
  facts: ProviderFacts | undefined
}

export function readChoice<Name extends string, const T extends string>(
  { text, problem }: Reader<Name>,
  name: Name,
  options: readonly [T, ...T[]],
): T {
  const chosen = options.find((option) => option === text(name).toLowerCase())
  if (chosen === undefined) problem(name, `Allowed: ${options.join(', ')}.`)
  return chosen ?? options[0]
}

/** The spellings of YAML 1.2's core schema, as the toolkit's own getBooleanInput has them. */
export function readFlag<Name extends string>({ text, problem }: Reader<Name>, name: Name): boolean {
  if (!/^(true|True|TRUE|false|False|FALSE)$/.test(text(name))) problem(name, 'Allowed: true, false.')
  return /^true$/i.test(text(name))
}

export function readNumber<Name extends string>(
  { text, problem }: Reader<Name>,
  name: Name & keyof typeof RANGES,
): number {
  const { unit, least, most, whole } = RANGES[name]
  const value = /^\d{1,9}(\.\d{1,6})?$/.test(text(name)) ? Number(text(name)) : Number.NaN
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value
  problem(name, `Allowed: a ${whole ? 'whole ' : ''}number of ${unit} from ${least} to ${most}.`)
  return least
}

/** A number of records, or a percentage; null where there is none. */
export function readLimit<Name extends string>({ text, problem }: Reader<Name>, name: Name): Limit | null {
  if (text(name) === '') return null
  const [, digits, percent] = /^(\d{1,12}(?:\.\d{1,6})?)\s*(%?)$/.exec(text(name)) ?? []
  const value = Number(digits)
  if (percent === '%' && value <= 100) return { percent: value }
  if (percent === '' && Number.isInteger(value)) return { count: value }
  problem(name, 'Allowed: a whole number of records such as 100, or a percentage from 0% to 100%.')
  return null
}

/** What is wrong with a value, and what is allowed. */
export function complaint(name: string, value: string, allowed: string): string {
  return `${name}: ${value === '' ? 'is required' : `${quote(value)} is not allowed`}. ${allowed}`
}

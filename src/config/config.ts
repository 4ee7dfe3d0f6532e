import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import leven from 'leven'
import { type ProviderFacts, quote } from '../core/input-values.ts'
import { CHOICES, type Reader, readChoice, readFlag, readLimit, readNumber } from '../core/reading.ts'
import type { ConfigFile, Overrides } from '../core/settings.ts'
import { type Place, readYaml, type Value } from './yaml.ts'

export interface Config {
  config: ConfigFile
  /** Each names the file, line and column, and what is allowed. */
  problems: string[]
}

/** The settings of a sync, each with the types of YAML that it may have. */
export const SETTINGS = {
  id: ['number', 'string'],
  name: ['string'],
  models: ['list'],
  'dbt-gate': ['string'],
  'allow-failure': ['boolean'],
  'full-sync': ['boolean'],
  retries: ['number'],
  'max-failed-records': ['number', 'string'],
  'max-invalid-records': ['number', 'string'],
  'on-running': ['string'],
  'on-paused': ['string'],
  'timeout-minutes': ['number'],
} as const

type Setting = keyof typeof SETTINGS
type Complain = (place: Place, what: string) => void

/** Reads the config file at `path`, if there is one to read. `provider` is what the input of that name says. */
export async function readConfig(
  path: string,
  root: string,
  providers: readonly ProviderFacts[],
  provider: string,
): Promise<Config> {
  if (path === '') return { config: new Map(), problems: [] }
  try {
    return await parseConfig(await readFile(resolve(root, path), 'utf8'), path, providers, provider)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === '') throw error
    const why = code === 'ENOENT' ? 'does not exist. Its path starts from the workspace' : `cannot be read (${code})`
    return { config: new Map(), problems: [`config: ${quote(path)} ${why}.`] }
  }
}

/** Parses a config file. All that is wrong is told at once. */
export async function parseConfig(
  text: string,
  path: string,
  providers: readonly ProviderFacts[],
  provider: string,
): Promise<Config> {
  const problems: string[] = []
  const complain: Complain = ({ line, column }, what) => problems.push(`config: ${path}:${line}:${column}: ${what}`)
  const { value, flaws } = await readYaml(text)
  for (const flaw of flaws) complain(flaw.place, flaw.text)
  if (value === null) return { config: new Map(), problems }

  const file = entriesOf(value, ['provider', 'syncs'], complain)
  if (file === null) return { config: new Map(), problems }
  const facts = readProvider(file.get('provider'), providers, provider, complain)
  const list = file.get('syncs')
  if (list?.type !== 'list' || list.items.length === 0) {
    complain(list ?? value, 'syncs: must be a list of one sync or more, each with its id: "- id: 8290".')
    return { config: new Map(), problems }
  }
  const config = new Map<string, Overrides>()
  for (const item of list.items) {
    const entries = entriesOf(item, Object.keys(SETTINGS).filter(isSetting), complain)
    if (entries === null) continue
    const { id, overrides } = readSync(item, entries, facts, complain)
    if (id !== '' && config.has(id))
      complain(entries.get('id') ?? item, `id: ${quote(id)} is listed twice. List each sync once.`)
    config.set(id, overrides)
  }
  return { config, problems }
}

/** The entries of a mapping that are not empty; null where it is none. */
function entriesOf<Name extends string>(
  value: Value,
  names: readonly Name[],
  complain: Complain,
): Map<Name, Value> | null {
  if (value.type !== 'mapping') {
    complain(value, `must be a mapping with ${names.join(', ')}, not ${article(value.type)}.`)
    return null
  }
  const entries = new Map<Name, Value>()
  const seen = new Set<Name>()
  for (const { key, place, value: given } of value.entries) {
    const name = names.find((known) => known === key)
    if (name === undefined) complain(place, unknown(key, names))
    else if (seen.has(name)) complain(place, `${name}: is given twice. Keep one of the two.`)
    else {
      seen.add(name)
      if (given.type !== 'null') entries.set(name, given)
    }
  }
  return entries
}

function unknown(key: string, names: readonly string[]): string {
  // Longer ones are near to nothing, and take long.
  const start = key.slice(0, 40).toLowerCase()
  const near = names.toSorted((a, b) => leven(a, start) - leven(b, start))[0] ?? ''
  const isNear = leven(near, start) <= Math.min(near.length - 1, Math.max(2, Math.floor(near.length / 3)))
  const hint = isNear ? ` Did you mean ${near}?` : ''
  return `there is no setting ${quote(key)}.${hint} Allowed: ${names.join(', ')}.`
}

/** The provider whose syncs these are. Where the file names one, it must be the one of the inputs. */
function readProvider(
  value: Value | undefined,
  providers: readonly ProviderFacts[],
  input: string,
  complain: Complain,
): ProviderFacts | undefined {
  const find = (wanted: string) =>
    providers.find(({ name, aliases }) => [name, ...aliases].includes(wanted.trim().toLowerCase()))
  const facts = find(input) ?? providers[0]
  if (value === undefined) return facts
  const allowed = providers.flatMap(({ name, aliases }) => [name, ...aliases]).join(', ')
  const named = value.type === 'string' ? find(value.text) : undefined
  if (value.type !== 'string') complain(value, `provider: must be a text, not ${article(value.type)}.`)
  else if (named === undefined) complain(value, `provider: ${quote(value.text)} is not allowed. Allowed: ${allowed}.`)
  else if (named !== facts)
    complain(value, `provider: ${named.name} is not what the input provider says, ${quote(input)}.`)
  return facts
}

function readSync(
  item: Value,
  entries: Map<Setting, Value>,
  facts: ProviderFacts | undefined,
  complain: Complain,
): { id: string; overrides: Overrides } {
  const isMissing = !entries.has('id')
  for (const [name, value] of entries) {
    if (SETTINGS[name].some((allowed) => allowed === value.type)) continue
    complain(value, `${name}: must be ${SETTINGS[name].map(article).join(' or ')}, not ${article(value.type)}.`)
    entries.delete(name)
  }
  const textOf = (value: Value | undefined) => (value !== undefined && 'text' in value ? value.text : '')
  const reader: Reader<Setting> = {
    text: (name) => textOf(entries.get(name)),
    problem: (name, allowed) => {
      const value = entries.get(name)
      complain(
        value ?? item,
        `${name}: ${value === undefined ? 'is required' : `${quote(textOf(value))} is not allowed`}. ${allowed}`,
      )
    },
  }
  const id = reader.text('id')
  const has = (name: Setting) => entries.has(name)
  if (facts !== undefined && (isMissing || has('id')) && !facts.id.test(id))
    reader.problem('id', `Allowed for ${facts.name}: ${facts.idHelp}.`)
  // An empty limit must not pass for none at all, which is the most generous one.
  for (const name of ['name', 'max-failed-records', 'max-invalid-records'] as const)
    if (has(name) && reader.text(name) === '') reader.problem(name, 'Give it a value, or leave it out.')
  const models = entries.get('models')
  const overrides: Overrides = {
    ...(has('name') && { name: reader.text('name') }),
    ...(models?.type === 'list' && { models: readModels(models, complain) }),
    ...(has('dbt-gate') && { gate: readChoice(reader, 'dbt-gate', CHOICES['dbt-gate']) }),
    ...(has('allow-failure') && { allowFailure: readFlag(reader, 'allow-failure') }),
    ...(has('full-sync') && { full: readFlag(reader, 'full-sync') }),
    ...(has('retries') && { retries: readNumber(reader, 'retries') }),
    ...(has('max-failed-records') && { maxFailed: readLimit(reader, 'max-failed-records') }),
    ...(has('max-invalid-records') && { maxInvalid: readLimit(reader, 'max-invalid-records') }),
    ...(has('on-running') && { onRunning: readChoice(reader, 'on-running', CHOICES['on-running']) }),
    ...(has('on-paused') && { onPaused: readChoice(reader, 'on-paused', CHOICES['on-paused']) }),
    ...(has('timeout-minutes') && { ownTimeoutMs: readNumber(reader, 'timeout-minutes') * 60_000 }),
  }
  return { id, overrides }
}

function readModels(list: Extract<Value, { type: 'list' }>, complain: Complain): string[] {
  if (list.items.length === 0)
    complain(list, 'models: must name one dbt model or more; leave it out where they are not known.')
  return list.items.flatMap((item) => {
    if (item.type === 'string' && item.text !== '') return [item.text]
    const what = article(item.type === 'string' ? 'null' : item.type)
    complain(item, `models: must be a list of names of dbt models, and this is ${what}.`)
    return []
  })
}

function isSetting(name: string): name is Setting {
  return Object.hasOwn(SETTINGS, name)
}

function article(type: Value['type']): string {
  if (type === 'null') return 'empty'
  return type === 'boolean' ? 'true or false' : `a ${type === 'string' ? 'text' : type}`
}

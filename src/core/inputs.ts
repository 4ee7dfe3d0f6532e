import {
  type CheckedUrl,
  dedupe,
  type ProviderFacts,
  parseAddress,
  parseCancelOn,
  parseList,
  parseToken,
  quote,
  type RunHandle,
  show,
  toHandle,
  toId,
} from './input-values.ts'
import type { Limit } from './judge.ts'

/** The inputs of the action, checked. Times are in milliseconds. */
export interface Inputs {
  provider: string
  token: string
  baseUrl: string
  apiVersion: 'auto' | 'v1' | 'v2'
  groupId: string | null
  mode: Mode
  syncIds: string[]
  runs: RunHandle[]
  full: boolean
  onFresh: 'skip' | 'trigger'
  onPaused: 'fail' | 'skip' | 'trigger'
  onRunning: 'queue' | 'attach' | 'skip' | 'fail'
  retries: number
  maxParallel: number
  failFast: boolean
  timeoutMs: number
  /** null: adaptive. */
  pollIntervalMs: number | null
  outageToleranceMs: number
  cancelOn: ReadonlySet<'cancel' | 'timeout' | 'failure'>
  maxFailed: Limit | null
  maxInvalid: Limit | null
  showDetails: boolean
  jobStatus: 'success' | 'failure' | 'cancelled'
}

export type Mode = 'run' | 'trigger' | 'wait' | 'plan'

export type ParsedInputs = { warnings: string[] } & (
  | { ok: true; inputs: Inputs }
  /** Each names the input, the value (never a secret) and what is allowed. */
  | { ok: false; problems: string[] }
)

/** Every input with its default, in the order of action.yml. */
export const DEFAULTS = {
  provider: 'census',
  'api-token': '',
  'sync-ids': '',
  mode: 'run',
  runs: '',
  'full-sync': 'false',
  'on-fresh': 'skip',
  'on-running': 'queue',
  'on-paused': 'fail',
  retries: '0',
  'max-parallel': '',
  'fail-fast': 'false',
  'timeout-minutes': '60',
  'poll-interval-seconds': '',
  'outage-tolerance-minutes': '15',
  'cancel-on': 'cancel',
  'max-failed-records': '',
  'max-invalid-records': '',
  region: '',
  'base-url': '',
  'api-version': 'auto',
  'group-id': '',
  'show-details': 'false',
  'job-status': 'success',
} as const

export type InputName = keyof typeof DEFAULTS

const MAX_SYNCS = 2000

/**
 * Checks all inputs at once. `raw` holds the texts as the runner passes them; `checkUrl` decides which addresses may be given the
 * token; `emptyToken` says what an empty token means in this event.
 */
export function parseInputs(
  raw: Readonly<Record<string, string>>,
  providers: readonly ProviderFacts[],
  checkUrl: (text: string) => CheckedUrl,
  emptyToken: string,
): ParsedInputs {
  const problems: string[] = []
  const warnings: string[] = []
  const text = (name: InputName) => raw[name]?.trim() || DEFAULTS[name]

  const problem = (name: InputName, allowed: string, value = text(name)) => {
    problems.push(`${name}: ${value === '' ? 'is required' : `${quote(value)} is not allowed`}. ${allowed}`)
  }
  const choice = <const T extends string>(name: InputName, ...options: [T, ...T[]]): T => {
    const chosen = options.find((option) => option === text(name).toLowerCase())
    if (chosen === undefined) problem(name, `Allowed: ${options.join(', ')}.`)
    return chosen ?? options[0]
  }
  // The spellings of YAML 1.2's core schema, as the toolkit's own getBooleanInput has them.
  const flag = (name: InputName): boolean => {
    if (!/^(true|True|TRUE|false|False|FALSE)$/.test(text(name))) problem(name, 'Allowed: true, false.')
    return /^true$/i.test(text(name))
  }
  const number = (name: InputName, unit: string, least: number, most: number, whole = false): number => {
    const value = /^\d{1,9}(\.\d{1,6})?$/.test(text(name)) ? Number(text(name)) : Number.NaN
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value
    problem(name, `Allowed: a ${whole ? 'whole ' : ''}number of ${unit} from ${least} to ${most}.`)
    return least
  }
  const limit = (name: InputName): Limit | null => {
    if (text(name) === '') return null
    const [, digits, percent] = /^(\d{1,12}(?:\.\d{1,6})?)\s*(%?)$/.exec(text(name)) ?? []
    const value = Number(digits)
    if (percent === '%' && value <= 100) return { percent: value }
    if (percent === '' && Number.isInteger(value)) return { count: value }
    problem(name, 'Allowed: a whole number of records such as 100, or a percentage from 0% to 100%.')
    return null
  }

  const facts = providers.find(({ name, aliases }) => [name, ...aliases].includes(text('provider').toLowerCase()))
  if (facts === undefined)
    problem('provider', `Allowed: ${providers.flatMap(({ name, aliases }) => [name, ...aliases]).join(', ')}.`)
  const mode = choice('mode', 'run', 'trigger', 'wait', 'plan')
  const failFast = flag('fail-fast')
  const token = parseToken(raw['api-token'] ?? '', emptyToken)
  if ('problem' in token) problems.push(token.problem)

  const list = (name: 'sync-ids' | 'runs') => {
    const items = parseList(raw[name] ?? '')
    if (items === null) problem(name, 'Allowed: ids separated by new lines, commas or blanks, or a JSON array.')
    return items ?? []
  }
  const checkId = (name: 'sync-ids' | 'runs', id: string) => {
    if (facts !== undefined && !facts.id.test(id)) problem(name, `Allowed for ${facts.name}: ${facts.idHelp}.`, id)
  }

  const syncIds: string[] = []
  let runs: RunHandle[] = []
  if (mode === 'wait') {
    if (text('sync-ids') !== '') problem('sync-ids', 'With mode: wait the runs are given by the input runs.')
    if (text('runs') === '')
      problem('runs', 'With mode: wait, give the runs output of an earlier step, or a list of run ids.')
    runs = list('runs').flatMap((item) => {
      const handle = toHandle(item, facts?.name ?? '')
      if (handle === null) problem('runs', 'Allowed: items of the runs output of this action, or run ids.', show(item))
      else if (facts !== undefined && handle.provider !== facts.name)
        problem('runs', `This step watches runs of ${facts.name}.`, show(item))
      else for (const id of handle.syncId === null ? [handle.runId] : [handle.syncId, handle.runId]) checkId('runs', id)
      return handle ?? []
    })
    runs = dedupe(
      runs,
      ({ runId }) => runId,
      (id) => warnings.push(`runs: ${quote(id)} is listed more than once; it is watched once.`),
    )
  } else {
    if (text('runs') !== '') problem('runs', 'Only mode: wait takes runs.')
    for (const item of list('sync-ids')) {
      const id = toId(item)
      if (id === null) problem('sync-ids', 'Allowed: ids as text or whole numbers.', show(item))
      else {
        checkId('sync-ids', id)
        syncIds.push(id)
      }
    }
    if (syncIds.length === 0 && !problems.some((line) => line.startsWith('sync-ids'))) {
      problems.push(
        'sync-ids: is required and names no sync. Give one id or more, for example "8290, 8291"; a sync\'s id is the number in the address of its page.',
      )
    }
  }
  const uniqueIds = dedupe(
    syncIds,
    (id) => id,
    (id) => warnings.push(`sync-ids: ${quote(id)} is listed more than once; it runs once.`),
  )
  if (uniqueIds.length > MAX_SYNCS)
    problem('sync-ids', `Allowed: at most ${MAX_SYNCS} syncs in one step.`, `${uniqueIds.length} ids`)

  const cancelOn = parseCancelOn(text('cancel-on'))
  if (cancelOn === null) problem('cancel-on', 'Allowed: any of cancel, timeout, failure; or never alone.')
  if (cancelOn?.has('failure') && !failFast) problem('cancel-on', 'failure needs fail-fast: true.')

  const baseUrl = parseAddress(facts, text('region'), text('base-url'), checkUrl)
  if ('problem' in baseUrl) problems.push(baseUrl.problem)
  else if (baseUrl.warning !== undefined) warnings.push(baseUrl.warning)
  if (text('group-id') !== '' && !/^[A-Za-z0-9_-]{1,128}$/.test(text('group-id'))) {
    problem('group-id', 'Allowed: up to 128 letters, digits, _ and -.')
  }

  const inputs: Inputs = {
    provider: facts?.name ?? '',
    token: 'token' in token ? token.token : '',
    baseUrl: 'url' in baseUrl ? baseUrl.url : '',
    apiVersion: choice('api-version', 'auto', 'v1', 'v2'),
    groupId: text('group-id') || null,
    mode,
    syncIds: uniqueIds,
    runs,
    full: flag('full-sync'),
    onFresh: choice('on-fresh', 'skip', 'trigger'),
    onRunning: choice('on-running', 'queue', 'attach', 'skip', 'fail'),
    onPaused: choice('on-paused', 'fail', 'skip', 'trigger'),
    retries: number('retries', 'runs', 0, 10, true),
    maxParallel:
      text('max-parallel') === '' ? Number.POSITIVE_INFINITY : number('max-parallel', 'runs', 1, MAX_SYNCS, true),
    failFast,
    timeoutMs: number('timeout-minutes', 'minutes', 0.01, 7200) * 60_000,
    pollIntervalMs:
      text('poll-interval-seconds') === '' ? null : number('poll-interval-seconds', 'seconds', 0.01, 3600) * 1000,
    outageToleranceMs: number('outage-tolerance-minutes', 'minutes', 0, 7200) * 60_000,
    cancelOn: cancelOn ?? new Set(),
    maxFailed: limit('max-failed-records'),
    maxInvalid: limit('max-invalid-records'),
    showDetails: flag('show-details'),
    jobStatus: choice('job-status', 'success', 'failure', 'cancelled'),
  }
  return problems.length === 0 ? { ok: true, inputs, warnings } : { ok: false, problems, warnings }
}

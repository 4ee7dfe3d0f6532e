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
import { CHOICES, complaint, RANGES, type Reader, readChoice, readFlag, readLimit, readNumber } from './reading.ts'
import type { GateMode } from './ruling.ts'
import type { ConfigFile, Settings } from './settings.ts'

/** The inputs of the action, checked. Times are in milliseconds. */
export interface Inputs {
  provider: string
  token: string
  baseUrl: string
  apiVersion: 'auto' | 'v1' | 'v2'
  groupId: string | null
  mode: Mode
  syncIds: string[]
  /** What the config file says of syncs. */
  config: ConfigFile
  /** Which syncs to find by themselves, beside those that are listed. */
  discover: 'none' | 'exposures' | 'lineage'
  runs: RunHandle[]
  /** Paths of what dbt has left. */
  artifacts: string[]
  gate: GateMode
  maxAgeMs: number
  /** null: this workflow run's. */
  githubRunId: string | null
  onNotBuilt: 'skip' | 'trigger'
  onBlocked: 'fail' | 'skip'
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
  config: '',
  discover: 'none',
  'full-sync': 'false',
  'dbt-artifacts': '',
  'dbt-gate': 'upstream',
  'dbt-max-age-hours': '12',
  'github-run-id': '',
  'on-not-built': 'skip',
  'on-blocked': 'fail',
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

const NO_SYNC =
  'sync-ids: is required and names no sync. Give one id or more, for example "8290, 8291"; a sync\'s id is the number in the address of its page.'
const MAX_SYNCS = RANGES['max-parallel'].most
/** What has no meaning without dbt's files: given without them, it would switch off in silence what somebody relies on. */
const NEED_ARTIFACTS = [
  'dbt-gate',
  'dbt-max-age-hours',
  'github-run-id',
  'on-not-built',
  'on-blocked',
  'discover',
] as const

/**
 * Checks all inputs at once. `raw` holds the texts as the runner passes them; `checkUrl` decides which addresses may be given the
 * token; `emptyToken` says what an empty token means in this event; `config` is what the config file holds.
 */
export function parseInputs(
  raw: Readonly<Record<string, string>>,
  providers: readonly ProviderFacts[],
  checkUrl: (text: string) => CheckedUrl,
  emptyToken: string,
  config: ConfigFile = new Map(),
): ParsedInputs {
  const problems: string[] = []
  const warnings: string[] = []
  const text = (name: InputName) => raw[name]?.trim() || DEFAULTS[name]

  const problem = (name: InputName, allowed: string, value = text(name)) => {
    problems.push(complaint(name, value, allowed))
  }
  const reader: Reader<InputName> = { text, problem }

  const facts = providers.find(({ name, aliases }) => [name, ...aliases].includes(text('provider').toLowerCase()))
  if (facts === undefined)
    problem('provider', `Allowed: ${providers.flatMap(({ name, aliases }) => [name, ...aliases]).join(', ')}.`)
  const mode = readChoice(reader, 'mode', ['run', 'trigger', 'wait', 'plan'])
  const discover = readChoice(reader, 'discover', ['none', 'exposures', 'lineage'])
  const failFast = readFlag(reader, 'fail-fast')
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
    for (const name of ['sync-ids', 'dbt-artifacts', 'discover'] as const) {
      if (text(name) !== DEFAULTS[name])
        problem(name, 'With mode: wait the runs are given by the input runs, and nothing is decided.')
    }
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
    const strangers = config.size === 0 ? [] : syncIds.filter((id) => !config.has(id))
    for (const id of new Set(strangers))
      problem('sync-ids', 'The config file does not list it. Add it there, or give the config alone.', id)
    const listedElsewhere = text('config') !== '' || discover !== 'none'
    if (text('sync-ids') === '') syncIds.push(...config.keys())
    else if (syncIds.length === 0 && !problems.some((line) => line.startsWith('sync-ids'))) problems.push(NO_SYNC)
    if (text('sync-ids') === '' && !listedElsewhere) problems.push(NO_SYNC)
  }
  const uniqueIds = dedupe(
    syncIds,
    (id) => id,
    (id) => warnings.push(`sync-ids: ${quote(id)} is listed more than once; it runs once.`),
  )
  if (uniqueIds.length > MAX_SYNCS)
    problem('sync-ids', `Allowed: at most ${MAX_SYNCS} syncs in one step.`, `${uniqueIds.length} ids`)

  // One path a line: a path may hold blanks and commas.
  const artifacts = [
    ...new Set(
      text('dbt-artifacts')
        .split(/\r?\n/)
        .map((line) => line.trim()),
    ),
  ].filter((path) => path !== '')
  if (artifacts.length === 0) {
    for (const name of NEED_ARTIFACTS) {
      if (text(name) !== DEFAULTS[name])
        problem(name, "It needs dbt-artifacts: the folder with dbt's run_results.json, such as target.")
    }
    for (const [id, { gate }] of config) {
      if (gate !== undefined) problems.push(`config: sync ${id} has a dbt-gate, which needs the input dbt-artifacts.`)
    }
  }
  if (text('github-run-id') !== '' && !/^[0-9]{1,20}$/.test(text('github-run-id'))) {
    problem('github-run-id', 'Allowed: the number of a workflow run, which github.run_id is in it.')
  }

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
    apiVersion: readChoice(reader, 'api-version', ['auto', 'v1', 'v2']),
    groupId: text('group-id') || null,
    mode,
    syncIds: uniqueIds,
    config,
    discover,
    runs,
    artifacts,
    gate: readChoice(reader, 'dbt-gate', CHOICES['dbt-gate']),
    maxAgeMs: readNumber(reader, 'dbt-max-age-hours') * 3_600_000,
    githubRunId: text('github-run-id') || null,
    onNotBuilt: readChoice(reader, 'on-not-built', CHOICES['on-not-built']),
    onBlocked: readChoice(reader, 'on-blocked', CHOICES['on-blocked']),
    full: readFlag(reader, 'full-sync'),
    onFresh: readChoice(reader, 'on-fresh', CHOICES['on-fresh']),
    onRunning: readChoice(reader, 'on-running', CHOICES['on-running']),
    onPaused: readChoice(reader, 'on-paused', CHOICES['on-paused']),
    retries: readNumber(reader, 'retries'),
    maxParallel: text('max-parallel') === '' ? Number.POSITIVE_INFINITY : readNumber(reader, 'max-parallel'),
    failFast,
    timeoutMs: readNumber(reader, 'timeout-minutes') * 60_000,
    pollIntervalMs: text('poll-interval-seconds') === '' ? null : readNumber(reader, 'poll-interval-seconds') * 1000,
    outageToleranceMs: readNumber(reader, 'outage-tolerance-minutes') * 60_000,
    cancelOn: cancelOn ?? new Set(),
    maxFailed: readLimit(reader, 'max-failed-records'),
    maxInvalid: readLimit(reader, 'max-invalid-records'),
    showDetails: readFlag(reader, 'show-details'),
    jobStatus: readChoice(reader, 'job-status', ['success', 'failure', 'cancelled']),
  }
  return problems.length === 0 ? { ok: true, inputs, warnings } : { ok: false, problems, warnings }
}

/** What holds for one sync. */
export function settingsOf(inputs: Inputs, id: string): Settings {
  const { full, onFresh, onRunning, onPaused, onNotBuilt, onBlocked, maxFailed, maxInvalid, retries, cancelOn, gate } =
    inputs
  const forAll = {
    full,
    onFresh,
    onRunning,
    onPaused,
    onNotBuilt,
    onBlocked,
    maxFailed,
    maxInvalid,
    retries,
    cancelOn,
    gate,
  }
  const own = { name: null, models: null, allowFailure: false, ownTimeoutMs: Number.POSITIVE_INFINITY }
  return { ...forAll, ...own, ...inputs.config.get(id) }
}

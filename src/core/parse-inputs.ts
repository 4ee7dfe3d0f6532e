import {
  type CheckedUrl,
  dedupe,
  type ProviderFacts,
  parseAddress,
  parseCancelOn,
  parseList,
  parseToken,
  type RunHandle,
  show,
  toHandle,
  toId,
} from './input-values.ts'
import { DEFAULTS, type InputName, type Inputs, MAX_SYNCS } from './inputs.ts'
import { CHOICES, complaint, type Desk, readChoice, readFlag, readLimit, readNumber } from './reading.ts'
import { type Reporting, readReporting } from './reporting.ts'
import type { ConfigFile } from './settings.ts'

export type ParsedInputs = {
  warnings: string[]
  /** Also where an input is wrong: then there is something to report. */
  reporting: Reporting
} & (
  | { ok: true; inputs: Inputs }
  /** Each names the input, the value (never a secret) and what is allowed. */
  | { ok: false; problems: string[] }
)

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
  const text = (name: InputName) => raw[name]?.trim() || DEFAULTS[name]
  const problems: string[] = []
  const warnings: string[] = []
  const facts = providers.find(({ name, aliases }) => [name, ...aliases].includes(text('provider').toLowerCase()))
  const desk: Desk = {
    text,
    problem: (name, allowed, value = text(name)) => problems.push(complaint(name, value, allowed)),
    problems,
    warnings,
    facts,
  }
  if (facts === undefined) {
    desk.problem('provider', `Allowed: ${providers.flatMap(({ name, aliases }) => [name, ...aliases]).join(', ')}.`)
  }
  const token = parseToken(raw['api-token'] ?? '', emptyToken)
  if ('problem' in token) problems.push(token.problem)
  const mode = readChoice(desk, 'mode', ['run', 'trigger', 'wait', 'plan'])
  const discover = readChoice(desk, 'discover', ['none', 'exposures', 'lineage'])
  const failFast = readFlag(desk, 'fail-fast')
  const baseUrl = parseAddress(facts, text('region'), text('base-url'), checkUrl)
  if ('problem' in baseUrl) problems.push(baseUrl.problem)
  else if (baseUrl.warning !== undefined) warnings.push(baseUrl.warning)
  if (text('group-id') !== '' && !/^[A-Za-z0-9_-]{1,128}$/.test(text('group-id'))) {
    desk.problem('group-id', 'Allowed: up to 128 letters, digits, _ and -.')
  }

  const inputs: Inputs = {
    provider: facts?.name ?? '',
    token: 'token' in token ? token.token : '',
    baseUrl: 'url' in baseUrl ? baseUrl.url : '',
    apiVersion: readChoice(desk, 'api-version', ['auto', 'v1', 'v2']),
    groupId: text('group-id') || null,
    mode,
    syncIds: mode === 'wait' ? [] : readSyncIds(desk, config, text('config') !== '' || discover !== 'none'),
    config,
    discover,
    runs: mode === 'wait' ? readRuns(desk) : [],
    artifacts: readArtifactPaths(desk, config),
    gate: readChoice(desk, 'dbt-gate', CHOICES['dbt-gate']),
    maxAgeMs: readNumber(desk, 'dbt-max-age-hours') * 3_600_000,
    githubRunId: text('github-run-id') || null,
    onNotBuilt: readChoice(desk, 'on-not-built', CHOICES['on-not-built']),
    onBlocked: readChoice(desk, 'on-blocked', CHOICES['on-blocked']),
    full: readFlag(desk, 'full-sync'),
    onFresh: readChoice(desk, 'on-fresh', CHOICES['on-fresh']),
    onRunning: readChoice(desk, 'on-running', CHOICES['on-running']),
    onPaused: readChoice(desk, 'on-paused', CHOICES['on-paused']),
    retries: readNumber(desk, 'retries'),
    maxParallel: text('max-parallel') === '' ? Number.POSITIVE_INFINITY : readNumber(desk, 'max-parallel'),
    failFast,
    timeoutMs: readNumber(desk, 'timeout-minutes') * 60_000,
    pollIntervalMs: text('poll-interval-seconds') === '' ? null : readNumber(desk, 'poll-interval-seconds') * 1000,
    outageToleranceMs: readNumber(desk, 'outage-tolerance-minutes') * 60_000,
    cancelOn: readCancelOn(desk, failFast),
    maxFailed: readLimit(desk, 'max-failed-records'),
    maxInvalid: readLimit(desk, 'max-invalid-records'),
    showDetails: readFlag(desk, 'show-details'),
    jobStatus: readChoice(desk, 'job-status', ['success', 'failure', 'cancelled']),
  }
  warnOfIdle(desk, mode)
  const reporting = readReporting(desk, mode)
  return problems.length === 0
    ? { ok: true, inputs, warnings, reporting }
    : { ok: false, problems, warnings, reporting }
}

/** What changes nothing in a mode: somebody who has set a limit should know that it does not hold. */
const IDLE: Partial<Record<Inputs['mode'], { names: readonly InputName[]; why: string }>> = {
  wait: {
    names: ['full-sync', 'on-fresh', 'on-running', 'on-paused', 'retries', 'max-parallel', 'fail-fast', 'cancel-on'],
    why: 'no effect with mode: wait, which watches runs as they are.',
  },
  trigger: {
    names: ['retries', 'max-failed-records', 'max-invalid-records'],
    why: 'no effect on the runs that mode: trigger starts. Give that to the step that waits for them.',
  },
}

function warnOfIdle({ text, warnings }: Desk, mode: Inputs['mode']): void {
  const { names = [], why } = IDLE[mode] ?? {}
  const set = names.filter((name) => text(name).toLowerCase() !== DEFAULTS[name])
  if (set.length > 0) warnings.push(`${set.join(', ')}: ${why}`)
}

const NO_SYNC =
  'sync-ids: is required and names no sync. Give one id or more, for example "8290, 8291"; a sync\'s id is the number in the address of its page.'

/** The syncs that are listed: by the input, else by the config file. `elsewhere`: they may also be named in another way. */
function readSyncIds(desk: Desk, config: ConfigFile, elsewhere: boolean): string[] {
  if (desk.text('runs') !== '') desk.problem('runs', 'Only mode: wait takes runs.')
  if (desk.text('sync-ids') === '') {
    if (!elsewhere) desk.problems.push(NO_SYNC)
    return [...config.keys()]
  }
  const items = listOf(desk, 'sync-ids')
  if (items?.length === 0) desk.problems.push(NO_SYNC)
  const ids = (items ?? []).flatMap((item) => {
    const id = toId(item)
    if (id === null) desk.problem('sync-ids', 'Allowed: ids as text or whole numbers.', show(item))
    else checkId(desk, 'sync-ids', id)
    return id ?? []
  })
  const unique = dedupe(
    ids,
    (id) => id,
    (repeated) => desk.warnings.push(`sync-ids: ${repeated} listed more than once; each runs once.`),
  )
  for (const id of config.size === 0 ? [] : unique.filter((known) => !config.has(known))) {
    desk.problem('sync-ids', 'The config file does not list it. Add it there, or give the config alone.', id)
  }
  if (unique.length > MAX_SYNCS) {
    desk.problem('sync-ids', `Allowed: at most ${MAX_SYNCS} syncs in one step.`, `${unique.length} ids`)
  }
  return unique
}

/** The runs to wait for. */
function readRuns(desk: Desk): RunHandle[] {
  const { facts } = desk
  for (const name of ['sync-ids', 'dbt-artifacts', 'discover'] as const) {
    if (desk.text(name) !== DEFAULTS[name]) {
      desk.problem(name, 'With mode: wait the runs are given by the input runs, and nothing is decided.')
    }
  }
  if (desk.text('runs') === '') {
    desk.problem('runs', 'With mode: wait, give the runs output of an earlier step, or a list of run ids.')
  }
  const items = listOf(desk, 'runs') ?? []
  // An empty array is what an earlier step gives that triggered nothing; anything else without a run in it is a mistake.
  if (items.length === 0 && desk.text('runs') !== '' && !desk.text('runs').startsWith('['))
    desk.problem('runs', 'It names no run.')
  if (items.length > MAX_SYNCS)
    desk.problem('runs', `Allowed: at most ${MAX_SYNCS} runs in one step.`, `${items.length} runs`)
  const runs = items.flatMap((item) => {
    const handle = toHandle(item, facts?.name ?? '')
    if (handle === null)
      desk.problem('runs', 'Allowed: items of the runs output of this action, or run ids.', show(item))
    else if (facts !== undefined && handle.provider !== facts.name) {
      desk.problem('runs', `This step watches runs of ${facts.name}.`, show(item))
    } else {
      for (const id of handle.syncId === null ? [handle.runId] : [handle.syncId, handle.runId])
        checkId(desk, 'runs', id)
    }
    return handle ?? []
  })
  return dedupe(
    runs,
    ({ runId }) => runId,
    (repeated) => desk.warnings.push(`runs: ${repeated} listed more than once; each is watched once.`),
  )
}

/** The items of a list; null where it is none, which is told. */
function listOf(desk: Desk, name: 'sync-ids' | 'runs'): unknown[] | null {
  const items = parseList(desk.text(name))
  if (items === null) desk.problem(name, 'Allowed: ids separated by new lines, commas or blanks, or a JSON array.')
  return items
}

function checkId({ facts, problem }: Desk, name: 'sync-ids' | 'runs', id: string): void {
  if (facts !== undefined && !facts.id.test(id)) problem(name, `Allowed for ${facts.name}: ${facts.idHelp}.`, id)
}

/** What has no meaning without dbt's files: given without them, it would switch off in silence what somebody relies on. */
const NEED_ARTIFACTS = [
  'dbt-gate',
  'dbt-max-age-hours',
  'github-run-id',
  'on-not-built',
  'on-blocked',
  'discover',
] as const

/** One path a line: a path may hold blanks and commas. */
function readArtifactPaths(desk: Desk, config: ConfigFile): string[] {
  if (!/^\d{0,20}$/.test(desk.text('github-run-id'))) {
    desk.problem('github-run-id', 'Allowed: the id of a workflow run, which is a number.')
  }
  const lines = desk.text('dbt-artifacts').split(/\r?\n/)
  const paths = new Set(lines.map((line) => line.trim()).filter((path) => path !== ''))
  if (paths.size > 0) return [...paths]
  for (const name of NEED_ARTIFACTS) {
    if (desk.text(name) === DEFAULTS[name]) continue
    desk.problem(name, "It needs dbt-artifacts: the folder with dbt's run_results.json, such as target.")
  }
  for (const [id, { gate }] of config) {
    if (gate === undefined) continue
    desk.problems.push(`config: sync ${id} has a dbt-gate, which needs the input dbt-artifacts.`)
  }
  return []
}

function readCancelOn(desk: Desk, failFast: boolean): Inputs['cancelOn'] {
  const cancelOn = parseCancelOn(desk.text('cancel-on'))
  if (cancelOn === null) desk.problem('cancel-on', 'Allowed: any of cancel, timeout, failure; or never alone.')
  if (cancelOn?.has('failure') && !failFast) desk.problem('cancel-on', 'failure needs fail-fast: true.')
  return cancelOn ?? new Set()
}

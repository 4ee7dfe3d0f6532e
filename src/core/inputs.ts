import type { RunHandle } from './input-values.ts'
import type { Limit } from './judge.ts'
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

/** As many syncs as a step can report on: GitHub takes outputs of up to 1 MB. */
export const MAX_SYNCS = 2000

/** Every input with its default, in the order of action.yml. */
export const DEFAULTS = {
  provider: 'census',
  'api-token': '',
  'sync-ids': '',
  mode: 'run',
  runs: '',
  config: '',
  discover: 'none',
  'dbt-artifacts': '',
  'dbt-gate': 'upstream',
  'dbt-max-age-hours': '12',
  'github-run-id': '',
  'on-not-built': 'skip',
  'on-blocked': 'fail',
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
  'pr-comment': 'false',
  'failure-issue': '',
  'github-token': '',
  'job-index': '',
  'job-status': 'success',
} as const

export type InputName = keyof typeof DEFAULTS

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

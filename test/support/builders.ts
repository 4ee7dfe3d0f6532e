import type { Inputs } from '../../src/core/inputs.ts'
import type { Run, Sync } from '../../src/core/provider.ts'
import type { Result } from '../../src/core/result.ts'

export const START = Date.UTC(2026, 10, 24, 3, 0, 0)

export function sync(overrides: Partial<Sync> = {}): Sync {
  return {
    id: '8290',
    name: 'Customers for re-engagement',
    destination: 'Iterable · user',
    paused: false,
    source: null,
    ...overrides,
  }
}

export function run(overrides: Partial<Run> = {}): Run {
  return {
    id: '501',
    syncId: '8290',
    state: 'succeeded',
    status: 'completed',
    step: null,
    createdAt: START + 10_000,
    finishedAt: START + 52_000,
    movesData: true,
    full: false,
    byApi: true,
    byOthers: false,
    counts: { processed: 50, succeeded: 50, failed: 0, invalid: 0 },
    message: null,
    detail: null,
    ...overrides,
  }
}

export function result(overrides: Partial<Result> = {}): Result {
  return {
    provider: 'census',
    sync: sync(),
    ruling: null,
    outcome: 'succeeded',
    tolerated: null,
    foreseen: null,
    reason: 'completed',
    message: null,
    detail: null,
    hint: null,
    advice: null,
    runId: '501',
    run: run(),
    adopted: false,
    url: 'https://app.getcensus.com/syncs/8290/sync-history',
    attempts: 1,
    polls: 4,
    ...overrides,
  }
}

export function inputs(overrides: Partial<Inputs> = {}): Inputs {
  return {
    provider: 'census',
    token: 'secret-token:abcdefgh',
    baseUrl: 'https://app.getcensus.com',
    apiVersion: 'auto',
    groupId: null,
    mode: 'run',
    syncIds: ['8290'],
    config: new Map(),
    discover: 'none',
    artifacts: [],
    gate: 'upstream',
    maxAgeMs: 43_200_000,
    githubRunId: null,
    onNotBuilt: 'skip',
    onBlocked: 'fail',
    runs: [],
    full: false,
    onFresh: 'skip',
    onRunning: 'queue',
    onPaused: 'fail',
    retries: 0,
    maxParallel: Number.POSITIVE_INFINITY,
    failFast: false,
    timeoutMs: 3_600_000,
    pollIntervalMs: null,
    outageToleranceMs: 900_000,
    cancelOn: new Set(['cancel']),
    maxFailed: null,
    maxInvalid: null,
    showDetails: false,
    jobStatus: 'success',
    ...overrides,
  }
}

/** A trial in which nothing happens but what is said: for the smallest trial that shows something. */
import { completesAfter } from '../simulator/index.ts'
import type { Policy, Trial, TrialSync, Vendor } from './trial.ts'
import type { Weather } from './weather.ts'

export const MINUTE = 60_000

export function calmSync(changes: Partial<TrialSync> = {}): TrialSync {
  return {
    id: 101,
    paused: false,
    pausedTrigger: 'runs',
    onCollision: 'skip-run',
    ours: [completesAfter(20_000)],
    others: [],
    ...changes,
  }
}

export function calm(
  changes: Partial<Omit<Trial, 'policy' | 'vendor' | 'weather'>> & {
    policy?: Partial<Policy>
    vendor?: Partial<Vendor>
    weather?: Partial<Weather>
  },
): Trial {
  return {
    seed: 0,
    number: 0,
    syncs: [calmSync()],
    builtAgo: null,
    cancelAt: null,
    ...changes,
    policy: {
      mode: 'run',
      full: false,
      onFresh: 'skip',
      onRunning: 'queue',
      onPaused: 'fail',
      retries: 0,
      maxParallel: null,
      failFast: false,
      timeoutMs: 60 * MINUTE,
      pollIntervalMs: null,
      outageToleranceMs: 15 * MINUTE,
      maxFailed: null,
      maxInvalid: null,
      cancelOn: ['cancel'],
      ...changes.policy,
    },
    vendor: { token: 'v1', clockSkewMs: 0, ...changes.vendor },
    weather: { strikes: [], outages: [], drizzle: null, ...changes.weather },
  }
}

import { describe, expect, test } from 'vitest'
import { completesAfter, failsAfter, type RunView } from '../simulator/index.ts'
import { calm, calmSync, MINUTE } from './calm.ts'
import type { Exchange, History, Told } from './history.ts'
import { ORACLES, type Oracle, violations } from './oracles.ts'
import { runTrial } from './storm.ts'
import type { Trial } from './trial.ts'

// Every oracle is shown a history that is true, and then one that somebody forged: an oracle that never complains proves nothing.

const good = await runTrial(calm({}))
const failed = await runTrial(calm({ syncs: [calmSync({ ours: [failsAfter(5000)] })] }))
const retried = await runTrial(
  calm({ policy: { retries: 1 }, syncs: [calmSync({ ours: [failsAfter(5000), completesAfter(5000)] })] }),
)
const two = await runTrial(calm({ syncs: [calmSync(), calmSync({ id: 102 })] }))
const stopped = await runTrial(calm({ cancelAt: 5000 }))
const planned = await runTrial(calm({ policy: { mode: 'plan' } }))
const lateRun = { at: -5000, reason: 'schedule', full: false, timeline: completesAfter(9000) } as const
const waited = await runTrial(calm({ policy: { mode: 'wait' }, syncs: [calmSync({ others: [lateRun] })] }))
const throttled = await runTrial(
  calm({
    weather: {
      strikes: [
        {
          operation: 'trigger',
          sync: null,
          from: 1,
          times: 1,
          trouble: { kind: 'patience', status: 429, seconds: 30, form: 'date', took: false },
        },
      ],
    },
  }),
)

const told = (history: History, changes: Partial<Told>): History => ({
  ...history,
  results: history.results.map((one) => ({ ...one, ...changes })),
})
const asked = (history: History, changes: Partial<Trial>): History => ({
  ...history,
  trial: { ...history.trial, ...changes },
})
const policy = (history: History, changes: Partial<Trial['policy']>) =>
  asked(history, { policy: { ...history.trial.policy, ...changes } })
const runs = (history: History, change: (run: RunView) => RunView) =>
  told(history, { runs: (history.results[0]?.runs ?? []).map(change) })
const wire = (history: History, change: (one: Exchange) => Exchange[]): History => ({
  ...history,
  exchanges: history.exchanges.flatMap(change),
})
const moved = (run: RunView, state: Partial<RunView['state']>): RunView => ({
  ...run,
  state: { ...run.state, ...state },
})
/** The trigger once more, a second later, when its run was there. */
const twice = (one: Exchange): Exchange[] => {
  if (one.operation !== 'trigger' || one.created === null) return [one]
  const { created, at } = one
  return [one, { ...one, at: at + 1000, before: [...one.before, created], created: { ...created, id: created.id + 1 } }]
}

test.each([
  ['a run that is good', good],
  ['a run that failed', failed],
  ['a retry', retried],
  ['two syncs', two],
  ['a cancelled workflow', stopped],
  ['a throttled trigger', throttled],
  ['a plan', planned],
  ['a run of another step', waited],
])('a true history of %s is believed', (_name, history) => {
  expect(violations(history)).toEqual([])
})

const FORGED: Record<Oracle, [string, History][]> = {
  'V1 never two runs': [['a second run while the first goes on', wire(good, twice)]],
  'V1 never two requests': [
    ['a second request after an answer', wire(good, twice)],
    [
      'a second request after a lost answer, which started nothing',
      wire(good, (one) => twice({ ...one, status: 0 }).map((each) => ({ ...each, created: null, before: [] }))),
    ],
  ],
  'only looks where nothing is to be run': [
    ['a trigger in a plan', policy(good, { mode: 'plan' })],
    ['cancelling what was to be waited for', policy(stopped, { mode: 'wait' })],
  ],
  'V2 no false verdict': [
    ['succeeded without a run', told(good, { runId: null })],
    ['succeeded with a run that is nowhere', told(good, { runId: '999' })],
    ['succeeded with a run that failed', told(failed, { outcome: 'succeeded' })],
    ['succeeded with a run that goes on', runs(good, (run) => moved(run, { status: 'working' }))],
    ['succeeded with a word that nobody knows', runs(good, (run) => moved(run, { status: 'hibernating' }))],
    ['succeeded with a run that was cancelled', runs(good, (run) => moved(run, { canceled: true }))],
    ['succeeded with a dry run', runs(good, (run) => ({ ...run, reason: 'dry-run' }))],
    [
      'succeeded with a dry run that it was to wait for',
      policy(
        runs(good, (run) => ({ ...run, reason: 'dry-run' })),
        { mode: 'wait' },
      ),
    ],
    ['succeeded with a run from before', runs(good, (run) => ({ ...run, createdAt: run.createdAt - MINUTE }))],
    [
      'fresh with a run from before',
      told(
        runs(good, (run) => ({ ...run, createdAt: run.createdAt - MINUTE })),
        { outcome: 'fresh' },
      ),
    ],
    ['succeeded without the full sync', policy(good, { full: true })],
    [
      'succeeded with rejected records',
      runs(good, (run) => moved(run, { counts: { ...run.state.counts, rejected: 3 } })),
    ],
    ['warned with every record accepted', told(good, { outcome: 'warned' })],
    [
      'succeeded without counts to hold against a limit',
      policy(
        runs(good, (run) => moved(run, { counts: { ...run.state.counts, rejected: null } })),
        { maxFailed: { count: 1 } },
      ),
    ],
    ['failed with a run that is good', told(good, { outcome: 'failed' })],
    ['failed without a refusal', told(good, { outcome: 'failed', runId: null })],
    ['cancelled by nobody', told(good, { outcome: 'cancelled' })],
    ['timed out before the deadline', told(good, { outcome: 'timed_out' })],
    ['not started, with a run', told(good, { outcome: 'not_started' })],
    ['skipped without a policy', told(good, { outcome: 'skipped' })],
    ['triggered and not watched', told(good, { outcome: 'triggered' })],
    ['planned, though it was to be run', told(good, { outcome: 'planned' })],
    ['blocked by nobody', told(good, { outcome: 'blocked' })],
  ],
  'V2 no false conclusion': [
    ['success with a red sync', { ...failed, conclusion: 'success' }],
    ['failure with green ones', { ...good, conclusion: 'failure' }],
    ['success of a cancelled workflow', { ...stopped, conclusion: 'success' }],
    ['cancelled by nobody', { ...good, conclusion: 'cancelled' }],
  ],
  'V3 one result a sync': [
    ['no result', { ...good, results: [] }],
    ['two of them', { ...good, results: [...good.results, ...good.results] }],
    ['another order', { ...two, results: two.results.toReversed() }],
    ['a word of no contract', told(good, { outcome: 'done' as Told['outcome'] })],
    ['a sync that was never settled', told(good, { settledAt: null })],
  ],
  'V6 Retry-After is obeyed': [
    ['a request before its time', wire(throttled, (one) => (one.at > 0 ? [{ ...one, at: one.at - 5000 }] : [one]))],
  ],
  'V7 the step ends in time': [
    ['an end after the deadline', policy(good, { timeoutMs: good.ended - 1001 })],
    ['an end long after a cancellation', { ...stopped, ended: 11_001 }],
    ['no end', { ...good, crash: 'Error: everything waits, and no timer is set' }],
  ],
  'cancels only what it may': [
    ['a run that it may not', policy(stopped, { cancelOn: [] })],
    ['a run of somebody else', runs(stopped, (run) => ({ ...run, triggered: false, reason: 'schedule' }))],
    ['a run before the workflow was cancelled', asked(stopped, { cancelAt: 5001 })],
  ],
  'fail-fast starts nothing new': [
    [
      'a trigger after the first red one',
      policy(
        wire(failed, (one) => [one, { ...one, at: failed.ended + 1 }]),
        { failFast: true },
      ),
    ],
  ],
  'sends nothing wrong': [
    ['a request that no client would make', { ...good, problems: ['POST /api/v1/syncs/1: wrong method'] }],
  ],
}

describe.each(ORACLES)('"%s" sees', (oracle) => {
  test.each(FORGED[oracle])('%s', (_name, history) => {
    expect(violations(history).map((violation) => violation.oracle)).toContain(oracle)
  })
})

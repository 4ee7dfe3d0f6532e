import { expect, test } from 'vitest'
import { runMain } from '../runner/runner.ts'
import { completesAfter, failsAfter, Simulator, serve } from '../simulator/index.ts'

/** Of fifty syncs one fails, one has a record rejected, one is paused. The others deliver. */
const EXPECTED = ['failed', 'warned', 'failed', ...Array<string>(47).fill('succeeded')]

test('a thousand syncs in one step: every one is judged right, and they fit into a heap of 64 MB', async () => {
  const ids = Array.from({ length: 1000 }, (_, index) => 8001 + index)
  const simulator = new Simulator({
    syncs: ids.map((id, index) => {
      const durationMs = 100 + (index % 20) * 50
      const kind = index % 50
      if (kind === 0) return { id, timeline: failsAfter(durationMs) }
      if (kind === 1) return { id, timeline: completesAfter(durationMs, { rejected: 1 }) }
      return { id, paused: kind === 2, timeline: completesAfter(durationMs) }
    }),
  })
  await using server = await serve(simulator)
  const given = {
    'api-token': simulator.token(),
    'base-url': server.url,
    'sync-ids': ids.join('\n'),
    'poll-interval-seconds': '0.5',
  }
  const step = await runMain(given, { env: { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=1' } })
  const results: { sync_id: string; outcome: string }[] = JSON.parse(step.outputs.results ?? '[]')
  expect(results.map(({ sync_id }) => sync_id)).toEqual(ids.map(String))
  expect(results.map(({ outcome }) => outcome)).toEqual(ids.map((_, index) => EXPECTED[index % 50]))
  expect(step).toMatchObject({ exitCode: 1, outputs: { conclusion: 'failure' } })
}, 120_000)

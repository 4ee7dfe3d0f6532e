import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { ROOT } from '../runner/runner.ts'

const at = (path: string) => JSON.stringify(pathToFileURL(join(ROOT, path)).href)

/** A process of its own, because only there the memory is that of the step alone. What the test itself notes down is thrown away. */
const SCRIPT = `
  const { Rehearsal } = await import(${at('test/support/in-memory.ts')})
  const { worksForever } = await import(${at('test/simulator/index.ts')})
  const HOUR = 3_600_000
  const syncs = Array.from({ length: 500 }, (_, index) => ({ id: index + 1, timeline: worksForever() }))
  const stage = new Rehearsal({ timeoutMs: 6 * HOUR, pollIntervalMs: 120_000 }, { syncs })
  const heaps = []
  const measure = () => {
    stage.simulator.requests.length = 0
    stage.clock.slept.length = 0
    gc()
    heaps.push(process.memoryUsage().heapUsed)
  }
  for (const hour of [0.5, 1, 2, 3, 4, 5, 5.9]) stage.clock.at(hour * HOUR, measure)
  const { results } = await stage.run()
  const looks = results.reduce((total, { polls }) => total + polls, 0)
  console.log(JSON.stringify({ heaps, looks, outcomes: [...new Set(results.map(({ outcome }) => outcome))] }))
`

test('500 syncs for six hours need no more memory at the end than after half an hour', () => {
  const args = ['--expose-gc', '--input-type=module', '--eval', SCRIPT]
  const { heaps, looks, outcomes } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  expect(outcomes).toEqual(['timed_out'])
  expect(looks).toBeGreaterThan(80_000)
  expect(heaps.at(-1)).toBeLessThan(heaps[0] * 1.1)
})

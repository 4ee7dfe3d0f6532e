import { expect, test } from 'vitest'
import type { History } from './history.ts'
import { violations } from './oracles.ts'
import { runTrial } from './storm.ts'
import { tell } from './tell.ts'
import { makeTrial } from './trial.ts'

/** A slice of what `npm run storm` runs, and always the same one. */
const SEED = 1
const TRIALS = 3000

const histories: History[] = []
for (let number = 0; number < TRIALS; number += 1) {
  const history = await runTrial(makeTrial(SEED, number))
  // What is not told is let go: three thousand logs of requests are a lot.
  if (violations(history).length > 0) histories.push(history)
}

const told = (some: History[]) => some.slice(0, 3).map(tell).join('\n\n')

test(`${TRIALS} trials in a storm of faults break no promise`, () => {
  expect(told(histories)).toBe('')
})

test('the storm is the same again for the same seed and number', async () => {
  expect(makeTrial(7, 11)).toEqual(makeTrial(7, 11))
  expect(makeTrial(7, 12)).not.toEqual(makeTrial(7, 11))
  expect(await runTrial(makeTrial(7, 11))).toEqual(await runTrial(makeTrial(7, 11)))
})

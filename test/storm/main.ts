// Fault storm: thousands of random trials of the whole action. Usage: npm run storm -- [TRIALS] [--seed N] [--trial N]
import { parseArgs } from 'node:util'
import { violations } from './oracles.ts'
import { runTrial } from './storm.ts'
import { tell } from './tell.ts'
import { makeTrial } from './trial.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    trial: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
})
const seed = Number(values.seed)
const first = Number(values.trial ?? values.from)
const count = values.trial === undefined ? Number(positionals[0] ?? 10_000) : 1
if (positionals.length > 1 || ![seed, first, count].every(Number.isSafeInteger))
  throw new Error('usage: npm run storm -- [TRIALS] [--seed N] [--trial N | --from N], all of them whole numbers')
/** After so many the rest is only counted. */
const TOLD = 10

const outcomes = new Map<string, number>()
const broken = new Map<string, number>()
const add = (tally: Map<string, number>, key: string, by = 1) => tally.set(key, (tally.get(key) ?? 0) + by)
const inWords = (tally: Map<string, number>) =>
  [...tally]
    .sort(([, one], [, other]) => other - one)
    .map(([key, number]) => `${number} ${key}`)
    .join(', ')

let requests = 0
let runs = 0
let bad = 0
const start = performance.now()
for (let number = first; number < first + count; number += 1) {
  const history = await runTrial(makeTrial(seed, number))
  requests += history.exchanges.length
  runs += history.exchanges.filter(({ created }) => created !== null).length
  for (const { outcome } of history.results) add(outcomes, outcome)
  const found = violations(history)
  for (const { oracle } of found) add(broken, oracle)
  if (found.length > 0) bad += 1
  if (values.trial !== undefined || (found.length > 0 && bad <= TOLD)) console.log(`${tell(history)}\n`)
  const done = number - first + 1
  if (done % 1000 === 0 && done < count) console.log(`${done} trials, ${rate(done)} a second, ${bad} bad`)
}

function rate(done: number): string {
  return ((done * 1000) / (performance.now() - start)).toFixed(0)
}

console.log(
  `${count} trials of seed ${seed}, ${rate(count)} a second; ${requests} requests, ${runs} runs; outcomes: ${inWords(outcomes)}; ` +
    `violations: ${bad === 0 ? 'none' : `${bad} trials (${inWords(broken)})`}`,
)
process.exitCode = bad === 0 ? 0 : 1

import { Dice, type Fleet } from './durations.ts'
import type { Rule } from './rules.ts'

export interface Measured {
  /** Between the end of a run and the look that sees it. Seconds. */
  meanLag: number
  p95Lag: number
  /** Looks at a run. */
  requests: number
  /** The mean lag against that of the fixed interval which makes as many requests. */
  ratio: number
}

/** Looks at many runs of a fleet by a rule, with no time passing but on paper. */
export function measure(rule: Rule, fleet: Fleet, runs = 8000, seed = 1): Measured {
  const dice = new Dice(seed)
  const lags: number[] = []
  let looks = 0
  let total = 0
  for (let run = 0; run < runs; run += 1) {
    const { past, next } = fleet.draw(dice)
    const schedule = rule.scheduleFor(past, dice)
    let now = 0
    for (let count = 0; now < next; count += 1) {
      now += schedule(now, count)
      looks += 1
    }
    lags.push(now - next)
    total += next
  }
  const meanLag = lags.reduce((sum, lag) => sum + lag, 0) / runs
  const p95Lag = lags.sort((a, b) => a - b)[Math.floor(runs * 0.95)] ?? 0
  return {
    meanLag: meanLag / 1000,
    p95Lag: p95Lag / 1000,
    requests: looks / runs,
    ratio: meanLag / (total / (2 * looks)),
  }
}

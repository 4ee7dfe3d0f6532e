import { adaptive, every, forecast, predictive, type Schedule } from '../../src/core/schedule.ts'
import type { Dice } from './durations.ts'

/** How somebody decides when to look at a run. `past` are the durations that the history shows, in milliseconds. */
export interface Rule {
  name: string
  scheduleFor(past: readonly number[], dice: Dice): Schedule
}

const fixed = (seconds: number): Rule => ({
  name: `every ${seconds} s`,
  // Peers wait before their first look.
  scheduleFor: () => () => seconds * 1000,
})

export const RULES = {
  ours: {
    name: 'ours, with history',
    scheduleFor: (past) => {
      const expected = forecast(past)
      return expected === null ? adaptive : predictive(expected)
    },
  },
  without: { name: 'ours, without history', scheduleFor: () => adaptive },
  plain: {
    name: 'sleep to 80 % of the shortest, then 5 % of what has passed',
    scheduleFor: (past) => {
      const sleepMs = 0.8 * Math.min(...past)
      const early = every(1000)
      return (elapsedMs, looks) => {
        if (looks === 0) return early(0, 0)
        return elapsedMs < sleepMs ? sleepMs - elapsedMs : Math.max(1000, 0.05 * elapsedMs)
      }
    },
  },
  // Airflow's sensor for Census looks every 60 s, Dagster and Prefect every 10 s, Paradime every 5 s, Census's own demo every second.
  fixed1: fixed(1),
  fixed5: fixed(5),
  fixed10: fixed(10),
  fixed30: fixed(30),
  fixed60: fixed(60),
  aws: {
    name: 'waiters of the AWS SDK (2 to 120 s, exponential, jitter)',
    scheduleFor: (_past, dice) => (_elapsedMs, looks) => {
      const most = Math.min(120, 2 * 2 ** looks)
      return 1000 * (2 + dice.next() * (most - 2))
    },
  },
  terraform: {
    name: 'HCP Terraform (2 to 7 s)',
    scheduleFor: () => (_elapsedMs, looks) => 1000 * Math.min(7, 2 * 1.25 ** looks),
  },
} satisfies Record<string, Rule>

/** Durations of runs as syncs have them, from a seed: the same numbers on every machine. */

export interface Fleet {
  name: string
  /** The past durations of a sync, newest first, and the next one. Milliseconds. */
  draw(dice: Dice): { past: number[]; next: number }
}

export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 to 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** From a normal distribution around 0 with a standard deviation of 1. */
  normal(): number {
    const u = 1 - this.next()
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.next())
  }

  pick(values: readonly number[]): number {
    return values[Math.floor(this.next() * values.length)] ?? 0
  }
}

/** A page of history has ten runs, one of which may be a dry run. */
const PAST = 9
/** Half a minute to an hour, as the syncs of a workspace are. Milliseconds. */
const MEDIANS = [30, 60, 120, 240, 480, 900, 1800, 3600].map((seconds) => seconds * 1000)

/** Log-normal durations; `change` tells the next one from those before. */
function logNormal(name: string, spread: number, change: (dice: Dice) => number = () => 1): Fleet {
  return {
    name,
    draw(dice) {
      const median = dice.pick(MEDIANS)
      const one = () => median * Math.exp(spread * dice.normal())
      return { past: Array.from({ length: PAST }, one), next: one() * change(dice) }
    },
  }
}

const STEADY = logNormal('steady (sigma 0.1)', 0.1)
const UNSTEADY = logNormal('unsteady (sigma 0.25)', 0.25)
const WILD = logNormal('wild (sigma 0.5)', 0.5)

export const FLEETS = {
  steady: STEADY,
  unsteady: UNSTEADY,
  wild: WILD,
  outliers: logNormal('steady, one in ten takes three times as long', 0.1, (dice) => (dice.next() < 0.1 ? 3 : 1)),
  drifting: {
    name: 'each run a tenth longer than the one before',
    draw(dice) {
      const { past, next } = STEADY.draw(dice)
      return { past: past.map((duration, index) => duration / 1.1 ** (index + 1)), next }
    },
  },
  shorter: logNormal('the first run after a change to a tenth', 0.1, () => 0.1),
  longer: logNormal('the first run after a change to tenfold', 0.1, () => 10),
  mixed: {
    name: 'a mixed fleet',
    draw(dice) {
      const fleets = [STEADY, STEADY, UNSTEADY, WILD]
      return (fleets[Math.floor(dice.next() * fleets.length)] ?? STEADY).draw(dice)
    },
  },
} satisfies Record<string, Fleet>

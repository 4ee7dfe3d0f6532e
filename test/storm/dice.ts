/** A small generator of random numbers with a seed (mulberry32), so that every trial can be had again. */
export class Dice {
  #state: number

  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e3779b9
    // Neighbouring seeds must not give neighbouring numbers.
    for (const seed of seeds)
      this.#state = Math.imul(this.#state ^ seed, 0x85ebca6b) ^ Math.floor(this.next() * 2 ** 32)
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** A whole number whose order of magnitude is as likely as any other: short times and long ones alike. */
  span(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.next())
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)]
    if (item === undefined) throw new Error('there is nothing to pick from')
    return item
  }

  /** One of several things, each as likely as its weight says. */
  among<T>(...options: readonly (readonly [weight: number, make: () => T])[]): T {
    let left = this.next() * options.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, make] of options) {
      left -= weight
      if (left < 0) return make()
    }
    throw new Error('the weights are no weights')
  }

  /** As many as `count` says. */
  several<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, index) => make(index))
  }
}

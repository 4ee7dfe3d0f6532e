import type { Run } from './provider.ts'

/**
 * How far the provider's clock is ahead of this machine's, learned from `Date` headers. A header has a resolution of one second
 * (RFC 9110, 5.6.7) and was written somewhere between our sending and receiving, so each reply gives an interval (in
 * milliseconds) and later replies narrow it.
 */
export class ProviderClock {
  #least = Number.NEGATIVE_INFINITY
  #most = Number.POSITIVE_INFINITY

  /** `date`, `sentAt` and `receivedAt` in milliseconds since the epoch, the latter two on this machine's wall clock. */
  observe(date: number, sentAt: number, receivedAt: number): void {
    const least = date - receivedAt
    const most = date + 1000 - sentAt
    // A reply that contradicts the ones before it means that a clock was set meanwhile: begin anew with it.
    const contradicts = least > this.#most || most < this.#least
    this.#least = contradicts ? least : Math.max(this.#least, least)
    this.#most = contradicts ? most : Math.min(this.#most, most)
  }

  /** The least and the most (ms) that the provider's clock can be ahead; 0 while nothing is known. */
  get ahead(): { least: number; most: number } {
    return Number.isFinite(this.#most) ? { least: this.#least, most: this.#most } : { least: 0, most: 0 }
  }
}

/**
 * The one predicate behind every decision: does this run bring the data that was ready at the watermark (milliseconds, on the
 * provider's clock) to the destination? A run without a time of creation cannot show that it does.
 */
export function counts(run: Run, watermark: number, full: boolean): boolean {
  return run.movesData && run.createdAt !== null && run.createdAt >= watermark && (run.full || !full)
}

/** A build counts as over this long after its file says so, which covers that the clocks are known to a second only. */
const SETTLE_MS = 5000

/** The most that a trigger waits for the data to settle, whatever the clocks say: from the beginning of the step on. */
const MOST_EARLY_MS = 10_000

/** The instants that decide, in milliseconds since the epoch. They move as more is learned of the provider's clock. */
export interface Watermark {
  /** When the data was ready, on the provider's clock: a run counts if it was created then or later. */
  readyAt(): number
  /** When the first trigger may leave, on this machine's clock: any earlier, its run might not count for a second attempt. */
  triggerAt(): number
  /** An instant of this machine's clock as the least that the provider's can have shown then. */
  atLeast(wall: number): number
}

/**
 * The moment the data was ready: dbt's newest build, else when this step `began`. Where the two clocks differ the later of both
 * readings counts: too late costs one needless run, too early would pass stale data for fresh.
 */
export function watermarkOf(builtAt: number | null, began: number, clock: Pick<ProviderClock, 'ahead'>): Watermark {
  const atLeast = (wall: number) => wall + clock.ahead.least
  if (builtAt === null) {
    return { readyAt: () => began + Math.max(0, clock.ahead.most), triggerAt: () => began, atLeast }
  }
  const readyAt = () => {
    const { least, most } = clock.ahead
    // The time to settle covers what is not certain of the clocks, as long as that is less.
    return builtAt + Math.max(SETTLE_MS, SETTLE_MS + least, most)
  }
  const triggerAt = () => Math.min(began + MOST_EARLY_MS, readyAt() - clock.ahead.least)
  return { readyAt, triggerAt, atLeast }
}

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

  /**
   * `instant` of this machine's clock on the provider's clock, or `instant` itself if that is later: too late costs one
   * needless run, too early would pass stale data for fresh.
   */
  atLatest(instant: number): number {
    return Number.isFinite(this.#most) ? instant + Math.max(0, this.#most) : instant
  }
}

/**
 * The one predicate behind every decision: does this run bring the data that was ready at the watermark (milliseconds, on the
 * provider's clock) to the destination? A run without a time of creation cannot show that it does.
 */
export function counts(run: Run, watermark: number, full: boolean): boolean {
  return run.movesData && run.createdAt !== null && run.createdAt >= watermark && (run.full || !full)
}

/** A build is over a moment after its file says so: it has still to be written, and clocks have a resolution. */
const SETTLE_MS = 5000

/** The moment the data was ready: a little after dbt's newest build, else when this step began. Milliseconds since the epoch. */
export function readyAt(builtAt: number | null, began: number): number {
  return builtAt === null ? began : builtAt + SETTLE_MS
}

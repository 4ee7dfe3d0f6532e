/**
 * How long (ms) a `Retry-After` header asks to wait: seconds, or an HTTP date (RFC 9110, 10.2.3), which is held against the `Date`
 * of the same answer because the two clocks may differ. null: there is none, or it makes no sense.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, wall: number): number | null {
  const value = headers['retry-after']?.trim() ?? ''
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, LONGEST_MS)
  // The three forms of an HTTP date all begin with the name of a day.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return null
  const until = Date.parse(/GMT$/.test(value) ? value : `${value} GMT`)
  if (Number.isNaN(until)) return null
  const date = Date.parse(headers.date ?? '')
  return Math.min(Math.max(0, until - (Number.isNaN(date) ? wall : date)), LONGEST_MS)
}

/** A longer wait than any step has; a timer takes it without overflowing. */
const LONGEST_MS = 2 ** 31 - 1

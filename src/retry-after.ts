/**
 * How long (ms) a `Retry-After` header asks to wait: seconds, or an HTTP date (RFC 9110, 5.6.7 and 10.2.3), which is held against
 * the `Date` of the same answer because the two clocks may differ. null: there is none, or it makes no sense.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, wall: number): number | null {
  const value = headers['retry-after']?.trim() ?? ''
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, LONGEST_MS)
  const until = httpDate(value)
  return until === null ? null : Math.min(Math.max(0, until - (httpDate(headers.date ?? '') ?? wall)), LONGEST_MS)
}

/** A longer wait than any step has; a timer takes it without overflowing. */
const LONGEST_MS = 2 ** 31 - 1

const TIME = '\\d\\d:\\d\\d:\\d\\d'
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const DATES = new RegExp(
  `^(?:${DAY}, \\d\\d ${MONTH} \\d{4} ${TIME} GMT|${DAY}[a-z]{3,6}, \\d\\d-${MONTH}-\\d\\d ${TIME} GMT|${DAY} ${MONTH} [ \\d]\\d ${TIME} \\d{4})$`,
)

/**
 * A date in one of the three forms of HTTP, as milliseconds since the epoch; null where it is none. A parser of dates alone would
 * make a date of much that is none: of "Mon 5" a day of 2001.
 */
function httpDate(text: string): number | null {
  if (!DATES.test(text)) return null
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}

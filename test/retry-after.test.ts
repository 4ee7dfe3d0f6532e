import { afterEach, expect, test, vi } from 'vitest'
import { retryAfterMs } from '../src/retry-after.ts'

const WALL = Date.UTC(2026, 10, 24, 3, 0, 0)
const AN_HOUR_LATE = 'Tue, 24 Nov 2026 02:00:00 GMT'

test.each<[string, Record<string, string>, number | null]>([
  ['seconds', { 'retry-after': '2' }, 2000],
  ['no seconds', { 'retry-after': '0' }, 0],
  ['white space around', { 'retry-after': ' 30 ' }, 30_000],
  ['a date as of today', { 'retry-after': 'Tue, 24 Nov 2026 03:00:30 GMT' }, 30_000],
  ['a date as of RFC 850', { 'retry-after': 'Tuesday, 24-Nov-26 03:00:30 GMT' }, 30_000],
  ['a date as of asctime', { 'retry-after': 'Tue Nov 24 03:00:30 2026' }, 30_000],
  [
    'a date by a clock that is an hour late',
    { 'retry-after': 'Tue, 24 Nov 2026 02:00:30 GMT', date: AN_HOUR_LATE },
    30_000,
  ],
  ['a date beside a Date that is none', { 'retry-after': 'Tue, 24 Nov 2026 03:00:30 GMT', date: 'yesterday' }, 30_000],
  ['a date that is over', { 'retry-after': 'Tue, 24 Nov 2026 02:59:30 GMT' }, 0],
  ['more than any timer takes', { 'retry-after': '99999999999' }, 2 ** 31 - 1],
  ['a date in a far century', { 'retry-after': 'Tue, 24 Nov 2926 03:00:30 GMT' }, 2 ** 31 - 1],
  ['a negative number', { 'retry-after': '-5' }, null],
  ['words', { 'retry-after': 'abc' }, null],
  ['a number in another notation', { 'retry-after': '1e9' }, null],
  ['a fraction', { 'retry-after': '1.5' }, null],
  ['two headers', { 'retry-after': '5, 10' }, null],
  ['two dates', { 'retry-after': 'Tue, 24 Nov 2026 03:00:30 GMT, Tue, 24 Nov 2026 03:00:40 GMT' }, null],
  ['a date that no calendar has', { 'retry-after': 'Tue, 24 Nov 2026 25:00:30 GMT' }, null],
  ['a day alone', { 'retry-after': 'Tuesday' }, null],
  ['a day and a number', { 'retry-after': 'Mon 5' }, null],
  ['a date without seconds', { 'retry-after': 'Tue, 24 Nov 2026 03:00 GMT' }, null],
  ['a date of another zone', { 'retry-after': 'Tue, 24 Nov 2026 03:00:30 CET' }, null],
  ['a sign', { 'retry-after': '+5' }, null],
  ['digits of another script', { 'retry-after': '٣' }, null],
  [
    'a date by a clock that is an hour early',
    { 'retry-after': 'Tue, 24 Nov 2026 04:00:30 GMT', date: 'Tue, 24 Nov 2026 04:00:00 GMT' },
    30_000,
  ],
  ['a date as of asctime, on a day of one digit', { 'retry-after': 'Tue Dec  1 03:00:00 2026' }, 7 * 86_400_000],
  ['a date beside two Dates', { 'retry-after': 'Tue, 24 Nov 2026 03:00:30 GMT', date: `${AN_HOUR_LATE}, x` }, 30_000],
  ['more digits than a number has', { 'retry-after': '9'.repeat(400) }, 2 ** 31 - 1],
  ['a date without a day', { 'retry-after': '2026-11-24T03:00:30Z' }, null],
  ['an empty header', { 'retry-after': '' }, null],
  ['no header', {}, null],
])('%s', (_name, headers, expected) => {
  expect(retryAfterMs(headers, WALL)).toBe(expected)
})

afterEach(() => vi.unstubAllEnvs())

test.each(['Tue, 24 Nov 2026 03:00:30 GMT', 'Tuesday, 24-Nov-26 03:00:30 GMT', 'Tue Nov 24 03:00:30 2026'])(
  '"%s" is the same instant in every time zone',
  (value) => {
    for (const zone of ['America/New_York', 'Asia/Kolkata']) {
      vi.stubEnv('TZ', zone)
      expect(new Date(WALL).getHours()).not.toBe(3)
      expect(retryAfterMs({ 'retry-after': value }, WALL)).toBe(30_000)
    }
  },
)

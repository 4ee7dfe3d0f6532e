/** What the network and the provider's front do to requests: every kind of answer that a trigger or a read may get instead of its own. */
import type { Call, Fault, Operation } from '../simulator/index.ts'
import type { Dice } from './dice.ts'

/** A fault as plain data. */
export type Trouble =
  | Fault
  /** The connection is not made: the request certainly did not arrive. */
  | { readonly kind: 'refused' }
  /** An answer that asks for patience. `took`: the request had taken effect all the same. */
  | {
      readonly kind: 'patience'
      readonly status: 429 | 503
      readonly seconds: number
      readonly form: 'seconds' | 'date'
      readonly took: boolean
    }

/** Strikes the requests number `from` to `from + times - 1` of an operation and an id. */
export interface Strike {
  readonly operation: Operation
  /** null: any sync. Reads of runs are not told apart. */
  readonly sync: number | null
  readonly from: number
  readonly times: number
  readonly trouble: Trouble
}

/** Strikes every request in a span of time. Milliseconds since the start. */
export interface Outage {
  readonly from: number
  readonly until: number
  readonly trouble: Trouble
}

export interface Weather {
  readonly strikes: readonly Strike[]
  readonly outages: readonly Outage[]
  /** This share of all reads goes wrong, all the time. */
  readonly drizzle: { readonly share: number; readonly salt: number; readonly troubles: readonly Trouble[] } | null
}

const PAGE = '<!doctype html><html><title>Sign in</title></html>'
const REFUSAL = '{"status":"error","message":"No."}'
const REDIRECT = { location: 'https://elsewhere.example/' }
const UNUSABLE = ['"../1"', '"1?x=2"', '-5', '1.5', 'null', '""', '"12 34"', '12345678901234567890123', '[7]', '"a"']
const BREAKDOWNS = [408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524]
const REFUSALS = [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422]
const REDIRECTS = [300, 301, 302, 303, 307, 308]

/** Nobody can say whether the request took effect; `took` says whether it did. */
export function ambiguous(dice: Dice, took: boolean): Trouble {
  const kind = took ? 'respond-after' : 'respond'
  const when = took ? 'after' : 'before'
  const answers = (body: string): Trouble => ({ kind, status: dice.pick([200, 200, 201, 202]), body })
  return dice.among<Trouble>(
    [4, () => ({ kind, status: dice.pick(BREAKDOWNS), ...(dice.chance(0.3) && { body: PAGE }) })],
    [3, () => ({ kind: 'reset', when })],
    [2, () => ({ kind: 'hang', when })],
    [1, () => ({ kind: 'raw', when, text: 'HTTP/1.1 2OO\r\n\r\n' })],
    [1, () => answers(PAGE)],
    [1, () => answers('')],
    [1, () => answers('{"status":"success","data":{}}')],
    [1, () => answers(`{"status":"success","data":{"sync_run_id":${dice.pick(UNUSABLE)}}}`)],
    [1, () => ({ kind, status: dice.pick([204, 205]) })],
    [1, () => ({ kind: 'delay', ms: dice.int(1000, 58_000), fault: { kind, status: dice.pick(BREAKDOWNS) } })],
    // Half an answer, or none in time, to a request that did take effect.
    [took ? 1 : 0, () => ({ kind: 'truncate' })],
    [took ? 1 : 0, () => ({ kind: 'delay', ms: dice.int(60_001, 70_000) })],
  )
}

export function patience(dice: Dice, status: 429 | 503, took: boolean): Trouble {
  const seconds = dice.among([1, () => 0], [8, () => dice.span(1, 90)], [1, () => dice.span(90, 3600)])
  return { kind: 'patience', status, seconds, form: dice.pick(['seconds', 'seconds', 'date']), took }
}

function refusal(dice: Dice): Trouble {
  return dice.chance(0.25)
    ? { kind: 'respond', status: dice.pick(REDIRECTS), headers: REDIRECT }
    : { kind: 'respond', status: dice.pick(REFUSALS), body: dice.pick([REFUSAL, PAGE, '']) }
}

export function triggerTrouble(dice: Dice): Trouble {
  return dice.among<Trouble>(
    [12, () => ambiguous(dice, true)],
    [4, () => ambiguous(dice, false)],
    [2, () => patience(dice, 503, true)],
    [2, () => patience(dice, 503, false)],
    [2, () => patience(dice, 429, false)],
    [1, () => ({ kind: 'respond', status: 429 })],
    [1, () => refusal(dice)],
    [1, () => ({ kind: 'refused' })],
    // Late, but still in time.
    [2, () => ({ kind: 'delay', ms: dice.pick([dice.int(50, 30_000), dice.int(58_000, 59_999)]) })],
  )
}

/** What may befall a read. Most of it passes; a `refusal` may be meant. */
export function readTrouble(dice: Dice, refusals: boolean): Trouble {
  return dice.among<Trouble>(
    [10, () => ambiguous(dice, dice.chance(0.5))],
    [2, () => patience(dice, dice.pick([429, 503]), false)],
    [1, () => ({ kind: 'respond', status: 429 })],
    [2, () => ({ kind: 'refused' })],
    [2, () => ({ kind: 'delay', ms: dice.pick([dice.int(50, 29_000), dice.int(29_000, 31_000)]) })],
    [1, () => ({ kind: 'truncate' })],
    [1, () => ({ kind: 'respond', status: 304 })],
    [refusals ? 3 : 0, () => refusal(dice)],
  )
}

function outage(dice: Dice, horizon: number): Outage {
  const from = dice.among([1, () => 0], [4, () => dice.span(1, 90_000)], [4, () => dice.int(0, horizon)])
  const trouble = dice.among<Trouble>(
    [2, () => ({ kind: 'refused' })],
    [2, () => ({ kind: 'reset', when: 'before' })],
    [1, () => ({ kind: 'hang', when: 'before' })],
    [3, () => ({ kind: 'respond', status: dice.pick([500, 502, 503, 504]) })],
    [1, () => ({ kind: 'respond', status: 200, body: PAGE })],
    [1, () => patience(dice, dice.pick([429, 503]), false)],
  )
  return { from, until: from + dice.span(2000, 20 * 60_000), trouble }
}

export function weather(dice: Dice, syncs: readonly number[], horizon: number): Weather {
  const some = () => (dice.chance(0.5) ? null : dice.pick(syncs))
  const burst = () => dice.among([5, () => 1], [3, () => dice.int(2, 4)], [2, () => dice.int(5, 20)])
  const strikes: Strike[] = []
  const strike = (operation: Operation, from: number, times: number, trouble: Trouble) =>
    strikes.push({ operation, sync: some(), from, times, trouble })
  // A sync whose history cannot be read ends soon, so this is rarer than trouble with what comes later.
  if (dice.chance(0.08)) strike('list-runs', 1, burst(), readTrouble(dice, dice.chance(0.2)))
  if (dice.chance(0.08)) strike('read-sync', 1, burst(), readTrouble(dice, dice.chance(0.2)))
  if (dice.chance(0.04)) strike('list-destinations', 1, burst(), readTrouble(dice, true))
  if (dice.chance(0.7)) strike('trigger', 1, dice.pick([1, 1, 1, 1, 2, 5]), triggerTrouble(dice))
  if (dice.chance(0.25)) strike('trigger', dice.int(2, 3), dice.pick([1, 1, 2]), triggerTrouble(dice))
  if (dice.chance(0.3)) strike('list-runs', dice.int(2, 5), burst(), readTrouble(dice, dice.chance(0.5)))
  for (const _ of dice.several(dice.pick([0, 0, 1, 1, 2]), () => 0))
    strike('read-run', dice.pick([1, 1, dice.int(1, 30)]), burst(), readTrouble(dice, true))
  if (dice.chance(0.3)) strike('cancel-run', 1, dice.int(1, 3), readTrouble(dice, true))
  const drizzle = dice.chance(0.15)
    ? {
        share: dice.pick([0.1, 0.3, 0.5]),
        salt: dice.int(0, 2 ** 30),
        troubles: dice.several(3, () => readTrouble(dice, false)),
      }
    : null
  return { strikes, outages: dice.several(dice.pick([0, 0, 0, 0, 0, 1, 1, 2]), () => outage(dice, horizon)), drizzle }
}

/** What strikes a request, if anything. */
export function strikes(weather: Weather, call: Call, elapsed: number, toss: (salt: number) => number): Trouble | null {
  const { operation, id, nth } = call
  const struck = weather.strikes.find(
    (one) =>
      one.operation === operation &&
      nth >= one.from &&
      nth < one.from + one.times &&
      (one.sync === null || one.sync === id || operation === 'read-run' || operation === 'cancel-run'),
  )
  if (struck !== undefined) return struck.trouble
  const out = weather.outages.find(({ from, until }) => elapsed >= from && elapsed < until)
  if (out !== undefined) return out.trouble
  const { drizzle } = weather
  if (drizzle === null || operation === 'trigger' || operation === 'cancel-run') return null
  const fall = toss(drizzle.salt) / drizzle.share
  return fall < 1 ? (drizzle.troubles[Math.floor(fall * drizzle.troubles.length)] ?? null) : null
}

/** A trial that went wrong, for a person to read. */
import type { Timeline } from '../simulator/index.ts'
import type { History } from './history.ts'
import { violations } from './oracles.ts'

const PLAIN = new Set(['at', 'status', 'step'])

/** `0 s queued, 3 s completed {"counts":…}`: steps that change nothing worth telling are left out. */
function lifeOf(timeline: Timeline): string {
  const steps = timeline.flatMap(({ at, ...change }) => {
    const { status = '', counts } = change
    const odd = Object.entries({ ...change, counts: undefined }).filter(
      ([key, value]) => !PLAIN.has(key) && value !== undefined,
    )
    const bad =
      counts === undefined || (counts.rejected === undefined && status !== 'completed')
        ? ''
        : ` ${counts.rejected ?? '?'} rejected ${counts.invalid ?? '?'} invalid`
    const text = `${status}${odd.map(([key, value]) => ` ${key}=${key === 'error' ? '…' : value}`).join('')}${bad}`
    return text === '' ? [] : [`${inSeconds(at)} ${text}`]
  })
  return steps.join(', ')
}

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 3)} s`

export function tell(history: History): string {
  const { trial, exchanges, results, conclusion, ended, began } = history
  const { syncs, policy, vendor, builtAgo, cancelAt, weather } = trial
  const shown = exchanges.length > 120 ? [...exchanges.slice(0, 60), ...exchanges.slice(-60)] : exchanges
  const lines = [
    `Trial ${trial.number} of seed ${trial.seed}. Again: npm run storm -- --seed ${trial.seed} --trial ${trial.number}`,
    ...violations(history).map(({ oracle, text }) => `  VIOLATION of "${oracle}": ${text}`),
    `policy ${JSON.stringify(policy)}`,
    `vendor ${JSON.stringify(vendor)}, built ${builtAgo === null ? 'by nobody' : `${inSeconds(builtAgo)} before`}, ${cancelAt === null ? 'not cancelled' : `cancelled at ${inSeconds(cancelAt)}`}`,
    ...syncs.flatMap(({ ours, others, ...sync }) => [
      `sync ${JSON.stringify(sync)}`,
      ...others
        .filter(({ at }) => at > -3_600_000)
        .map(
          ({ at, reason, full, timeline }) =>
            `  ${reason}${full ? ', full,' : ''} from ${inSeconds(at)}: ${lifeOf(timeline)}`,
        ),
      ...ours.slice(0, 4).map((timeline) => `  ours: ${lifeOf(timeline)}`),
    ]),
    ...weather.strikes.map((strike) => `strike ${JSON.stringify(strike)}`),
    ...weather.outages.map((outage) => `outage ${JSON.stringify(outage)}`),
    ...(weather.drizzle === null ? [] : [`drizzle ${JSON.stringify(weather.drizzle)}`]),
    ...shown.map(({ operation, id, at, trouble, status, answeredAt, created }) => {
      const answer =
        answeredAt === null ? 'no answer' : `${status}${answeredAt === at ? '' : ` at ${inSeconds(answeredAt)}`}`
      return `  ${inSeconds(at)} ${operation} ${id}: ${answer}${trouble === '' ? '' : ` (${trouble})`}${created === null ? '' : `, run ${created.id} ${created.state.status}`}`
    }),
    ...results.map(({ sync, outcome, runId, adopted, settledAt, runs }) => {
      const recent = runs.filter(({ createdAt }) => createdAt > began - 3_600_000)
      const truth = recent.map(
        (run) => `${run.id} ${run.reason} from ${inSeconds(run.createdAt - began)} ${run.state.status}`,
      )
      return `sync ${sync}: ${outcome}, run ${runId}${adopted ? ' (adopted)' : ''}, at ${inSeconds(settledAt ?? -1)}; in truth ${truth.join(', ') || 'no run'}`
    }),
    `conclusion ${conclusion} at ${inSeconds(ended)}`,
  ]
  return lines.join('\n')
}

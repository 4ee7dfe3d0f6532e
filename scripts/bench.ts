// Compares when to look at a run: ours and the rules of others, side by side, on paper. Writes docs/bench.md and docs/bench.svg.
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FLEETS } from '../test/bench/durations.ts'
import { type Measured, measure } from '../test/bench/measure.ts'
import { RULES } from '../test/bench/rules.ts'

const docs = join(resolve(import.meta.dirname, '..'), 'docs')
const RUNS = 4000

const tables = Object.values(FLEETS).map((fleet) => ({
  fleet: fleet.name,
  rows: Object.values(RULES).map((rule) => ({ rule: rule.name, ...measure(rule, fleet, RUNS) })),
}))
writeFileSync(join(docs, 'bench.md'), page())
writeFileSync(join(docs, 'bench.svg'), plot())
console.log(page())

function page(): string {
  const sections = tables.map(({ fleet, rows }) => {
    const lines = rows.map(({ rule, meanLag, p95Lag, requests, ratio }) => {
      return `| ${rule} | ${requests.toFixed(1)} | ${meanLag.toFixed(1)} s | ${p95Lag.toFixed(1)} s | ${ratio.toFixed(2)} |`
    })
    const head = ['| rule | looks a run | mean lag | 95 % below | against a fixed interval |', '|---|---|---|---|---|']
    return [`## ${fleet[0]?.toUpperCase()}${fleet.slice(1)}`, '', ...head, ...lines, ''].join('\n')
  })
  return `# When to look at a run

The lag is the time between the end of a run and the look that sees it. The last column is the mean lag divided by that of the fixed interval
which makes as many looks: below 1 is better than any fixed interval. Durations are log-normal around medians of 30 s to an hour; ${RUNS} runs a
row, each with a history of nine. Written by \`npm run bench\`; the same numbers come out on every machine, because no time passes.

![Mean lag against looks a run](bench.svg)

${sections.join('\n')}`
}

/** Mean lag against looks, both logarithmic, for steady durations: the lower left corner is the best. */
function plot(): string {
  const [width, height, margin] = [760, 460, 70]
  const rows = tables[0]?.rows ?? []
  const range = (values: number[]) =>
    [Math.log10(Math.min(...values)) - 0.1, Math.log10(Math.max(...values)) + 0.1] as const
  const [left, right] = range(rows.map(({ requests }) => requests))
  const [low, high] = range(rows.map(({ meanLag }) => meanLag))
  const x = (looks: number) => margin + ((Math.log10(looks) - left) / (right - left)) * (width - 2 * margin)
  const y = (lag: number) => height - margin - ((Math.log10(lag) - low) / (high - low)) * (height - 2 * margin)
  const ticks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
  const grid = [
    ...ticks
      .filter((tick) => Math.log10(tick) > left && Math.log10(tick) < right)
      .map((tick) => {
        return `<line class="grid" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${margin}" y2="${height - margin}"/><text class="tick" text-anchor="middle" x="${x(tick).toFixed(1)}" y="${height - margin + 18}">${tick}</text>`
      }),
    ...ticks
      .filter((tick) => Math.log10(tick) > low && Math.log10(tick) < high)
      .map((tick) => {
        return `<line class="grid" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" x1="${margin}" x2="${width - margin}"/><text class="tick" text-anchor="end" x="${margin - 8}" y="${(y(tick) + 4).toFixed(1)}">${tick} s</text>`
      }),
  ]
  const points = rows.map((row: Measured & { rule: string }) => {
    const kind = row.rule.startsWith('ours') ? 'ours' : 'other'
    const name = row.rule.replace(/ \(.*/, '')
    return `<circle class="${kind}" cx="${x(row.requests).toFixed(1)}" cy="${y(row.meanLag).toFixed(1)}" r="5"/><text class="${kind}" x="${(x(row.requests) + 9).toFixed(1)}" y="${(y(row.meanLag) + 4).toFixed(1)}">${name}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Mean lag against looks a run">
<style>text{font:12px system-ui,sans-serif;fill:#57606a}.grid{stroke:#8886;stroke-width:.5}circle.ours{fill:#1a7f37}text.ours{fill:#1a7f37;font-weight:600}circle.other{fill:#8c959f}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${margin}" y="28" font-size="15">Steady durations: mean lag against looks a run</text>
${grid.join('\n')}
${points.join('\n')}
<text x="${width / 2}" y="${height - 20}" text-anchor="middle">looks a run</text>
</svg>
`
}

// Shows the action at work: a simulated Census with the three syncs of the shop, and the committed bundle run as the runner runs it.
// Once all goes well, once a sync fails, once dbt does. The job summaries are also written to files.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import { marked } from 'marked'
import { afterDbt } from '../test/bundle/workspace.ts'
import { type Command, parseCommand } from '../test/runner/commands.ts'
import { ROOT, runStage } from '../test/runner/runner.ts'
import { serve, shop } from '../test/simulator/index.ts'

const OUT = join(ROOT, 'demo-output')
/** `state` is what a real dbt once left behind, see test/fixtures/dbt. */
const SCENARIOS = [
  { name: 'good', scenario: 'good', state: 'all-good', title: 'A night on which all goes well', exitCode: 0 },
  { name: 'failing', scenario: 'failing', state: 'all-good', title: 'A night on which one sync fails', exitCode: 1 },
  { name: 'blocked', scenario: 'good', state: 'test-fail', title: 'A night on which a test of dbt fails', exitCode: 1 },
] as const

mkdirSync(OUT, { recursive: true })
for (const { name, scenario, state, title, exitCode } of SCENARIOS) {
  using job = afterDbt(state)
  console.log(`\n${styleText(['bold', 'inverse'], ` ${title} `)}\n`)
  const simulator = shop(scenario, { v2ConnectionIds: 'word' })
  await using server = await serve(simulator)
  const given = {
    'api-token': simulator.token('v2'),
    'sync-ids': '8290\n8291\n8292',
    'dbt-artifacts': 'target',
    'base-url': server.url,
  }
  const options = { with: given, workspace: job.path }
  console.log(styleText('dim', workflow(given)))
  const main = await runStage('main', {
    ...options,
    jobStatus: state === 'all-good' ? 'success' : 'failure',
    onLine: (line) => print(line),
  })
  const post = await runStage('post', {
    ...options,
    state: main.state,
    jobStatus: main.exitCode === 0 ? 'success' : 'failure',
  })
  console.log(
    `\n${styleText('bold', main.exitCode === 0 ? '✓ the step is green' : '✗ the step is red')}, conclusion=${main.outputs.conclusion}`,
  )
  console.log(styleText('dim', `message=${main.outputs.message}`))

  const files = [join(OUT, `summary-${name}.md`), join(OUT, `summary-${name}.html`)] as const
  writeFileSync(files[0], main.summary)
  writeFileSync(files[1], page(title, main.summary))
  console.log(`\n${styleText('bold', 'The job summary')} (${files.map((file) => relative(ROOT, file)).join(', ')})\n`)
  console.log(inTerminal(main.summary))
  if (main.exitCode !== exitCode || post.exitCode !== 0 || simulator.problems.length > 0) {
    throw new Error(`the demo did not go as it should: exit code ${main.exitCode}, ${simulator.problems.join('; ')}`)
  }
}

function workflow(given: Record<string, string>): string {
  const expression = (text: string) => `\${{ ${text} }}`
  return [
    '- uses: ./',
    `  if: ${expression('!cancelled()')}`,
    '  with:',
    `    api-token: ${expression('secrets.CENSUS_TOKEN')}`,
    `    dbt-artifacts: ${given['dbt-artifacts']}`,
    `    sync-ids: ${given['sync-ids']?.replaceAll('\n', ', ')}`,
    `    base-url: ${given['base-url']}   # the simulator\n`,
  ].join('\n')
}

/** A line of the log as GitHub shows it. */
function print(line: string): void {
  const command = parseCommand(line)
  const shown = command === null ? line : showCommand(command)
  if (shown !== '') console.log(shown)
}

function showCommand({ name, properties, text }: Command): string {
  const titled = properties.title === undefined ? text : `${properties.title}: ${text}`
  switch (name) {
    case 'group':
      return styleText('bold', `▾ ${text}`)
    case 'error':
      return styleText('red', `Error: ${titled}`)
    case 'warning':
      return styleText('yellow', `Warning: ${titled}`)
    case 'notice':
      return styleText('blue', `Notice: ${titled}`)
    default:
      return ''
  }
}

/** The summary with its table lined up, its links left out, and a word in place of what only a browser shows. */
function inTerminal(summary: string): string {
  const lines = decode(summary)
    .replace(/```mermaid[^`]*```/g, styleText('dim', '(a diagram, which GitHub draws: docs/images shows one)'))
    .replace(/<details><summary>([^\n]*)<\/summary>.*?<\/details>/gs, `▸ $1 ${styleText('dim', '(folded)')}`)
    .trimEnd()
    .replace(/\[((?:[^\]\\]|\\.)*)\]\([^)]*\)/g, '$1')
    .replace(/\\([\\`*_[\]~$|!])/g, '$1')
    .split('\n')
  const cells = lines.map((line) => (line.startsWith('|') ? line.slice(2, -2).split(' | ') : null))
  const widths =
    cells.flatMap((row) => row ?? []).length === 0
      ? []
      : (cells.find((row) => row !== null) ?? []).map((_, column) =>
          Math.min(60, Math.max(...cells.map((row) => row?.[column]?.length ?? 0))),
        )
  return lines
    .map((line, at) => {
      const row = cells[at]
      if (!row) return line.startsWith('#') ? styleText('bold', line) : line
      if (line.startsWith('|---')) return widths.map((width) => '─'.repeat(width)).join('─┼─')
      return row
        .map((cell, column) => (cell.length > 60 ? `${cell.slice(0, 59)}…` : cell.padEnd(widths[column] ?? 0)))
        .join(' │ ')
    })
    .join('\n')
}

function decode(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}

function page(title: string, summary: string): string {
  const style =
    'body{font:16px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color-scheme:light dark}table{border-collapse:collapse}td,th{border:1px solid #8884;padding:.4em .8em}blockquote{border-left:.25em solid #8886;margin:0;padding:0 1em}'
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><style>${style}</style>\n${marked.parse(summary, { async: false })}`
}

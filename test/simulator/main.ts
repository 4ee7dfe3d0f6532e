/** Starts the simulator by hand: `npm run simulator -- --help`. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { serve } from './server.ts'
import { SHOP_SCENARIOS, type ShopScenario, shop, shopForecast } from './shop.ts'
import type { LoggedRequest } from './simulator.ts'

const HELP = `Simulates the Census API for a shop with three syncs.

  npm run simulator -- [options]

  --scenario NAME     ${SHOP_SCENARIOS.join(', ')} (default: good)
  --speed NUMBER      how many times as fast as usual runs go (default: 1)
  --port NUMBER       0 takes any free port (default: 8787)
  --host ADDRESS      address to listen on (default: 127.0.0.1)
  --ready-file PATH   write the base URL to this file once the simulator listens
  --help              this text`

/** Both API versions take it here, so that one token serves whichever version a workflow chooses. */
const TOKEN = 'secret-token:SimulatedWorkspaceKey1'

interface Choices {
  readonly scenario: ShopScenario
  readonly speed: number
  readonly port: number
  readonly host: string
  readonly readyFile: string | undefined
}

try {
  const choices = parseChoices()
  if (choices !== undefined) await run(choices)
} catch (error) {
  if (!(error instanceof Error && isForPeople(error))) throw error
  process.stderr.write(`${error.message}\nSee --help.\n`)
  process.exitCode = 2
}

async function run({ scenario, speed, port, host, readyFile }: Choices): Promise<void> {
  const simulator = shop(scenario, { speed, workspaceKey: TOKEN, personalAccessToken: TOKEN })
  const server = await serve(simulator, { port, host, onRequest: (request) => print(requestLine(request)) })
  print(introduction(scenario, speed, server.url))
  if (readyFile !== undefined) writeFileSync(readyFile, server.url)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const problem of simulator.problems) print(`problem: ${problem}`)
      void server.close()
    })
  }
}

function introduction(scenario: ShopScenario, speed: number, url: string): string {
  const forecasts = shopForecast(scenario)
  const pace = speed === 1 ? '' : `, at ${speed} times the speed`
  return [
    `Simulator at ${url}, scenario "${scenario}"${pace}`,
    `Token: ${TOKEN}`,
    '',
    ...forecasts.map(({ id, label, forecast }) => `  ${id}  ${label}: the next run ${forecast}`),
    '',
    'In a workflow whose runner is this machine:',
    '',
    '  with:',
    `    api-token: '${TOKEN}'`,
    `    sync-ids: '${forecasts.map(({ id }) => id).join(', ')}'`,
    `    base-url: '${url}'`,
    '',
    'Requests (end with Ctrl+C):',
  ].join('\n')
}

function requestLine({ at, method, path, query, status }: LoggedRequest): string {
  const search = new URLSearchParams(query).toString()
  return `${new Date(at).toISOString().slice(11, 19)}  ${status}  ${method} ${path}${search === '' ? '' : `?${search}`}`
}

/** Whether the message alone says what to do: a wrong option, or a port that cannot be had. */
function isForPeople(error: Error): boolean {
  return error instanceof RangeError || ('code' in error && /^(ERR_PARSE_ARGS_|EADDR|EACCES)/.test(String(error.code)))
}

/** The options as given; `undefined` once the help has been printed. */
function parseChoices(): Choices | undefined {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: 'good' },
      speed: { type: 'string', default: '1' },
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      'ready-file': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    print(HELP)
    return undefined
  }
  const scenario = SHOP_SCENARIOS.find((name) => name === values.scenario)
  if (scenario === undefined)
    throw new RangeError(`--scenario "${values.scenario}" is none of ${SHOP_SCENARIOS.join(', ')}.`)
  const speed = Number(values.speed)
  if (!(speed > 0 && Number.isFinite(speed))) throw new RangeError(`--speed "${values.speed}" is no number above 0.`)
  const port = Number(values.port)
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new RangeError(`--port "${values.port}" is no port.`)
  return { scenario, speed, port, host: values.host, readyFile: values['ready-file'] }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

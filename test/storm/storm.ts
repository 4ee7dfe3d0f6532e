/** Runs one trial: the whole action below its shell, against the simulator, in virtual time, with an eye on the wire. */
import { act } from '../../src/action.ts'
import { ProviderClock, watermarkOf } from '../../src/core/watermark.ts'
import type { Dbt } from '../../src/dbt/consult.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { Host } from '../../src/host.ts'
import { type Http, type Reply, TransportError } from '../../src/http.ts'
import { CENSUS, Census } from '../../src/providers/census.ts'
import { type Call, type Fault, Simulator } from '../simulator/index.ts'
import { inputs } from '../support/builders.ts'
import { evidence, found, manifest, model, results } from '../support/dbt.ts'
import { inMemory } from '../support/in-memory.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { Dice } from './dice.ts'
import type { Exchange, History, Told } from './history.ts'
import type { Trial } from './trial.ts'
import { awaited } from './truth.ts'
import { strikes, type Trouble } from './weather.ts'

/** A step that is still at work this long after its deadline hangs. */
const HANG_MS = 30 * 60_000

/** No trial asks for as many as this unless it asks without waiting. */
const MOST_REQUESTS = 20_000

/** Timers have whole milliseconds: less than one would not move a clock at all that has come far. */
class WholeClock extends VirtualClock {
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(Math.ceil(ms), signal)
  }
}

export async function runTrial(trial: Trial): Promise<History> {
  const { policy, vendor, syncs } = trial
  const clock = new WholeClock()
  const began = clock.wall()
  const simulator = makeSimulator(trial, clock)
  const exchanges: Exchange[] = []
  const cancel = new AbortController()
  if (trial.cancelAt !== null) clock.at(trial.cancelAt, () => cancel.abort())
  clock.at(policy.timeoutMs + HANG_MS, () => {
    throw new Error('the step goes on long after its deadline')
  })

  const { maxParallel, cancelOn, ...rest } = policy
  const initially = new Map(syncs.map(({ id }) => [id, simulator.runs(id)]))
  const given = inputs({
    ...rest,
    syncIds: policy.mode === 'wait' ? [] : syncs.map(({ id }) => String(id)),
    runs: awaited(initially).map(({ sync, run }) => {
      return { provider: CENSUS.name, syncId: String(sync), runId: String(run.id) }
    }),
    token: simulator.token(vendor.token),
    maxParallel: maxParallel ?? Number.POSITIVE_INFINITY,
    cancelOn: new Set(cancelOn),
  })
  const { baseUrl, token, apiVersion, groupId } = given
  const providerClock = new ProviderClock()
  const host = new Host(watched(simulator, clock, trial, exchanges), {
    baseUrl,
    headers: { authorization: `Bearer ${token}` },
    secrets: [token],
    clock,
    onPause: () => {},
    onDate: (...times) => providerClock.observe(...times),
  })
  const dbt = trial.builtAgo === null ? null : built(began - trial.builtAgo)
  const luck = new Dice(trial.seed, trial.number, 1)
  const settled = new Map<string, Pick<Told, 'settledAt' | 'runs'>>()
  const common = { trial, began, exchanges, initially, problems: simulator.problems }
  try {
    const report = await clock.run(
      act(given, new Census({ host, baseUrl, token, apiVersion, groupId }), {
        clock,
        dbt,
        signal: cancel.signal,
        watermark: watermarkOf(dbt?.builtAt ?? null, began, providerClock),
        emit: (event) => {
          if (event.kind !== 'settled') return
          const { id } = event.result.sync
          settled.set(id, { settledAt: clock.now(), runs: simulator.runs(Number(id)) })
        },
        group: (_title, work) => work(),
        warn: () => {},
        random: () => luck.next(),
      }),
    )
    const told = report.results.map(({ sync, outcome, runId, adopted }): Told => {
      const truth = settled.get(sync.id) ?? { settledAt: null, runs: [] }
      return { sync: Number(sync.id), outcome, runId, adopted, ...truth }
    })
    return { ...common, ended: clock.now(), crash: null, conclusion: report.conclusion, results: told }
  } catch (error) {
    return { ...common, ended: clock.now(), crash: String(error), conclusion: null, results: [] }
  }
}

function makeSimulator({ syncs, vendor: { token: _, ...options }, weather }: Trial, clock: VirtualClock): Simulator {
  const simulator = new Simulator({ ...options, now: () => clock.wall() })
  const began = clock.wall()
  for (const { ours, others, ...settings } of syncs) {
    simulator.addSync(settings)
    simulator.script(settings.id, ...ours)
    for (const { at, full, ...run } of others)
      simulator.startRun(settings.id, { ...run, fullSync: full, createdAt: began + at })
  }
  const skew = options.clockSkewMs ?? 0
  simulator.faults.push((_request, call) => {
    const trouble = strikes(weather, call, clock.now(), (salt) => new Dice(salt, clock.now(), call.id, call.nth).next())
    if (trouble?.kind === 'refused') throw new TransportError('the connection was refused', false)
    return trouble === null ? undefined : asFault(trouble, clock.wall() + skew)
  })
  return simulator
}

function asFault(trouble: Exclude<Trouble, { kind: 'refused' }>, wall: number): Fault {
  if (trouble.kind !== 'patience') return trouble
  const { status, seconds, form, took } = trouble
  const value = form === 'seconds' ? String(seconds) : new Date(wall + seconds * 1000).toUTCString()
  return { kind: took ? 'respond-after' : 'respond', status, headers: { 'retry-after': value } }
}

/** The wire, and a record of all that went over it. */
function watched(simulator: Simulator, clock: VirtualClock, { vendor }: Trial, exchanges: Exchange[]): Http {
  const wire = inMemory(simulator, clock)
  let call: Call = { operation: 'stray', id: 0, nth: 0 }
  simulator.faults.unshift((_request, current) => {
    call = current
    return undefined
  })
  return {
    async send(request) {
      // What is stopped before it leaves is nothing that the other side could hear of.
      if (request.signal.aborted) return await wire.send(request)
      if (exchanges.length === MOST_REQUESTS) throw new Error(`there have been ${MOST_REQUESTS} requests`)
      const syncId = Number(/\/syncs\/(\d+)\/trigger/.exec(request.url)?.[1] ?? 0)
      const runs = () => (syncId === 0 ? [] : simulator.runs(syncId))
      const before = runs()
      const handled = simulator.requests.length
      // The simulator acts within this call; only its answer takes time.
      const pending = wire.send(request)
      const exchange: Exchange = {
        operation: call.operation,
        id: call.id,
        at: clock.now(),
        trouble: simulator.requests.length === handled ? 'not connected' : (simulator.requests.at(-1)?.fault ?? ''),
        reached: simulator.requests.length > handled,
        answeredAt: null,
        status: 0,
        refused: false,
        notBefore: null,
        before,
        created: runs().find(({ id, triggered }) => triggered && before.every((run) => run.id !== id)) ?? null,
        shown: null,
      }
      exchanges.push(exchange)
      const reply = await pending
      exchange.answeredAt = clock.now()
      exchange.status = reply.status
      exchange.refused = says(reply, /"status":"error"/) || isRefusal(reply.status)
      exchange.notBefore = patienceOf(reply, clock, vendor.clockSkewMs ?? 0)
      if (
        call.operation !== 'stray' &&
        exchange.operation === 'list-runs' &&
        says(reply, /^\{"status":"success","data":\[/)
      )
        exchange.shown = [...reply.text.matchAll(/\{"id":(\d+),"created_at"/g)].map(([, id]) => Number(id))
      return reply
    },
  }
}

function says({ status, text }: Reply, what: RegExp): boolean {
  return status === 200 && what.test(text)
}

function isRefusal(status: number): boolean {
  return status >= 300 && status < 500 && ![408, 425, 429].includes(status)
}

function patienceOf({ status, headers }: Reply, clock: VirtualClock, skew: number): number | null {
  const value = headers['retry-after']
  if (value === undefined || (status !== 429 && status !== 503)) return null
  if (/^\d+$/.test(value)) return clock.now() + Number(value) * 1000
  return Date.parse(value) - skew - (clock.wall() - clock.now())
}

const PARTS = [model('customers')]
const EVIDENCE = evidence([
  found({ manifest: manifest(PARTS), results: results({ 'model.shop.customers': 'success' }) }),
])
const RULINGS = new Rulings(EVIDENCE, CENSUS)

/** A build of dbt in which all went well. */
function built(at: number): Dbt {
  return { rulings: RULINGS, builtAt: at, problems: [], badNames: [] }
}

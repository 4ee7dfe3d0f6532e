import { act } from '../../src/action.ts'
import type { Event } from '../../src/core/events.ts'
import type { Inputs } from '../../src/core/inputs.ts'
import { ProviderClock, watermarkOf } from '../../src/core/watermark.ts'
import type { Dbt } from '../../src/dbt/consult.ts'
import { Host } from '../../src/host.ts'
import { type Http, TransportError } from '../../src/http.ts'
import { Census } from '../../src/providers/census.ts'
import type { Report } from '../../src/report/outputs.ts'
import { Simulator, type SimulatorOptions } from '../simulator/index.ts'
import { inputs } from './builders.ts'
import { VirtualClock } from './virtual-clock.ts'

/** The whole action below its shell, against the simulator without sockets, in virtual time: an hour takes a millisecond. */
export class Rehearsal {
  readonly clock = new VirtualClock()
  readonly simulator: Simulator
  readonly events: Event[] = []
  readonly pauses: number[] = []
  readonly cancel = new AbortController()
  readonly #inputs: Inputs
  dbt: Dbt | null = null

  constructor(overrides: Partial<Inputs> = {}, options: SimulatorOptions = {}) {
    const syncs = options.syncs ?? [{ id: 8290 }]
    this.simulator = new Simulator({ ...options, syncs, now: () => this.clock.wall() })
    this.#inputs = inputs({
      token: this.simulator.token('v1'),
      syncIds: syncs.map(({ id }) => String(id)),
      ...overrides,
    })
  }

  async run(onEvent: (event: Event) => void = () => {}): Promise<Report> {
    const { clock, simulator, events } = this
    const { token, baseUrl, apiVersion, groupId } = this.#inputs
    const providerClock = new ProviderClock()
    const host = new Host(inMemory(simulator, clock), {
      baseUrl,
      headers: { authorization: `Bearer ${token}` },
      clock,
      secrets: [token],
      deadline: clock.now() + this.#inputs.timeoutMs,
      onDate: (...times) => providerClock.observe(...times),
      onPause: (ms) => this.pauses.push(ms),
    })
    return await clock.run(
      act(this.#inputs, new Census({ host, baseUrl, token, apiVersion, groupId }), {
        clock,
        dbt: this.dbt,
        random: () => 0.5,
        signal: this.cancel.signal,
        watermark: watermarkOf(this.dbt?.builtAt ?? null, clock.wall(), providerClock),
        emit: (event) => {
          events.push(event)
          onEvent(event)
        },
        group: (_title, work) => work(),
        warn: () => {},
      }),
    )
  }

  /** Milliseconds since the start at which requests of an operation were made. */
  timesOf(operation: string): number[] {
    const start = this.clock.wall() - this.clock.now()
    return this.simulator.requests.filter((request) => request.operation === operation).map(({ at }) => at - start)
  }
}

/** Carries requests to the simulator without a socket; its faults become what the adapter would make of them. */
export function inMemory(simulator: Simulator, clock: VirtualClock): Http {
  return {
    async send({ method, url, headers, timeoutMs, signal }) {
      if (signal.aborted) throw new TransportError('stopped', false)
      const sentAt = clock.wall()
      const { pathname, search } = new URL(url)
      const delivery = simulator.handle({ method, url: pathname + search, headers })
      const until = clock.now() + timeoutMs
      if (delivery.delayMs > 0) await clock.sleep(Math.min(delivery.delayMs, timeoutMs), signal)
      if (delivery.kind === 'hang') await clock.sleep(until - clock.now(), signal)
      if (signal.aborted) throw new TransportError('stopped', true)
      if (clock.now() >= until) throw new TransportError('no answer in time', true)
      if (delivery.kind !== 'response') throw new TransportError(`the connection broke (${delivery.kind})`, true)
      const fields = Object.entries(delivery.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : String(value),
      ])
      return {
        status: delivery.status,
        headers: Object.fromEntries(fields),
        text: delivery.body,
        sentAt,
        receivedAt: clock.wall(),
      }
    },
  }
}

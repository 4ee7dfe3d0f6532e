/** The demo workspace: a shop that keeps three syncs fed from its dbt models. */
import { Simulator, type SimulatorOptions } from './simulator.ts'
import type { Destination, SyncSettings } from './sync.ts'
import type { Timeline } from './timeline.ts'
import { atSpeed, completesAfter, failsAfter } from './timelines.ts'

export const SHOP_SCENARIOS = ['good', 'failing', 'busy'] as const
export type ShopScenario = (typeof SHOP_SCENARIOS)[number]

export interface ShopOptions extends Omit<SimulatorOptions, 'syncs' | 'destinations'> {
  /** How many times as fast as usual coming runs are; history keeps its pace. */
  readonly speed?: number
}

interface Plan {
  readonly forecast: string
  readonly timeline: Timeline
}

type ShopSync = Partial<SyncSettings> & { readonly id: number; readonly label: string; readonly rows: number }

const ITERABLE: Destination = {
  id: 701104,
  activationId: 'curious_swallow',
  name: 'Iterable',
  connectionDetails: { project: 'shop-lifecycle', region: 'us' },
}
const SALESFORCE: Destination = {
  id: 701231,
  activationId: 'amber_meadow',
  name: 'Salesforce',
  connectionDetails: { instance_url: 'https://shop.my.salesforce.example', username: 'integration@shop.example' },
}

const SYNCS: readonly ShopSync[] = [
  {
    id: 8290,
    rows: 1840,
    label: 'Customers for re-engagement',
    resourceIdentifier: 'sync:customers-for-re-engagement',
    source: { kind: 'table', database: 'shop', schema: 'marts', table: 'customers_for_reengagement' },
    destination: { connectionId: ITERABLE.id, object: 'user' },
    mappings: [
      ['EMAIL', 'email'],
      ['LAST_ORDER_AT', 'last_order_at'],
    ],
  },
  {
    id: 8291,
    rows: 9127,
    label: 'Customers to accounts',
    resourceIdentifier: 'sync:customers-to-accounts',
    source: { kind: 'table', database: 'shop', schema: 'marts', table: 'customers' },
    destination: { connectionId: SALESFORCE.id, object: 'Account' },
    mappings: [
      ['CUSTOMER_ID', 'Customer_Number__c'],
      ['NAME', 'Name'],
    ],
  },
  {
    id: 8292,
    rows: 40_311,
    label: 'Orders to opportunities',
    resourceIdentifier: 'sync:orders-to-opportunities',
    source: { kind: 'table', database: 'shop', schema: 'marts', table: 'orders' },
    destination: { connectionId: SALESFORCE.id, object: 'Opportunity' },
    mappings: [
      ['ORDER_ID', 'Order_Number__c'],
      ['AMOUNT', 'Amount'],
    ],
  },
]

/** Documented: error texts may quote record values. This one quotes three that no log should show. */
const QUOTING_ERROR = {
  code: 'INVALID_REFERENCE_FIELD',
  message:
    'Salesforce rejected the batch: field "Billing_Contact__c" with value "Edda Lindqvist" is no valid reference ' +
    '(record edda.lindqvist@kundpost.example, card 4539148803436467). Please correct it and run the sync again.',
  detail: 'Billing_Contact__c "Edda Lindqvist" <edda.lindqvist@kundpost.example>: MALFORMED_ID 4539148803436467',
}

const ACCOUNTS: Plan = {
  forecast: 'completes after 4.6 s',
  timeline: completesAfter(4600, { sourceRecords: 9127, sourceUpdates: 88 }),
}
const ORDERS: Plan = {
  forecast: 'completes after 2.4 s',
  timeline: completesAfter(2400, { sourceRecords: 40_311, sourceUpdates: 236, sourceDeletes: 2 }),
}
const REENGAGEMENT: Plan = {
  forecast: 'completes after 3.2 s',
  timeline: completesAfter(3200, { sourceRecords: 1840, sourceUpdates: 412 }),
}

const PLANS: Record<ShopScenario, Record<number, Plan>> = {
  good: { 8290: REENGAGEMENT, 8291: ACCOUNTS, 8292: ORDERS },
  failing: {
    8290: {
      forecast: 'completes after 3.2 s, with 3 records rejected and 5 invalid',
      timeline: completesAfter(3200, { sourceRecords: 1840, sourceUpdates: 412, invalid: 5, rejected: 3 }),
    },
    8291: {
      forecast: 'fails after 3.4 s, quoting a record',
      timeline: failsAfter(3400, QUOTING_ERROR, { sourceRecords: 9127, sourceUpdates: 88 }),
    },
    8292: ORDERS,
  },
  busy: {
    8290: { ...REENGAGEMENT, forecast: 'is under way for 6 s more, so a run triggered now is skipped' },
    8291: ACCOUNTS,
    8292: ORDERS,
  },
}

/** What the next run of each sync will do, for people. */
export function shopForecast(scenario: ShopScenario): { id: number; label: string; forecast: string }[] {
  return SYNCS.map(({ id, label }) => ({ id, label, forecast: planFor(scenario, id).forecast }))
}

export function shop(scenario: ShopScenario, options: ShopOptions = {}): Simulator {
  const { speed = 1, ...rest } = options
  const syncs = SYNCS.map(({ rows: _, ...sync }) => ({
    ...sync,
    timeline: atSpeed(planFor(scenario, sync.id).timeline, speed),
  }))
  const simulator = new Simulator({ ...rest, syncs, destinations: [ITERABLE, SALESFORCE] })
  const now = (options.now ?? Date.now)()
  for (const sync of SYNCS) addHistory(simulator, sync, now)
  if (scenario === 'busy') {
    const timeline = completesAfter(60_000 + Math.round(6000 / speed), { sourceRecords: 1840, sourceUpdates: 12 })
    simulator.startRun(8290, { reason: 'schedule', createdAt: now - 60_000, timeline })
  }
  return simulator
}

function planFor(scenario: ShopScenario, id: number): Plan {
  const plan = PLANS[scenario][id]
  if (plan === undefined) throw new Error(`Simulator: the shop has no plan for sync ${id}.`)
  return plan
}

const HOUR = 3_600_000

/** How long the runs of a sync usually take: as long as the coming ones do when all goes well. */
const USUAL_MS: Record<number, number> = { 8290: 3200, 8291: 4600, 8292: 2400 }

/** A few days as they really go: a dry run at the start, one manual run, then API runs of much the same length. */
function addHistory(simulator: Simulator, { id, rows }: ShopSync, now: number): void {
  const offset = (id % 10) * 7000
  const usual = USUAL_MS[id] ?? 4000
  const past = (hours: number, reason: 'dry-run' | 'manual' | 'api', share: number, sourceUpdates: number): void => {
    const timeline = completesAfter(Math.round(usual * share), { sourceRecords: rows, sourceUpdates })
    simulator.startRun(id, { reason, createdAt: now - hours * HOUR + offset, timeline, fullSync: reason !== 'api' })
  }
  past(74, 'dry-run', 0.9, rows)
  past(73, 'manual', 3.1, rows)
  past(50, 'api', 0.95, 37)
  past(26, 'api', 1.08, 54)
  past(2, 'api', 1, 41)
}

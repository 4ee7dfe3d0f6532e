import { expect, test } from 'vitest'
import { counted, failsAfter } from '../simulator/index.ts'
import { play } from './stage.ts'

test('the story of a step: what it asked, and what it told', async () => {
  const at = (counts: Parameters<typeof counted>[0]) => [{ at: 0, status: 'completed', counts: counted(counts) }]
  const { step, simulator, url } = await play({
    simulator: {
      syncs: [
        { id: 8290, label: 'Customers for re-engagement', timeline: at({}) },
        {
          id: 8291,
          label: 'Customers to accounts',
          timeline: failsAfter(0, { message: 'Account "Lindqvist" is locked' }),
        },
        { id: 8292, label: null, timeline: at({ rejected: 2 }) },
        { id: 8293, label: 'Orders', paused: true },
      ],
    },
    // One after the other, so that the order is always the same.
    with: { 'max-parallel': '1', 'on-paused': 'skip' },
  })
  const plain = (text: string) =>
    text
      .replace(/```mermaid[^`]*```/g, '(a picture)')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'SOME TIME')
      .replaceAll(url, 'https://census')
      .replace(/\b4310\d{5}\b/g, 'RUN')
      .replace(/\[\d+:\d\d\]/g, '[0:00]')
      .replace(/ · in .*$/gm, ' · in a moment')
      .replace(/::add-mask::.*/g, '::add-mask::…')
      .replace(/took \d+ s/g, 'took 0 s')
  const requests = simulator.requests.map(({ method, path, status }) => plain(`${method} ${path} ${status}`))
  const plan = requests.findIndex((request) => request.startsWith('POST'))
  expect(requests.slice(0, plan).sort()).toMatchInlineSnapshot(`
    [
      "GET /api/v1/destinations 200",
      "GET /api/v1/syncs/8290 200",
      "GET /api/v1/syncs/8290/sync_runs 200",
      "GET /api/v1/syncs/8291 200",
      "GET /api/v1/syncs/8291/sync_runs 200",
      "GET /api/v1/syncs/8292 200",
      "GET /api/v1/syncs/8292/sync_runs 200",
      "GET /api/v1/syncs/8293 200",
      "GET /api/v1/syncs/8293/sync_runs 200",
    ]
  `)
  expect(requests.slice(plan)).toMatchInlineSnapshot(`
    [
      "POST /api/v1/syncs/8290/trigger 200",
      "GET /api/v1/sync_runs/RUN 200",
      "POST /api/v1/syncs/8291/trigger 200",
      "GET /api/v1/sync_runs/RUN 200",
      "POST /api/v1/syncs/8292/trigger 200",
      "GET /api/v1/sync_runs/RUN 200",
    ]
  `)
  expect(plain(step.log)).toMatchInlineSnapshot(`
    "::add-mask::…
    ::add-mask::…
    ::add-mask::…
    ::warning title=Input::base-url: "https://census" is plain http: whoever is on the way can read the token.
    ::group::Plan
    8290 Customers for re-engagement → CRM · Contact: trigger
    8291 Customers to accounts → CRM · Contact: trigger
    8292 sync-8292 → CRM · Contact: trigger
    8293 Orders → CRM · Contact: skipped, the sync is paused (on-paused: skip)
    ::endgroup::
    ::warning title=Provider::This step uses version 1 of the Census API, which ends on 2027-01-15. Make a personal access token (Fivetran Activations, user settings) and give it as api-token instead of the workspace key: version 2 takes over by itself.
    [0:00] 8293 Orders: ⏭️ skipped: the sync is paused (on-paused: skip)
    [0:00] 8290 Customers for re-engagement: triggered run RUN
    [0:00] 8290 Customers for re-engagement: completed · 120 accepted
    [0:00] 8290 Customers for re-engagement: ✅ succeeded (120 accepted; took 0 s) https://census/syncs/8290/sync-history
    [0:00] 8291 Customers to accounts: triggered run RUN
    [0:00] 8291 Customers to accounts: failed
    [0:00] 8291 Customers to accounts: ❌ failed: the provider says: Account "…" is locked (took 0 s) https://census/syncs/8291/sync-history
    [0:00] 8292 sync-8292: triggered run RUN
    [0:00] 8292 sync-8292: completed · 118 accepted, 2 rejected
    [0:00] 8292 sync-8292: ⚠️ succeeded with warnings: 2 records rejected by the destination (118 accepted, 2 rejected; took 0 s) https://census/syncs/8292/sync-history
    ::group::Results
    8290 Customers for re-engagement: ✅ succeeded (120 accepted; took 0 s) https://census/syncs/8290/sync-history
    8291 Customers to accounts: ❌ failed: the provider says: Account "…" is locked (took 0 s) https://census/syncs/8291/sync-history
    8292 sync-8292: ⚠️ succeeded with warnings: 2 records rejected by the destination (118 accepted, 2 rejected; took 0 s) https://census/syncs/8292/sync-history
    8293 Orders: ⏭️ skipped: the sync is paused (on-paused: skip)
    ::endgroup::
    ::error title=Sync failed::8291 Customers to accounts → CRM · Contact: the provider says: Account "…" is locked%0AOpen the sync: its history shows what was rejected, and why. If it fails now and then, for locked records for example, retries help.%0Ahttps://census/syncs/8291/sync-history
    ::warning title=Sync delivered%2C but not every record::8292 sync-8292 → CRM · Contact: 2 records rejected by the destination
    ::notice title=Sync skipped::8293 Orders → CRM · Contact: the sync is paused (on-paused: skip)
    "
  `)
  expect(plain(step.summary)).toMatchInlineSnapshot(`
    "## ❌ 1 of 4 syncs did not deliver

    4 syncs · 1 failed · 1 succeeded with warnings · 1 succeeded · 1 skipped · 238 records accepted, 2 rejected · in a moment

    ### ❌ 8291 Customers to accounts → CRM · Contact: failed

    > the provider says: Account "…" is locked

    run RUN · [Open the sync](https://census/syncs/8291/sync-history)

    **What to do:** Open the sync: its history shows what was rejected, and why. If it fails now and then, for locked records for example, retries help.

    | Outcome | Sync | Destination | Records | Run took | Why |
    |---|---|---|---|---|---|
    | ❌ failed | [8291 Customers to accounts](https://census/syncs/8291/sync-history) | CRM · Contact |  | 0 s | the provider says: Account "…" is locked |
    | ⚠️ succeeded with warnings | [8292 sync-8292](https://census/syncs/8292/sync-history) | CRM · Contact | 118 accepted, 2 rejected | 0 s | 2 records rejected by the destination |
    | ✅ succeeded | [8290 Customers for re-engagement](https://census/syncs/8290/sync-history) | CRM · Contact | 120 accepted | 0 s | completed |
    | ⏭️ skipped | [8293 Orders](https://census/syncs/8293/sync-history) | CRM · Contact |  |  | the sync is paused (on-paused: skip) |

    <details><summary>Runs of 3 syncs</summary>

    | Sync | Run | Created (UTC) | Ended (UTC) | Triggers | Looks |
    |---|---|---|---|---|---|
    | 8291 Customers to accounts | RUN | SOME TIME | SOME TIME | 1 | 1 |
    | 8292 sync-8292 | RUN | SOME TIME | SOME TIME | 1 | 1 |
    | 8290 Customers for re-engagement | RUN | SOME TIME | SOME TIME | 1 | 1 |

    </details>

    "
  `)
})

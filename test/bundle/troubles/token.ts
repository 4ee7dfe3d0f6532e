import { completesAfter, type Fault, Simulator, shop } from '../../simulator/index.ts'
import { afterDbt } from '../workspace.ts'
import { alone, step, type Trouble } from './scene.ts'

const one = { syncs: [{ id: 8290, timeline: completesAfter(100) }] }
const SECRET = 'secret-token:abcdefgh'

/** The token, and what the provider makes of it. */
export const TOKEN: readonly Trouble[] = [
  {
    name: 'a token that is not the right one',
    texts: ['the token was refused (HTTP 401)'],
    show: () => step({ simulator: shop('good'), with: { 'api-token': 'secret-token:NotTheRightOne' } }),
  },
  {
    name: 'a secret that does not exist',
    texts: [
      'api-token: is required. It is empty: does the secret exist, under this name, in this repository or environment?',
      'Nothing was triggered: an input is not right.',
    ],
    show: () => alone({ 'api-token': '' }),
  },
  {
    name: 'a pull request of Dependabot',
    texts: ['api-token: is required. This workflow was started by Dependabot, …'],
    show: () => alone({ 'api-token': '' }, { env: { GITHUB_ACTOR: 'dependabot[bot]' } }),
  },
  {
    name: 'a pull request from a fork',
    texts: ['api-token: is required. This is a pull request from a fork, …'],
    show: () =>
      alone(
        { 'api-token': '' },
        {
          event: {
            repository: { full_name: 'acme/shop' },
            pull_request: { head: { repo: { full_name: 'jane/shop' } } },
          },
        },
      ),
  },
  {
    name: 'a token that was broken when it was pasted',
    texts: [
      'api-token: holds a blank, a line break, a control character or a letter that no token has. Paste it again.',
    ],
    show: () => alone({ 'api-token': 'secret-token:abcd\nefgh' }),
  },
  {
    name: 'the old address for triggering in place of a token',
    texts: ['api-token: is an address. Give the token alone, without the address that it is used with.'],
    show: () => alone({ 'api-token': `https://bearer:${SECRET}@app.getcensus.com/api/v1/syncs/8290/trigger` }),
  },
  {
    name: 'a token that is only a piece of one',
    texts: ['api-token: is shorter than 8 characters, so it cannot be a token.'],
    show: () => alone({ 'api-token': 'abc' }),
  },
  {
    name: 'refusals that are about one sync each',
    texts: [
      'the token may not use sync … (HTTP 403)',
      'there is no sync … that this token can see (HTTP 404)',
      'the sync could not be read: …',
      'the provider refused the trigger: the request was not accepted (HTTP …)',
      'with a web page instead of an answer of the API: a proxy or firewall may be in between',
      'a redirect, which is not followed because it would take the token along (HTTP …)',
    ],
    show: () => {
      const answers: Record<number, Fault> = {
        8001: { kind: 'respond', status: 403, body: '{"status":"error","message":"You may not do this."}' },
        8002: { kind: 'respond', status: 422, body: '{"status":"error","message":"No such mapping."}' },
        8003: { kind: 'respond', status: 403, body: '<!doctype html><html><body>Sign in</body></html>' },
        8004: { kind: 'respond', status: 302, headers: { location: 'https://login.example' } },
      }
      return step({
        simulator: { syncs: Object.keys(answers).map((id) => ({ id: Number(id) })) },
        prepare: (sim) =>
          sim.faults.push((_, { operation, id }) => (operation === 'trigger' ? answers[id] : undefined)),
        with: { 'sync-ids': `${Object.keys(answers).join(' ')} 4711` },
      })
    },
  },
  {
    name: 'a workspace key after the end of version 1',
    texts: ['this version of the API has ended (HTTP 410)'],
    show: () =>
      step({
        simulator: { ...one, v1Retired: true },
        with: { 'api-token': new Simulator().token('v1'), 'api-version': 'v1' },
      }),
  },
  {
    name: 'a workspace key after the end of version 1, with a version that is found out',
    texts: ['this version of the API has ended (HTTP 410)', 'the token was refused (HTTP 401)'],
    show: () => step({ simulator: { ...one, v1Retired: true }, with: { 'api-token': new Simulator().token('v1') } }),
  },
  {
    name: 'a workspace key before the end of version 1',
    texts: ['This step uses version 1 of the Census API, which ends on 2027-01-15. …'],
    show: () => step({ simulator: one, with: { 'api-token': new Simulator().token('v1') } }),
  },
  {
    name: 'an account whose requests need a group',
    texts: ['the request was not accepted (HTTP 400); API v2 may need the input group-id'],
    show: () => step({ simulator: { ...one, v2RequiresGroupId: true } }),
  },
  {
    name: 'a provider that asks for more patience than there is',
    texts: [
      'the provider asks for a wait of …: until then nothing is sent to it',
      'the trigger could not be sent: the provider asks for fewer requests (HTTP 429)',
      'the trigger could not be sent: …',
    ],
    show: () =>
      step({
        simulator: one,
        prepare: (sim) => sim.failNext('trigger', { kind: 'respond', status: 429, headers: { 'retry-after': '3600' } }),
        with: { 'timeout-minutes': '10' },
      }),
  },
  {
    name: 'a list of syncs that the token may not see',
    texts: ['the syncs could not be listed: …'],
    show: async () => {
      using job = afterDbt('all-good')
      return await step({
        simulator: shop('good'),
        prepare: (sim) => sim.failNext('list-syncs', { kind: 'respond', status: 403 }, 9),
        with: { 'dbt-artifacts': 'target', discover: 'lineage', 'sync-ids': '' },
        options: { workspace: job.path },
      })
    },
  },
]

import { completesAfter } from '../../simulator/index.ts'
import { workspace } from '../workspace.ts'
import { alone, type Shown, step, type Trouble } from './scene.ts'

/** A step with a config file. */
async function configured(content: string, given: Record<string, string> = {}): Promise<Shown> {
  using job = workspace()
  job.write('syncs.yml', content)
  return await alone({ config: 'syncs.yml', 'sync-ids': '', ...given }, { workspace: job.path })
}

const address = (name: string, text: string, url: string): Trouble => {
  return { name, texts: [text], show: () => alone({ 'base-url': url }) }
}

/** Mistakes in the inputs. All of a step are told at once. */
export const INPUTS: readonly Trouble[] = [
  {
    name: 'nearly every input is wrong',
    texts: [
      '…: there is no such input. Did you mean …?',
      '…: there is no such input, so it has no effect.',
      'sync-ids: "…" is not allowed. Allowed for census: …',
      'sync-ids: "…" is listed more than once; each runs once.',
      '"…" is not allowed. Allowed: …',
      'is not allowed. Allowed: true, false.',
      'is not allowed. Allowed: a whole number of runs from … to …',
      'is not allowed. Allowed: a number of … from … to …',
      'is not allowed. Allowed: a whole number of records such as 100, or a percentage from 0% to 100%.',
      'runs: "…" is not allowed. Only mode: wait takes runs.',
      "It needs dbt-artifacts: the folder with dbt's run_results.json, such as target.",
      'cancel-on: "…" is not allowed. failure needs fail-fast: true.',
      'region: "…" is not allowed. Allowed for census: us, eu.',
      'github-run-id: "…" is not allowed. Allowed: the id of a workflow run, which is a number.',
      'Nothing was triggered: there are … mistakes in the inputs.',
    ],
    show: () =>
      alone({
        max_parallel: '2',
        'slack-channel': 'data',
        'sync-ids': 'customers, 8290, 8290',
        mode: 'sometimes',
        runs: '431000001',
        'full-sync': 'yes',
        retries: 'many',
        'timeout-minutes': '0',
        'max-failed-records': '5 percent',
        'on-blocked': 'skip',
        'cancel-on': 'failure',
        region: 'au',
        'github-run-id': 'nightly',
      }),
  },
  {
    name: 'what is given in ways that nobody can read',
    texts: [
      'Allowed: ids separated by new lines, commas or blanks, or a JSON array.',
      'config: "…" does not exist. Its path starts from the workspace.',
      'is plain http: whoever is on the way can read the token.',
    ],
    show: () => alone({ 'sync-ids': '[8290,', config: 'syncs.yml', 'base-url': 'http://gateway' }),
  },
  {
    name: 'a list that turned out empty',
    texts: ['sync-ids: is required and names no sync. …'],
    show: () => alone({ 'sync-ids': ' # none today' }),
  },
  {
    name: 'more syncs than one step takes',
    texts: ['is not allowed. Allowed: at most 2000 syncs in one step.'],
    show: () => alone({ 'sync-ids': Array.from({ length: 2001 }, (_, index) => index + 1).join(' ') }),
  },
  {
    name: 'waiting with policies for what is not decided',
    texts: ['…: no effect with mode: wait, which watches runs as they are.'],
    show: () => alone({ mode: 'wait', 'sync-ids': '', runs: '[]', retries: '2' }),
  },
  {
    name: 'triggering with limits on what is not watched',
    texts: ['…: no effect on the runs that mode: trigger starts. …'],
    show: () =>
      step({
        simulator: { syncs: [{ id: 8290, timeline: completesAfter(100) }] },
        with: { mode: 'trigger', 'max-failed-records': '1%' },
      }),
  },
  {
    name: 'waiting without runs',
    texts: [
      'runs: is required. With mode: wait, give the runs output of an earlier step, or a list of run ids.',
      'With mode: wait the runs are given by the input runs, and nothing is decided.',
    ],
    show: () => alone({ mode: 'wait' }),
  },
  {
    name: 'waiting for something else than runs',
    texts: ['Allowed: items of the runs output of this action, or run ids.'],
    show: () => alone({ mode: 'wait', 'sync-ids': '', runs: '[{"outcome":"succeeded"}]' }),
  },
  {
    name: 'a region and an address',
    texts: ['region: cannot be combined with base-url. Give one of the two.'],
    show: () => alone({ region: 'eu', 'base-url': 'https://app-eu.getcensus.com' }),
  },
  address('an address without its scheme', 'base-url: "…" is not an address. …', 'app.getcensus.com'),
  address(
    'an address with a password',
    'base-url: holds a user name or password. Give the token as api-token.',
    'https://bearer:abcdefgh@app.getcensus.com',
  ),
  address(
    'an address with a path',
    'base-url: "…" is not allowed. Allowed: the address of the host alone, without a path: …',
    'https://app.getcensus.com/api/v1',
  ),
  address(
    'an address where clouds keep their secrets',
    'is not allowed: it is a link-local or metadata address.',
    'http://169.254.169.254',
  ),
  address(
    'an address that everybody on the way can read',
    'is not allowed: plain http would show the token on the way. …',
    'http://app.getcensus.com',
  ),
  {
    name: 'a config file with mistakes',
    texts: [
      'config: …: there is no setting "…". …',
      'config: …: … must be …, not …',
      'config: …: … is given twice. Keep one of the two.',
      'config: …: id: "…" is listed twice. List each sync once.',
      'config: sync … has a dbt-gate, which needs the input dbt-artifacts.',
      'sync-ids: "…" is not allowed. The config file does not list it. …',
    ],
    show: () =>
      configured(
        [
          'syncs:',
          '  - id: 8290',
          '    on-runing: skip',
          '    retries: "2"',
          '    retries: 3',
          '  - id: 8290',
          '  - id: 8291',
          '    dbt-gate: strict',
        ].join('\n'),
        { 'sync-ids': '8290 4711' },
      ),
  },
  {
    name: 'a config file without syncs',
    texts: ['config: …: syncs: must be a list of one sync or more, each with its id: …'],
    show: () => configured('provider: census\n'),
  },
  {
    name: 'a config file with an alias',
    texts: ['config: …: *… is an alias, and this file takes none: write the value itself.'],
    show: () => configured('syncs:\n  - &one { id: 8290 }\n  - *one\n'),
  },
]

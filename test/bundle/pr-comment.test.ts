import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GitHub, type GitHubOptions, LOST_ANSWER, type PullFile, secondaryRateLimit } from '../github-api/index.ts'
import { shop } from '../simulator/index.ts'
import { annotations, requestsOf } from './stage.ts'
import { operationsOf, playWorkflow, type WorkflowScene } from './workflow.ts'
import { afterDbt, type Workspace } from './workspace.ts'

const changed = (...names: string[]): PullFile[] => names.map((filename) => ({ filename, status: 'modified' }))

/** A repository with an open pull request. */
function withPullRequest(files: PullFile[], options: GitHubOptions = {}): { github: GitHub; number: number } {
  const github = new GitHub({ permissions: { pullRequests: 'write' }, ...options })
  github.openIssue({ title: 'Something else' })
  return { github, number: github.openPullRequest({ title: 'A change', files }) }
}

/** `mode: plan` on a pull request, with no more of dbt than its manifest. */
async function plan(github: GitHub, number: number, more: Partial<WorkflowScene> = {}, job: Workspace = parsed()) {
  using workspace = job
  return await playWorkflow({
    simulator: shop('good'),
    github,
    pullRequest: number,
    ...more,
    with: { mode: 'plan', 'pr-comment': 'true', 'dbt-artifacts': 'target', 'sync-ids': '8290 8291 8292', ...more.with },
    options: { workspace: workspace.path, ...more.options },
  })
}

/** A workspace in which dbt has read the project, and built nothing. */
function parsed(into = 'target'): Workspace {
  const job = afterDbt('all-good', { into })
  for (const name of ['run_results.json', 'sources.json']) rmSync(join(job.path, into, name), { force: true })
  return job
}

function onlyComment(github: GitHub, number: number): string {
  expect(github.comments(number)).toHaveLength(1)
  return (github.comments(number)[0]?.body ?? '').replaceAll('\\_', '_')
}

describe('the comment on a pull request', () => {
  test('says which models the change touches, which syncs they feed, and where to', async () => {
    const { github, number } = withPullRequest(changed('models/marts/customers.sql', 'README.md'))
    const { step, simulator } = await plan(github, number)
    expect(step.exitCode).toBe(0)
    expect(requestsOf(simulator).filter((request) => !request.startsWith('GET'))).toEqual([])
    const comment = onlyComment(github, number)
    expect(comment.replace(/http:\/\/127.0.0.1:\d+/g, 'https://census')).toMatchInlineSnapshot(`
      "<!-- post-transform-sync plan {"step":"nightly.yml/sync/__self"} -->
      ### 📝 What this change would ship

      This change touches 1 model (customers), which feeds 2 of 3 syncs, to Iterable · user, Salesforce · Account.

      | Sync | Destination | Changed models | What would happen |
      |---|---|---|---|
      | [8290 Customers for re-engagement](https://census/syncs/8290/sync-history) | Iterable · user | customers | would trigger |
      | [8291 Customers to accounts](https://census/syncs/8291/sync-history) | Salesforce · Account | customers | would trigger |

      <details><summary>1 sync that this change does not touch</summary>

      | Sync | Destination | Changed models | What would happen |
      |---|---|---|---|
      | [8292 Orders to opportunities](https://census/syncs/8292/sync-history) | Salesforce · Opportunity |  | would trigger |

      </details>

      Planned by [this workflow run](https://github.example/octo-org/shop/actions/runs/7001) for fedcba9. Nothing was triggered.
      "
    `)
  })

  test('is edited in place, also where it lies on the third page among comments that look like it', async () => {
    const { github, number } = withPullRequest(changed('models/marts/customers.sql'))
    for (let count = 0; count < 120; count += 1) github.comment(number, { body: `Comment ${count}` })
    await plan(github, number)
    const ours = github.comments(number).at(-1)
    for (let count = 0; count < 120; count += 1) {
      github.comment(number, { body: ours?.body ?? '', login: count % 2 === 0 ? 'mallory' : 'other-app[bot]' })
    }
    const { step } = await plan(github, number, { with: { 'sync-ids': '8292' } })
    expect(annotations(step, 'warning').filter((text) => text.includes('pr-comment'))).toEqual([])
    const after = github.comments(number)
    expect(after).toHaveLength(241)
    expect(after.find(({ id }) => id === ours?.id)?.body).toContain('which feeds no sync of this step')
    expect(after.filter(({ body }) => body !== ours?.body)).toHaveLength(121)
  })

  test('of several steps are several, each edited by its own', async () => {
    const { github, number } = withPullRequest(changed('models/marts/orders.sql'))
    const steps = [{ job: 'crm' }, { job: 'mail' }, { job: 'mail', stepId: '__self_2' }]
    for (const step of [...steps, ...steps]) await plan(github, number, step)
    expect(github.comments(number)).toHaveLength(3)
  })

  test('says first what would not ship, and why', async () => {
    const { github, number } = withPullRequest(changed('models/marts/customers.sql'))
    using job = afterDbt('test-fail')
    const simulator = shop('good')
    simulator.changeSync(8290, { paused: true })
    const { step } = await plan(github, number, { simulator }, job)
    expect(step.exitCode).toBe(1)
    const comment = onlyComment(github, number)
    expect(comment).toContain(
      'which feeds 2 of 3 syncs, to Iterable · user, Salesforce · Account. **None of them would ship.**',
    )
    expect(comment).toMatch(/\| \[8290 .* \| ❌ the sync is paused \(on-paused: fail\) \|/)
    expect(comment).toMatch(
      /\| \[8291 .* \| ⛔ would be blocked, test unique_customers_customer_id failed \(1 row\) .* \|/,
    )
  })

  test('without dbt’s manifest tells the plan, and how to learn more', async () => {
    const { github, number } = withPullRequest(changed('models/marts/customers.sql'))
    await plan(github, number, { with: { 'dbt-artifacts': '' } })
    const comment = onlyComment(github, number)
    expect(comment).toContain('is known where `dbt-artifacts` has dbt’s manifest')
    expect(comment.match(/would trigger \|/g)).toHaveLength(3)
    expect(operationsOf(github)).not.toContain('list-files')
  })

  test.each([
    ['files that no model is in', changed('README.md', 'macros/cents.sql'), 'touches the files of no model'],
    [
      'a model that has moved',
      [{ filename: 'models/x.sql', status: 'renamed', previousFilename: 'models/marts/orders.sql' }],
      'orders',
    ],
    [
      'a model that is gone',
      [{ filename: 'models/marts/old.sql', status: 'removed' }],
      'This change removes 1 model (old)',
    ],
    ['a seed far upstream', changed('seeds/raw_customers.csv'), '(raw_customers), which feeds all 3 syncs'],
  ] as [string, PullFile[], string][])('knows %s', async (_what, files, text) => {
    const { github, number } = withPullRequest(files)
    await plan(github, number)
    expect(onlyComment(github, number)).toContain(text)
  })

  test('finds the project in a folder of the repository, and takes no file of another project for its own', async () => {
    const both = changed('warehouse/models/marts/orders.sql', 'other/models/marts/customers.sql')
    const { github, number } = withPullRequest(both)
    const artifacts = { 'dbt-artifacts': 'warehouse/target' }
    await plan(github, number, { with: artifacts }, parsed('warehouse/target'))
    expect(onlyComment(github, number)).toContain('This change touches 1 model (orders), which feeds 1 of 3 syncs')
  })

  test('finds the files of a large change on all pages', async () => {
    const noise = Array.from({ length: 250 }, (_, at) => `docs/page-${at}.md`)
    const { github, number } = withPullRequest(changed(...noise, 'models/marts/orders.sql'))
    await plan(github, number)
    expect(onlyComment(github, number)).toContain('(orders), which feeds 1 of 3 syncs')
    expect(operationsOf(github).filter((operation) => operation === 'list-files')).toHaveLength(3)
  })

  test('does not take the first three thousand files for all of them', async () => {
    const noise = Array.from({ length: 3100 }, (_, at) => `docs/page-${at}.md`)
    const { github, number } = withPullRequest(changed(...noise, 'models/marts/orders.sql'))
    await plan(github, number)
    expect(onlyComment(github, number)).toContain('The plan for 3 syncs')
  })

  test('knows of no plan where the step gave up', async () => {
    const { github, number } = withPullRequest(changed('models/marts/orders.sql'))
    await plan(github, number, { options: { jobStatus: 'failure' } })
    const comment = onlyComment(github, number)
    expect(comment).toContain('There is no plan.')
    expect(comment).not.toContain('This change touches')
  })

  test('stays a comment of ours whatever names hold, and below GitHub’s limit', async () => {
    const { github, number } = withPullRequest(changed('models/marts/customers.sql'))
    const simulator = shop('good')
    const label = '@team #1 --> <img src=x> | [x](https://evil.example) '.repeat(40)
    for (let id = 1; id <= 800; id += 1) simulator.addSync({ id, label })
    const ids = Array.from({ length: 800 }, (_, at) => at + 1).join(' ')
    await plan(github, number, { simulator, with: { 'sync-ids': ids } })
    const comment = onlyComment(github, number)
    expect(comment.length).toBeLessThan(65_536)
    expect(comment).toMatch(/… and \d+ more syncs\./)
    expect(comment).not.toMatch(/@team|#1\b|<img|\(https:\/\/evil/)
  })
})

describe('two runs in the same moment', () => {
  test('that both write a comment: the older one stays, with what the newer one says', async () => {
    const { github, number } = withPullRequest(changed('models/marts/orders.sql'))
    const other = withPullRequest(changed('models/marts/customers.sql'))
    await plan(other.github, other.number)
    const theirs = other.github.comments(other.number)[0]?.body ?? ''
    github.faults.push((_request, { operation, nth }) => {
      if (operation === 'create-comment' && nth === 1)
        github.comment(number, { body: theirs, login: 'github-actions[bot]' })
      return undefined
    })
    await plan(github, number)
    expect(onlyComment(github, number)).toContain('(orders), which feeds 1 of 3 syncs')
  })
})

describe('trouble with GitHub', () => {
  test.each<[string, GitHubOptions, RegExp]>([
    ['no permission', { permissions: {} }, /"permissions: pull-requests: write"/],
    ['the permission for issues alone', { permissions: { issues: 'write' } }, /"permissions: pull-requests: write"/],
    ['permission to read alone', { permissions: { pullRequests: 'read' } }, /"permissions: pull-requests: write"/],
  ])('%s is a warning that names the permission, and the plan stays green', async (_what, options, text) => {
    const { github, number } = withPullRequest(changed('models/marts/orders.sql'), options)
    const { step } = await plan(github, number)
    expect(step.exitCode).toBe(0)
    expect(annotations(step, 'warning').filter((line) => line.startsWith('pr-comment'))).toEqual([
      expect.stringMatching(text),
    ])
    expect(github.comments(number)).toEqual([])
  })

  test('a locked conversation is a warning that says so', async () => {
    const { github, number } = withPullRequest(changed('models/marts/orders.sql'))
    github.lock(number)
    const { step } = await plan(github, number)
    expect(annotations(step, 'warning').filter((line) => line.startsWith('pr-comment'))).toEqual([
      'pr-comment: the comment could not be written: its conversation is locked.',
    ])
  })

  test('an answer that is lost, or a short wait that is asked for, leads to no second comment', async () => {
    for (const fault of [LOST_ANSWER, secondaryRateLimit({ retryAfter: 1 })]) {
      const { github, number } = withPullRequest(changed('models/marts/orders.sql'))
      github.failNext('create-comment', fault)
      const { step } = await plan(github, number)
      expect(annotations(step, 'warning').filter((line) => line.startsWith('pr-comment'))).toEqual([])
      expect(github.comments(number)).toHaveLength(1)
    }
  })

  test('a run of no pull request is told so, and needs no token', async () => {
    const { github } = withPullRequest([])
    using job = parsed()
    const { step } = await playWorkflow({
      simulator: shop('good'),
      github,
      with: { mode: 'plan', 'pr-comment': 'true', 'dbt-artifacts': 'target', 'sync-ids': '8290' },
      options: { workspace: job.path },
    })
    expect(step.exitCode).toBe(0)
    expect(annotations(step, 'notice')).toContain(
      'pr-comment: this run is not for a pull request, so there is nothing to comment on.',
    )
    expect(github.requests).toEqual([])
  })

  test('a comment on what is no plan is refused before anything runs', async () => {
    const { github, number } = withPullRequest([])
    const { step, simulator } = await plan(github, number, { with: { mode: 'run' } })
    expect(annotations(step, 'error')).toEqual([
      expect.stringMatching(/^pr-comment: "true" is not allowed\. It needs mode: plan/),
    ])
    expect(simulator.requests).toEqual([])
  })
})

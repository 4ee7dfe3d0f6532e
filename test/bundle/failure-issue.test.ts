import type { ChildProcess } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import {
  GitHub,
  LOST_ANSWER,
  LOST_REQUEST,
  primaryRateLimit,
  secondaryRateLimit,
  serverError,
} from '../github-api/index.ts'
import type { Step } from '../runner/runner.ts'
import { completesAfter, failsAfter, type SimulatorOptions, worksForever } from '../simulator/index.ts'
import { triggersOf } from './stage.ts'
import { operationsOf, playWorkflow, type WorkflowScene } from './workflow.ts'
import { afterDbt } from './workspace.ts'

const TITLE = 'Nightly sync is failing'
const good = completesAfter(0)
const bad = failsAfter(0, { message: 'Account "jane@shop.example" is locked' })

/** Syncs of which these fail. */
function syncs(ids: number[], failing: number[] = []): NonNullable<SimulatorOptions['syncs']> {
  return ids.map((id) => ({ id, label: `Sync of ${id}`, timeline: failing.includes(id) ? bad : good }))
}

/** A night on which these of the two syncs fail. */
function night(github: GitHub, failing: number[], more: Partial<WorkflowScene> = {}) {
  return playWorkflow({
    github,
    simulator: { syncs: syncs([8290, 8291], failing) },
    ...more,
    with: { 'failure-issue': TITLE, ...more.with },
  })
}

const only = <T>(some: readonly T[]): T => {
  expect(some).toHaveLength(1)
  const [one] = some
  if (one === undefined) throw new Error('there is none')
  return one
}
/** What the step warns of on account of GitHub. */
const warnings = ({ commands }: Step) =>
  commands.filter(({ name, properties }) => name === 'warning' && properties.title === 'GitHub').map(({ text }) => text)
const open = (github: GitHub) => github.issues().filter(({ state }) => state === 'open')

describe('the failure issue', () => {
  test('is opened with the first failure, told of every change, and closed when all deliver again', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })

    await night(github, [])
    expect(github.issues()).toEqual([])

    const first = await night(github, [8291])
    expect(first.step.exitCode).toBe(1)
    expect(warnings(first.step)).toEqual([])
    const issue = only(github.issues())
    expect(issue).toMatchObject({ title: TITLE, state: 'open' })
    expect(issue.body).toContain('1 sync does not deliver.')
    expect(issue.body).toMatch(
      /\| \[8291 Sync of 8291\]\(http.*\/syncs\/8291\/.*\) \| 20\d\d‑\d\d‑\d\d \| ❌ failed \| the provider says: Account "…" is locked \|/,
    )
    expect(issue.body).toContain('[this workflow run](https://github.example/octo-org/shop/actions/runs/7001)')
    expect(github.comments(issue.number)).toEqual([])

    // The same again is no news.
    await night(github, [8291], { runId: '7002' })
    expect(only(github.issues()).body).toContain('/actions/runs/7002)')
    expect(github.comments(issue.number)).toEqual([])

    await night(github, [8290, 8291], { runId: '7003' })
    expect(only(github.issues()).body).toContain('2 syncs do not deliver.')
    expect(github.comments(issue.number).map(({ body }) => body)).toEqual([
      expect.stringMatching(
        /^❌ \*\*New in the list:\*\*\n\n- 8290 Sync of 8290: the provider says: .*\n\nSeen by .*\/7003\)\. Left in the list: 2\.\n\n<!-- .* -->\n$/,
      ),
    ])

    await night(github, [], { runId: '7004' })
    expect(only(github.issues())).toMatchObject({ state: 'closed', stateReason: 'completed' })
    expect(github.comments(issue.number).at(-1)?.body).toMatch(
      /^✅ \*\*Off the list:\*\*\n\n- 8290 Sync of 8290\n- 8291 Sync of 8291\n\nNothing is left in the list/,
    )

    // What fails after that is a new story.
    await night(github, [8290], { runId: '7005' })
    expect(github.issues().map(({ state }) => state)).toEqual(['closed', 'open'])
  })

  test('keeps what another job has seen: a part of the list never closes the issue for the others', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [8290, 8291])
    await night(github, [], { simulator: { syncs: syncs([8290]) } })
    const issue = only(open(github))
    expect(issue.body).toContain('8291 Sync of 8291')
    expect(issue.body).not.toContain('8290')
    await night(github, [], { simulator: { syncs: syncs([9000]) } })
    expect(only(open(github)).body).toBe(issue.body)
    await night(github, [], { simulator: { syncs: syncs([8291]) } })
    expect(open(github)).toEqual([])
  })

  test('is found on whatever page it lies, among issues and pull requests of others', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [8291])
    for (let count = 0; count < 250; count += 1) {
      if (count % 2 === 0) github.openIssue({ title: TITLE })
      else github.openPullRequest({ title: TITLE })
    }
    await night(github, [8290, 8291])
    expect(github.issue(1).body).toContain('2 syncs do not deliver.')
    expect(github.issues()).toHaveLength(126)
    await night(github, [])
    expect(github.issue(1).state).toBe('closed')
    expect(open(github)).toHaveLength(125)
  })

  test('is never one that somebody else has written, however much it looks like ours', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [8291])
    const ours = github.issue(1)
    github.closeIssue(1)
    github.openIssue({ title: TITLE, body: ours.body ?? '', login: 'mallory' })
    await night(github, [8291])
    expect(github.issue(2)).toMatchObject({ body: ours.body, state: 'open' })
    expect(github.issue(3)).toMatchObject({ title: TITLE, state: 'open', user: { login: 'github-actions[bot]' } })
  })

  test('of another title is another one', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [8291])
    await night(github, [8290], { with: { 'failure-issue': 'The other workflow' } })
    expect(open(github).map(({ title }) => title)).toEqual([TITLE, 'The other workflow'])
    await night(github, [], { with: { 'failure-issue': 'The other workflow' } })
    expect(open(github).map(({ title }) => title)).toEqual([TITLE])
  })

  test('survives people: a new title, text around the list, and a list that makes no sense', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [8291])
    github.editIssue(1, { title: 'We are on it', body: `I look into this. @ops\r\n\r\n${github.issue(1).body}` })
    await night(github, [8290, 8291])
    expect(github.issues()).toHaveLength(1)
    expect(github.issue(1)).toMatchObject({ title: 'We are on it' })
    github.editIssue(1, { body: github.issue(1).body?.replace('census/8290', '](https://evil.example)') ?? '' })
    await night(github, [8291])
    expect(github.issue(1).body).not.toContain('evil.example')
    expect(github.issue(1).body).toContain('1 sync does not deliver.')
  })

  test('says what is wrong where the step never came to its syncs, and forgets it with the next run that does', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const wrong = await night(github, [], { with: { 'max-parallel': 'many' } })
    expect(wrong.step.exitCode).toBe(1)
    const issue = only(open(github))
    expect(issue.body).toContain('1 step does not do what it should.')
    expect(issue.body).toMatch(/the step in job sync of nightly\.yml.*⏹️ not started.*It is about max-parallel\./)
    // Another job of the same workflow run is not the one to say so, and the same job of the next run is.
    await night(github, [], { job: 'other' })
    expect(open(github)).toHaveLength(1)
    await night(github, [])
    expect(open(github)).toHaveLength(1)
    await night(github, [], { runId: '7002' })
    expect(open(github)).toEqual([])
  })

  test('forgets that as well when the failed job is started again, and comes to its syncs', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [], { with: { 'api-token': ' ' } })
    expect(only(open(github)).body).toContain('It is about api-token.')
    await night(github, [], { attempt: '2' })
    expect(open(github)).toEqual([])
  })

  test('is not for runs of a pull request that has the default branch as its own, nor of one that started this workflow', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    // pull_request_target and workflow_run have the default branch in GITHUB_REF.
    await night(github, [8291], { event: { pull_request: { number: 7 } } })
    const startedBy = (run: object) => ({
      event: {
        workflow_run: { event: 'schedule', head_repository: { full_name: github.settings.repository }, ...run },
      },
    })
    await night(github, [8291], startedBy({ head_branch: 'try' }))
    await night(github, [8291], startedBy({ head_branch: 'main', event: 'pull_request' }))
    await night(github, [8291], startedBy({ head_branch: 'main', head_repository: { full_name: 'mallory/shop' } }))
    await night(github, [8291], startedBy({ head_branch: 'main', head_repository: null }))
    expect(github.requests).toEqual([])
    await night(github, [8291], startedBy({ head_branch: 'main' }))
    expect(open(github)).toHaveLength(1)
  })

  test('keeps the jobs of a matrix apart where the step itself is not well', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const wrong = { with: { config: 'nowhere.yml' }, options: { jobIndex: 1 } }
    await night(github, [])
    await night(github, [], wrong)
    await night(github, [], { runId: '7002' })
    expect(only(github.issues())).toMatchObject({ state: 'open' })
    expect(only(github.issues()).body).toContain('the step in job sync of nightly.yml, 2 of its matrix')
    await night(github, [], { runId: '7002', options: { jobIndex: 1 } })
    expect(open(github)).toEqual([])
  })

  test('is not closed by a step that was cancelled before it knew of a sync', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [], { with: { 'api-token': ' ' } })
    using job = afterDbt('all-good')
    const discovered = { 'sync-ids': '', discover: 'exposures', 'dbt-artifacts': 'target' }
    const { step } = await night(github, [], {
      with: discovered,
      runId: '7002',
      options: { workspace: job.path, jobStatus: 'cancelled' },
    })
    expect(step.outputs).toMatchObject({ conclusion: 'cancelled', results: '[]' })
    expect(only(open(github)).body).toContain('cancelled before this step')
  })

  test('keeps a sync that was left out because an older run was in the way, whatever else could have kept it', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, [8291])
    const busy = { id: 8291, paused: true, timeline: worksForever() }
    const { results } = await night(github, [], {
      simulator: { syncs: [busy] },
      prepare: (simulator) => simulator.startRun(8291, { createdAt: Date.now() - 60_000, timeline: worksForever() }),
      runId: '7002',
      with: { 'on-paused': 'trigger', 'on-running': 'skip' },
    })
    expect(results).toMatchObject([{ outcome: 'skipped' }])
    expect(open(github)).toHaveLength(1)
  })

  test('is for the default branch alone; where the event does not tell which that is, GitHub is asked', async () => {
    const github = new GitHub({ permissions: { issues: 'write', contents: 'read' } })
    await night(github, [8291], { branch: 'try' })
    await night(github, [8291], { pullRequest: 7 })
    expect(github.requests).toEqual([])
    await night(github, [8291], { branch: 'try', event: { repository: {} } })
    expect(operationsOf(github)).toEqual(['get-repo'])
    await night(github, [8291], { event: { repository: {} } })
    expect(open(github)).toHaveLength(1)
  })

  test('says nothing of records, and can mention nobody', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const hostile = { id: 8291, label: '@ops #1 --> <img src=x> | https://evil.example', timeline: bad }
    await night(github, [], { simulator: { syncs: [hostile] }, with: { 'show-details': 'true' } })
    await night(github, [], {
      simulator: { syncs: [hostile, ...syncs([8290], [8290])] },
      with: { 'show-details': 'true' },
    })
    const texts = [github.issue(1).body, ...github.comments(1).map(({ body }) => body)].join('\n')
    expect(texts).not.toMatch(/jane|@ops|#1\b|<img/)
    // Nothing ends the comment that nobody sees before its end, and what is seen has no address but ours.
    expect(github.issue(1).body?.split('-->')).toHaveLength(2)
    expect(texts.replace(/<!--.*?-->/g, '')).not.toContain('https://evil')
    expect(texts).toContain('&#64;\u200bops &#35;\u200b1')
  })
})

describe('what is given to the wrong input', () => {
  test('is in no output, issue or comment: the runner masks nothing there', async () => {
    const github = new GitHub()
    const token = 'secret-token:9f8e7d6c5b4a39281716'
    const swapped = { 'api-token': '8290,8291', 'sync-ids': token, 'max-parallel': 'gh-somebody-elses-secret' }
    const { step } = await night(github, [], { with: swapped })
    const published = JSON.stringify([step.outputs, github.issues(), github.comments(1)])
    expect(published).toContain('It is about sync-ids, max-parallel.')
    expect(published).not.toMatch(/9f8e7d6c|somebody-elses/)
    // In the log it is quoted, but for what is a token by its looks.
    expect(step.log).toContain('max-parallel: "gh-somebody-elses-secret" is not allowed')
    expect(step.log).not.toContain('9f8e7d6c5b4a39281716')
  })
})

describe('two runs in the same moment', () => {
  /** A stand-in that lets another run act once, right before ours does this. */
  function racing(operation: string, other: (github: GitHub) => void): GitHub {
    const github = new GitHub({ permissions: { issues: 'write' } })
    let done = false
    github.faults.push((_request, call) => {
      if (call.operation === operation && !done) {
        done = true
        other(github)
      }
      return undefined
    })
    return github
  }
  /** The issue that another run writes about these syncs. */
  async function theirs(ids: number[]): Promise<string> {
    const github = new GitHub({ permissions: { issues: 'write' } })
    await night(github, ids, { simulator: { syncs: syncs(ids, ids) } })
    return github.issue(1).body ?? ''
  }

  test('that both open the issue: the one with the lower number stays, with what both have seen', async () => {
    const body = await theirs([9000])
    const github = racing('create-issue', (it) => it.openIssue({ title: TITLE, body, login: 'github-actions[bot]' }))
    await night(github, [8291])
    expect(github.issue(1).state).toBe('open')
    expect(github.issue(1).body).toContain('9000')
    expect(github.issue(1).body).toContain('8291 Sync of 8291')
    expect(github.issue(2)).toMatchObject({
      state: 'closed',
      stateReason: 'not_planned',
      body: expect.stringContaining('A duplicate of #1'),
    })
  })

  test('that both change the list: what either has seen is in it', async () => {
    const other = new GitHub({ permissions: { issues: 'write' } })
    await night(other, [8290])
    const body = other.issue(1).body ?? ''
    await night(other, [], { simulator: { syncs: syncs([9000], [9000]) } })
    const comment = other.comments(1)[0]?.body ?? ''
    // The other run has commented, and overwrites what we have just written with the list as it knew it.
    const github = racing('get-issue', (it) => {
      it.comment(1, { body: comment, login: 'github-actions[bot]' })
      it.editIssue(1, { body })
    })
    github.openIssue({ title: TITLE, body, login: 'github-actions[bot]' })
    await night(github, [8291])
    expect(github.issue(1).body).toContain('census/8291')
    expect(github.issue(1).body).toContain('census/9000')
    expect(github.issue(1).body).not.toContain('census/8290')
    expect(github.comments(1)).toHaveLength(2)
  })
})

describe('trouble with GitHub never changes the verdict', () => {
  const permissions = { issues: 'write' } as const
  test.each<[string, Partial<WorkflowScene>, RegExp]>([
    ['no permission', { github: { permissions: {} } }, /"permissions: issues: write"/],
    ['permission to read alone', { github: { permissions: { issues: 'read' } } }, /"permissions: issues: write"/],
    [
      'a repository that the token cannot see',
      { github: { private: true, permissions: { metadata: 'none' } } },
      /finds nothing there.*"permissions: issues: write"/,
    ],
    ['issues switched off', { github: { permissions, issuesEnabled: false } }, /issues are switched off/],
    [
      'a token that is refused',
      { with: { 'github-token': 'ghs_of-somebody-else' } },
      /GitHub refused the github-token/,
    ],
    ['no token', { options: { githubToken: '' } }, /the input github-token is empty/],
  ])('%s: a warning, green stays green and red stays red', async (_what, more, text) => {
    const github = new GitHub({ permissions, ...(more.github instanceof GitHub ? {} : more.github) })
    const red = await night(github, [8291], { ...more, github })
    expect(red.step.exitCode).toBe(1)
    expect(warnings(red.step)).toEqual([expect.stringMatching(text)])
    expect(red.step.outputs['failed-sync-ids']).toBe('["8291"]')
    // The token for GitHub is masked, and in nothing else.
    const shown = red.step.log.replace(/^::add-mask::.*$/gm, '') + red.step.summary + JSON.stringify(red.step.outputs)
    expect(shown).not.toContain(github.settings.token)
    expect(shown).not.toContain('ghs_of-somebody-else')
    const green = await night(github, [], { ...more, github })
    expect(green.step.exitCode).toBe(0)
    expect(github.issues()).toEqual([])
  })

  test('with no permission at all everything else works', async () => {
    const github = new GitHub({ permissions: {} })
    const { step } = await playWorkflow({ github, simulator: { syncs: syncs([8290]) } })
    expect(step.exitCode).toBe(0)
    expect(warnings(step)).toEqual([])
    expect(github.requests).toEqual([])
  })

  test.each([
    ['a secondary limit with a short wait', secondaryRateLimit({ retryAfter: 1 })],
    ['the same as 429', secondaryRateLimit({ status: 429, retryAfter: 1 })],
  ])('%s is waited out, and nothing is written twice', async (_what, fault) => {
    for (const operation of ['list-issues', 'create-issue'] as const) {
      const github = new GitHub({ permissions })
      github.failNext(operation, fault)
      const { step } = await night(github, [8291])
      expect(warnings(step)).toEqual([])
      expect(github.issues()).toHaveLength(1)
    }
  })

  test.each([
    [
      'a secondary limit with a long wait',
      secondaryRateLimit({ retryAfter: 600 }),
      /limits how often it may be asked, and asks for 10 more minutes/,
    ],
    [
      'the limit of the hour',
      primaryRateLimit({ resetAt: Date.now() + 1_800_000 }),
      /limits how often it may be asked, and asks for (29|30|31) more minutes/,
    ],
  ])('%s is a warning', async (_what, fault, text) => {
    const github = new GitHub({ permissions })
    github.failNext('create-issue', fault)
    const { step } = await night(github, [8291])
    expect(warnings(step)).toEqual([expect.stringMatching(text)])
    expect(github.issues()).toEqual([])
  })

  test.each([
    ['a page in place of JSON', '<html>Please log in</html>', 'text/html'],
    ['JSON of another shape', '{"hello": "world"}', 'application/json'],
    ['a list of nothing that is an issue', '[null, 7, {}]', 'application/json'],
  ])('%s is a warning', async (_what, body, type) => {
    const github = new GitHub({ permissions })
    github.failNext('list-issues', { kind: 'respond', status: 200, headers: { 'content-type': type }, body })
    const { step } = await night(github, [8291])
    expect(step.exitCode).toBe(1)
    expect(step.outputs['failed-sync-ids']).toBe('["8291"]')
    expect(warnings(step)).toEqual([expect.stringMatching(/^failure-issue: the issue could not be kept up to date: /)])
  })

  test.each<[string, Record<string, string>, string]>([
    ['an event that nobody can read', { GITHUB_EVENT_PATH: '/dev/null' }, 'the event of this run cannot be read'],
    ['no repository', { GITHUB_REPOSITORY: '' }, 'GITHUB_REPOSITORY does not say which repository'],
  ])('%s is told, and changes nothing', async (_what, env, text) => {
    const github = new GitHub({ permissions })
    const { step } = await night(github, [], { options: { env } })
    expect(step.exitCode).toBe(0)
    expect(warnings(step)).toEqual([expect.stringContaining(`failure-issue: ${text}`)])
    expect(github.requests).toEqual([])
  })

  test('a GraphQL that refuses is a warning at once', async () => {
    const github = new GitHub({ permissions })
    const errors = [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }]
    const body = JSON.stringify({ data: null, errors })
    github.failNext('viewer', { kind: 'respond', status: 200, headers: { 'content-type': 'application/json' }, body })
    const { step } = await night(github, [8291])
    expect(warnings(step)).toEqual([expect.stringMatching(/GitHub did not accept it \(.*Resource not accessible/)])
    expect(operationsOf(github)).toEqual(['viewer'])
  })

  test('an answer that is lost: the issue is there, and is not opened a second time', async () => {
    const github = new GitHub({ permissions })
    github.failNext('create-issue', LOST_ANSWER)
    const { step } = await night(github, [8291])
    expect(warnings(step)).toEqual([])
    expect(github.issues()).toHaveLength(1)
    await night(github, [8291])
    expect(github.issues()).toHaveLength(1)
  })

  test('a request that is lost is a warning, and the next run opens the issue', async () => {
    const github = new GitHub({ permissions })
    github.failNext('create-issue', LOST_REQUEST)
    const { step } = await night(github, [8291])
    expect(warnings(step)).toEqual([expect.stringMatching(/GitHub could not be reached at http:\/\/127/)])
    expect(github.issues()).toEqual([])
    await night(github, [8291])
    expect(github.issues()).toHaveLength(1)
  })

  test('an outage of a few seconds is outlasted where nothing can be done twice', async () => {
    const github = new GitHub({ permissions })
    github.failNext('list-issues', serverError(502), 2)
    const { step } = await night(github, [8291])
    expect(warnings(step)).toEqual([])
    expect(github.issues()).toHaveLength(1)
  })

  test('GitHub Enterprise Server: everything goes to its address, GraphQL beside the REST API', async () => {
    const github = new GitHub({ permissions, prefix: '/api/v3' })
    await night(github, [8291])
    await night(github, [8290])
    expect(github.issues()).toHaveLength(1)
    expect(new Set(github.requests.map(({ path }) => path.split('/').slice(0, 3).join('/')))).toEqual(
      new Set(['/api/graphql', '/api/v3']),
    )
  })
})

describe('a step that is cancelled, or killed', () => {
  const scene = (github: GitHub, signal: NodeJS.Signals): Partial<WorkflowScene> => ({
    github,
    simulator: { syncs: [{ id: 8290, label: 'Sync of 8290', timeline: worksForever() }] },
    options: {
      onLine: (line, child) => {
        if (line.includes('8290 Sync of 8290: queued') || line.includes('8290 Sync of 8290: working'))
          child.kill(signal)
      },
    },
  })

  // Windows has no signal that a process could hear.
  const withSignals = test.runIf(process.platform !== 'win32')
  withSignals('cancelled: it ends at once, and its post step tells the issue', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const { step, post, simulator } = await night(github, [], scene(github, 'SIGINT'))
    expect(step.outputs.conclusion).toBe('cancelled')
    expect(github.requests).toEqual([])
    expect(triggersOf(simulator)).toBe(1)
    const after = await post({ jobStatus: 'cancelled' })
    expect(after.exitCode).toBe(0)
    expect(only(open(github)).body).toMatch(/8290 Sync of 8290.*🛑 cancelled.*the workflow was cancelled/)
  })

  test('killed: its post step knows which runs it was watching', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const { step, post } = await night(github, [], scene(github, 'SIGKILL'))
    expect(step.signal).toBe('SIGKILL')
    await post({ jobStatus: 'failure' })
    expect(only(open(github)).body).toMatch(/census\/8290.*❓ unknown.*the step was stopped before it had a result/)
  })

  test('killed while it triggers: the next good triggers take that off the list', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const simulator = { syncs: [{ id: 8290, label: 'Sync of 8290', timeline: good }] }
    const trigger = { mode: 'trigger', 'failure-issue': TITLE }
    let child: ChildProcess | null = null
    const { step, post } = await playWorkflow({
      github,
      simulator,
      with: trigger,
      prepare: ({ faults }) =>
        faults.push((_request, { operation }) => {
          if (operation !== 'trigger') return undefined
          child?.kill('SIGKILL')
          return { kind: 'hang', when: 'before' }
        }),
      options: {
        onLine: (_line, process) => {
          child = process
        },
      },
    })
    expect(step.signal).toBe('SIGKILL')
    await post({ jobStatus: 'failure' })
    expect(only(open(github)).body).toContain('census/8290/trigger')
    await playWorkflow({ github, simulator, with: trigger, runId: '7002' })
    expect(open(github)).toEqual([])
  })

  test('killed before it was watching anything: it is the step that is not well', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const { post } = await night(github, [])
    await post({ state: { seen: '"begun"' } })
    expect(only(open(github)).body).toMatch(
      /the step in job sync of nightly\.yml.*unknown.*the step was stopped before it had a result/,
    )
  })

  test('killed after some syncs had gone wrong: they are on the list, beside the one that was going on', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const { post } = await night(github, [])
    const run = { runId: '1', open: true, unwanted: false, baseline: null, since: 0, full: false, mayFail: false }
    const state = {
      seen: '"begun"',
      'red-8290': '"failed"',
      'run-8290': JSON.stringify({ ...run, syncId: '8290', open: false }),
      'run-8291': JSON.stringify({ ...run, syncId: '8291' }),
      // Timed out, and its run was to be cancelled.
      'red-8292': '"timed_out"',
      'run-8292': JSON.stringify({ ...run, syncId: '8292', unwanted: true }),
    }
    await post({ state })
    const { body } = only(open(github))
    expect(body).toContain('2 syncs do not deliver, and it is not known whether 1 other delivers.')
    expect(body?.match(/census\/8292.*⌛ timed out/g)).toHaveLength(1)
    expect(body).toMatch(/census\/8290.*❌ failed/)
    expect(body).toMatch(/census\/8291.*❓ unknown/)
  })

  test('a step that could keep no state is not taken for one that was killed', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const { post } = await night(github, [])
    const before = github.requests.length
    await post({ state: {} })
    expect(open(github)).toEqual([])
    expect(github.requests).toHaveLength(before)
  })

  test('after a normal end its post step has nothing to say', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    const { post } = await night(github, [8291])
    const before = github.requests.length
    const after = await post()
    expect(github.requests).toHaveLength(before)
    expect(after.lines).toEqual([])
  })

  test('with failures of two thousand syncs the list is whole, and the post step can be started', async () => {
    const github = new GitHub({ permissions: { issues: 'write' } })
    // As long as ids of a provider may be.
    const ids = Array.from({ length: 2000 }, (_, at) => 100_000_000_000_000 + at)
    const { step } = await night(github, [], {
      simulator: { syncs: ids.map((id) => ({ id, label: `${'名'.repeat(60)} ${id}`, paused: true })) },
      with: { 'poll-interval-seconds': '1' },
    })
    expect(step.outputs['failed-count']).toBe('2000')
    const body = only(open(github)).body ?? ''
    for (const id of ids) expect(body).toContain(`census/${id}`)
    expect(Math.max(...Object.values(step.state).map((value) => Buffer.byteLength(value)))).toBeLessThan(120_000)
    const second = await night(github, [], { simulator: { syncs: ids.slice(1).map((id) => ({ id })) } })
    expect(second.step.exitCode).toBe(0)
    expect(only(open(github)).body).toContain('1 sync does not deliver.')
  })
})

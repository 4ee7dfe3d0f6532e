import {
  type Fault,
  GitHub,
  type GitHubOptions,
  LOST_REQUEST,
  primaryRateLimit,
  serverError,
} from '../../github-api/index.ts'
import { completesAfter, failsAfter, worksForever } from '../../simulator/index.ts'
import { playWorkflow, type WorkflowScene } from '../workflow.ts'
import { first, type Shown, shown, step, type Trouble } from './scene.ts'

const ISSUE = 'failure-issue: the issue could not be kept up to date: …'
const COMMENT = 'pr-comment: the comment could not be written: …'

/** A night on which the issue is to be opened, and GitHub is so. `fault` strikes every list of issues. */
async function night(
  options: GitHubOptions,
  fault: Fault | null = null,
  more: Partial<WorkflowScene> = {},
): Promise<Shown> {
  const github = new GitHub(options)
  if (fault !== null) github.failNext('list-issues', fault, 3)
  const simulator = { syncs: [{ id: 8290, timeline: failsAfter(0) }] }
  const played = await playWorkflow({ github, simulator, ...more, with: { 'failure-issue': 'Failing', ...more.with } })
  return shown(played.step)
}

/** A plan that is to be commented on a pull request. */
async function plan(
  options: GitHubOptions,
  prepare: (github: GitHub, number: number) => void = () => {},
): Promise<Shown> {
  const github = new GitHub(options)
  const pullRequest = github.openPullRequest()
  prepare(github, pullRequest)
  const simulator = { syncs: [{ id: 8290 }] }
  return shown(
    (await playWorkflow({ github, pullRequest, simulator, with: { mode: 'plan', 'pr-comment': 'true' } })).step,
  )
}

/** What the runner and GitHub take or do not take. */
export const GITHUB: readonly Trouble[] = [
  {
    name: 'a disk of the runner that takes nothing',
    texts: [
      'the outputs could not be written: …',
      'the job summary could not be written: …',
      'the state for the post step could not be written: …',
    ],
    show: () => {
      const files = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY']
      return step({
        simulator: { syncs: [{ id: 8290, timeline: completesAfter(100) }] },
        options: { env: Object.fromEntries(files.map((name) => [name, '/nowhere/file'])) },
      })
    },
  },
  {
    name: 'a bug in the action',
    texts: ['the action stopped before it had a result'],
    show: () =>
      step({
        simulator: { syncs: [{ id: 8290, timeline: worksForever() }] },
        options: { env: first("setTimeout(() => void Promise.reject(new Error('a bug')), 1000)") },
      }),
  },
  {
    name: 'a job without the permission for an issue',
    texts: [ISSUE, '…: the token of this job may not do that (…): give the job "permissions: …". …'],
    show: () => night({ permissions: {} }),
  },
  {
    name: 'a job without the permission for a comment',
    texts: [COMMENT, '…: the token of this job may not do that (…): give the job "permissions: …". …'],
    show: () => plan({ permissions: { issues: 'write' } }),
  },
  {
    name: 'a token that cannot see the repository',
    texts: ['…: GitHub finds nothing there: the token may not see it without "permissions: …".'],
    show: () => night({ private: true, permissions: { metadata: 'none' } }),
  },
  {
    name: 'a repository without issues',
    texts: ['…: issues are switched off in this repository.'],
    show: () => night({ issuesEnabled: false }),
  },
  {
    name: 'a token that GitHub does not take',
    texts: ['…: GitHub refused the github-token: …'],
    show: () => night({}, null, { with: { 'github-token': 'ghs_expired' } }),
  },
  {
    name: 'no token for GitHub',
    texts: ['…: the input github-token is empty.'],
    show: () => night({}, null, { options: { githubToken: '' } }),
  },
  {
    name: 'a limit of GitHub',
    texts: ['…: GitHub limits how often it may be asked, and asks for … more minutes.'],
    show: () => night({}, primaryRateLimit({ resetAt: Date.now() + 1_800_000 })),
  },
  {
    name: 'a conversation that is locked',
    texts: ['…: its conversation is locked.'],
    show: () => plan({}, (github, number) => github.lock(number)),
  },
  {
    name: 'a GitHub that cannot be reached',
    texts: ['…: GitHub could not be reached at … (…).'],
    show: () => night({}, LOST_REQUEST),
  },
  {
    name: 'a GitHub that is not available',
    texts: ['…: GitHub is not available (HTTP …).'],
    show: () => night({}, serverError(503)),
  },
  {
    name: 'somebody else in the place of GitHub',
    texts: ['…: what answers is not GitHub: is there a proxy in between?'],
    show: () =>
      night(
        {},
        { kind: 'respond', status: 200, headers: { 'content-type': 'application/json' }, body: '{"log":"in"}' },
      ),
  },
  {
    name: 'a comment where there is no pull request',
    texts: ['pr-comment: this run is not for a pull request, so there is nothing to comment on.'],
    show: async () => {
      const simulator = { syncs: [{ id: 8290 }] }
      return shown((await playWorkflow({ simulator, with: { mode: 'plan', 'pr-comment': 'true' } })).step)
    },
  },
]

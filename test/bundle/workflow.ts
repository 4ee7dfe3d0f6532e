import { GitHub, type GitHubOptions, serveGitHub } from '../github-api/index.ts'
import { runStage, type Step, type StepOptions } from '../runner/runner.ts'
import { type Played, play, type Scene } from './stage.ts'

/** A step in a workflow run on GitHub: the committed bundle against a provider and against GitHub, over real sockets. */
export interface WorkflowScene extends Scene {
  github?: GitHub | GitHubOptions
  /** A pull request's number; else it is a run of the default branch. */
  pullRequest?: number
  /** Another branch than the default one. */
  branch?: string
  runId?: string
  attempt?: string
  job?: string
  stepId?: string
  /** Other content of the event. */
  event?: Record<string, unknown>
}

export interface PlayedWorkflow extends Played {
  github: GitHub
  /** The post step, in the same surroundings. */
  post(options?: Pick<StepOptions, 'jobStatus' | 'state'>): Promise<Step>
}

export async function playWorkflow(scene: WorkflowScene): Promise<PlayedWorkflow> {
  const github = scene.github instanceof GitHub ? scene.github : new GitHub(scene.github)
  const { options = {} } = scene
  await using server = await serveGitHub(github)
  const stage = { githubToken: github.settings.token, ...options, ...surroundings(scene, github, server.url) }
  const played = await play({ ...scene, options: stage })
  if (github.problems.length > 0) throw new Error(`GitHub objects: ${github.problems.join('; ')}`)
  const post = async (more: Pick<StepOptions, 'jobStatus' | 'state'> = {}) => {
    await using again = await serveGitHub(github)
    const given = {
      'api-token': played.simulator.token('v1'),
      'base-url': played.url,
      'sync-ids': '8290',
      ...scene.with,
    }
    const step = await runStage('post', {
      ...stage,
      ...surroundings(scene, github, again.url),
      with: given,
      state: played.step.state,
      ...more,
    })
    if (github.problems.length > 0) throw new Error(`GitHub objects: ${github.problems.join('; ')}`)
    return step
  }
  return { ...played, github, post }
}

/** What the runner tells a step of where it is. */
export function surroundings(
  {
    pullRequest,
    branch = 'main',
    runId = '7001',
    attempt = '1',
    job = 'sync',
    stepId = '__self',
    event = {},
    options = {},
  }: WorkflowScene,
  github: GitHub,
  url: string,
): Pick<StepOptions, 'env' | 'event'> {
  const { repository, defaultBranch } = github.settings
  return {
    env: {
      GITHUB_API_URL: url,
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: repository,
      GITHUB_REF: pullRequest === undefined ? `refs/heads/${branch}` : `refs/pull/${pullRequest}/merge`,
      GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      GITHUB_RUN_ID: runId,
      GITHUB_RUN_ATTEMPT: attempt,
      GITHUB_JOB: job,
      GITHUB_ACTION: stepId,
      GITHUB_WORKFLOW_REF: `${repository}/.github/workflows/nightly.yml@refs/heads/main`,
      ...options.env,
    },
    event: {
      repository: { default_branch: defaultBranch },
      ...(pullRequest === undefined
        ? {}
        : { pull_request: { number: pullRequest, head: { sha: 'fedcba9876543210fedcba9876543210fedcba98' } } }),
      ...event,
    },
  }
}

/** `create-issue`, and so on: what GitHub was asked, in order. */
export function operationsOf({ requests }: GitHub): string[] {
  return requests.map(({ operation }) => operation)
}

/** Where this step runs, as GitHub tells it. */
export interface Here {
  owner: string
  repo: string
  /** The REST API; of GitHub Enterprise Server where that is where we are. */
  apiUrl: string
  ref: string
  /** null where the event does not tell. */
  defaultBranch: string | null
  pullRequest: number | null
  commit: string
  /** Workflow and job: what they say of themselves is about them. */
  step: string
  /** What tells this step from others of its job: its id, or the name of the action. */
  stepId: string
  /** The attempt at the workflow run: a second one may mend what the first one has said of itself. */
  run: string
  runUrl: string
}

/** null outside a workflow. */
export async function whereWeAre(env: NodeJS.ProcessEnv): Promise<Here | null> {
  const { context } = await import(/* webpackMode: "eager" */ '@actions/github')
  const [owner, repo] = (env.GITHUB_REPOSITORY ?? '').split('/')
  if (!owner || !repo) return null
  const { repository, pull_request: pullRequest } = context.payload
  // Of a pull request the commit is one that GitHub has made for the test; the author knows the head.
  const head: unknown = pullRequest?.head?.sha
  return {
    owner,
    repo,
    apiUrl: context.apiUrl,
    ref: context.ref,
    defaultBranch: typeof repository?.default_branch === 'string' ? repository.default_branch : null,
    pullRequest: typeof pullRequest?.number === 'number' ? pullRequest.number : null,
    commit: typeof head === 'string' ? head : context.sha,
    step: `${workflowOf(env)}/${context.job}`,
    stepId: context.action ?? '',
    run: `${context.runId}.${env.GITHUB_RUN_ATTEMPT ?? '1'}`,
    runUrl: `${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId}`,
  }
}

/** The file of the workflow, `nightly.yml` of `octo-org/shop/.github/workflows/nightly.yml@refs/heads/main`; else its name. */
function workflowOf({ GITHUB_WORKFLOW_REF: ref, GITHUB_WORKFLOW: name }: NodeJS.ProcessEnv): string {
  return /\/([^/@]+)@/.exec(ref ?? '')?.[1] ?? name ?? ''
}

/** Where this step runs, as GitHub tells it. */
export interface Here {
  owner: string
  repo: string
  /** The REST API; of GitHub Enterprise Server where that is where we are. */
  apiUrl: string
  /** The branch that the run is of: of a workflow that another one has started, that one's. Empty where it is none of this repository's. */
  ref: string
  /** null where the event does not tell. */
  defaultBranch: string | null
  pullRequest: number | null
  commit: string
  /** What tells this step from all others: workflow, job, its id or else the name of the action, and which job of a matrix it is in. */
  step: string
  /** The attempt at the workflow run: a second one may mend what the first one has said of itself. */
  run: string
  runUrl: string
}

/** null outside a workflow. */
export async function whereWeAre(env: NodeJS.ProcessEnv): Promise<Here | null> {
  const { context } = await import(/* webpackMode: "eager" */ '@actions/github')
  const [owner, repo] = (env.GITHUB_REPOSITORY ?? '').split('/')
  if (!owner || !repo) return null
  const { repository, pull_request: pullRequest, workflow_run: startedBy } = context.payload
  // What a pull request proposes is no state of its branch, and the branch of a fork mostly has the name of ours.
  const isProposed = String(startedBy?.event).startsWith('pull_request')
  const isOurs = !isProposed && startedBy?.head_repository?.full_name === `${owner}/${repo}`
  // Of a pull request the commit is one that GitHub has made for the test; the author knows the head.
  const head: unknown = pullRequest?.head?.sha
  return {
    owner,
    repo,
    apiUrl: context.apiUrl,
    ref: startedBy === undefined ? context.ref : isOurs ? `refs/heads/${startedBy.head_branch}` : '',
    defaultBranch: typeof repository?.default_branch === 'string' ? repository.default_branch : null,
    pullRequest: typeof pullRequest?.number === 'number' ? pullRequest.number : null,
    commit: typeof head === 'string' ? head : context.sha,
    step: `${workflowOf(env)}/${context.job}/${context.action}${legOf(env)}`,
    run: `${context.runId}.${env.GITHUB_RUN_ATTEMPT ?? '1'}`,
    runUrl: `${context.serverUrl}/${owner}/${repo}/actions/runs/${context.runId}`,
  }
}

/** `/1` in the second job of a matrix; nothing in its first one, or where there is no matrix. */
function legOf({ 'INPUT_JOB-INDEX': index = '' }: NodeJS.ProcessEnv): string {
  return /^[1-9]\d*$/.test(index) ? `/${index}` : ''
}

/** The file of the workflow, `nightly.yml` of `octo-org/shop/.github/workflows/nightly.yml@refs/heads/main`; else its name. */
function workflowOf({ GITHUB_WORKFLOW_REF: ref, GITHUB_WORKFLOW: name }: NodeJS.ProcessEnv): string {
  return /\/([^/@]+)@/.exec(ref ?? '')?.[1] ?? name ?? ''
}

import type { Change, ChangedFile } from '../core/change.ts'
import type { Reporting } from '../core/reporting.ts'
import type { Seen } from '../report/failures.ts'
import type { Report } from '../report/outputs.ts'
import { planComment } from '../report/plan-comment.ts'
import { connect, type Means } from './api.ts'
import { keepComment } from './comment.ts'
import type { Here } from './here.ts'
import { keepIssue } from './issue.ts'
import { GitHubError } from './trouble.ts'

/** What became of what the step had to say on GitHub. It never changes the verdict: what could not be said is a warning. */
export type Told = { level: 'warning' | 'notice'; text: string } | null

type Around = Pick<Means, 'sleep' | 'signal'>

export interface Plan {
  report: Report
  /** What a change of these files means for the models; null where dbt's manifest is not there. */
  change: ((files: readonly ChangedFile[]) => Change) | null
}

/** `pr-comment`: keeps the comment that says what the change would ship. */
export async function commentPlan(
  { token }: Reporting,
  { report, change }: Plan,
  here: Here,
  around: Around,
): Promise<Told> {
  const number = here.pullRequest
  if (number === null) {
    return {
      level: 'notice',
      text: 'pr-comment: this run is not for a pull request, so there is nothing to comment on.',
    }
  }
  return await trying('pr-comment: the comment could not be written', async () => {
    const github = await connect({ ...around, token, permission: 'pull-requests: write' }, here)
    const files = change === null ? null : await github.changedFiles(number)
    const touched = change === null ? 'no manifest' : files === null ? 'too many files' : change(files)
    const { step, runUrl, commit } = here
    await keepComment(github, number, step, planComment({ report, touched, runUrl, commit }))
  })
}

/** `failure-issue`: keeps the issue of that title. Only the default branch speaks for the workflow. */
export async function keepFailureIssue(
  { token, issueTitle }: Reporting,
  seen: Seen,
  here: Here,
  around: Around,
): Promise<Told> {
  if (issueTitle === null) return null
  return await trying('failure-issue: the issue could not be kept up to date', async () => {
    // A run for a pull request says nothing of the branch that it is to be merged into, though it may have its name.
    if (here.pullRequest !== null) return
    // Where the event says it, a run of another branch needs no token at all.
    if (here.defaultBranch !== null && here.ref !== `refs/heads/${here.defaultBranch}`) return
    const github = await connect({ ...around, token, permission: 'issues: write' }, here)
    if (here.defaultBranch === null && here.ref !== `refs/heads/${await github.defaultBranch()}`) return
    await keepIssue(github, issueTitle, seen)
  })
}

async function trying(what: string, work: () => Promise<void>): Promise<Told> {
  try {
    await work()
    return null
  } catch (error) {
    // A proxy may answer in GitHub's place with anything: that is no more a reason to turn a step red than an outage.
    const why = error instanceof GitHubError ? error.message : `GitHub's answer makes no sense (${error})`
    return { level: 'warning', text: `${what}: ${why}.` }
  }
}

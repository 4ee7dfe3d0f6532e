/** Why this event may have left the token empty, in words for the user. GitHub gives no secrets to what strangers can start. */
export async function explainEmptyToken(): Promise<string> {
  // Loaded only here: it brings a whole API client, which a normal run has no use for.
  const { context } = await import(/* webpackMode: "eager" */ '@actions/github')
  const { pull_request: pullRequest, repository } = context.payload
  if (context.actor === 'dependabot[bot]') {
    return "This workflow was started by Dependabot, which gets only Dependabot secrets: add the token there, or leave this step out with if: github.actor != 'dependabot[bot]'."
  }
  // The repository itself may be a fork of another one; and a fork may be deleted while its pull request goes on.
  // With pull_request_target it has them.
  const isTarget = context.eventName === 'pull_request_target'
  if (!isTarget && pullRequest !== undefined && pullRequest.head?.repo?.full_name !== repository?.full_name) {
    return 'This is a pull request from a fork, which gets no secrets: run this step on pushes or schedules instead.'
  }
  return 'It is empty: does the secret exist, under this name, in this repository or environment?'
}

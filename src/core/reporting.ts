/** What the step may say on GitHub, beside its log and summary. */
export interface Reporting {
  /** The token for GitHub; empty where there is none. */
  token: string
  /** Whether a plan is commented on its pull request. */
  comment: boolean
  /** The title of the issue that says what does not deliver; null: there is to be none. */
  issueTitle: string | null
}

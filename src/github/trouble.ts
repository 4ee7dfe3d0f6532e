import { plain } from '../report/safe.ts'

/** What could not be done on GitHub, and why, in words for the user. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError' as const
  /** The request may have taken effect all the same. */
  readonly uncertain: boolean
  constructor(message: string, { uncertain = false, cause }: { uncertain?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.uncertain = uncertain
  }
}

export function notGitHub(cause: unknown): GitHubError {
  return new GitHubError('what answers is not GitHub: is there a proxy in between?', { cause })
}

/** The HTTP status of an answer; null where there was none. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && headersOf(error) !== null
    ? error.status
    : null
}

function headersOf(error: unknown): Record<string, unknown> | null {
  if (!(error instanceof Error) || !('response' in error)) return null
  const { response } = error
  if (typeof response !== 'object' || response === null || !('headers' in response)) return null
  return typeof response.headers === 'object' && response.headers !== null ? { ...response.headers } : null
}

/** What GraphQL refuses: it does so in an answer that is a good one to HTTP. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'GraphqlResponseError'
}

/**
 * How long (ms) GitHub wants nothing more to be sent; null where it does not ask for a pause. `Retry-After` for a secondary limit; for
 * the primary one when the hour is over; a minute where it says nothing.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function pauseOf(error: unknown): number | null {
  const status = statusOf(error)
  if (isRefusal(error) && error instanceof Error && /rate limit/i.test(error.message)) return 3_600_000
  if (status !== 403 && status !== 429) return null
  const headers = headersOf(error) ?? {}
  const seconds = Number(headers['retry-after'])
  if (Number.isFinite(seconds) && headers['retry-after'] !== undefined) return seconds * 1000
  if (headers['x-ratelimit-remaining'] === '0') {
    const left = Number(headers['x-ratelimit-reset']) * 1000 - Date.parse(String(headers.date))
    if (Number.isFinite(left)) return Math.max(0, left)
  }
  return status === 429 || (error instanceof Error && /rate limit/i.test(error.message)) ? 60_000 : null
}

/** Why a request came to nothing, as words that go on after what it was for. */
export function explain(error: unknown, permission: string, apiUrl: string, pause: number | null): string {
  const said = error instanceof Error ? plain(error.message.replace(/ - https:\S+$/, ''), 200) : 'unknown reason'
  if (pause !== null) return `GitHub limits how often it may be asked, and asks for ${inMinutes(pause)}`
  const status = statusOf(error)
  if (isRefusal(error)) return `GitHub did not accept it (${said})`
  switch (status) {
    case null:
      return `GitHub could not be reached at ${apiUrl} (${said})`
    case 401:
      return 'GitHub refused the github-token: give none, so that the token of the workflow is used, or one that has not expired'
    case 403:
      if (/locked/i.test(said)) return 'its conversation is locked'
      return `the token of this job may not do that (${said}): give the job "permissions: ${permission}". In pull requests from forks and from Dependabot it never may`
    case 404:
      return `GitHub finds nothing there: the token may not see it without "permissions: ${permission}"`
    case 410:
      return 'issues are switched off in this repository'
    default:
      return status >= 500
        ? `GitHub is not available (HTTP ${status})`
        : `GitHub did not accept it (HTTP ${status}: ${said})`
  }
}

function inMinutes(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000))
  return minutes === 1 ? 'one more minute' : `${minutes} more minutes`
}

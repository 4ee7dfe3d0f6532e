/** What a test may say about the repository, the token and the server. */
import type { User } from './state.ts'

export type Access = 'none' | 'read' | 'write'

/** As in `permissions:` of a workflow: where some are named, the others are `none`. */
export interface Permissions {
  readonly issues?: Access
  readonly pullRequests?: Access
  /** No operation of this stand-in asks for it; a workflow that checks out its code grants it all the same. */
  readonly contents?: Access
  /** Every token of a workflow has it. `none` is a token that was not made for this repository. */
  readonly metadata?: 'none' | 'read'
}

export interface GitHubOptions {
  /** `owner/name` */
  readonly repository?: string
  readonly repositoryId?: number
  readonly private?: boolean
  readonly issuesEnabled?: boolean
  readonly defaultBranch?: string
  readonly token?: string
  /** Whom the token speaks for. */
  readonly user?: User
  readonly permissions?: Permissions
  /** Where the REST API is mounted, `/api/v3` on GitHub Enterprise Server. GraphQL is at `/api/graphql` then. */
  readonly prefix?: string
  /** Where people look at it, for `html_url`. */
  readonly htmlUrl?: string
  readonly now?: () => number
  /** Requests an hour. Without a limit, the default below a prefix, answers have no `x-ratelimit-*` headers. */
  readonly rateLimit?: number | 'none'
  /** How the list of issues is paged: github.com hands out cursors, older servers count pages. */
  readonly issuePaging?: 'cursors' | 'pages'
  /** With cursors: how many issues can be reached by a page number alone. */
  readonly reachableByNumber?: number
  /** Which permission a comment on a pull request needs: what GitHub does, or what its documentation says. */
  readonly pullRequestComments?: 'pull-requests' | 'either'
  /** The longest body of an issue or a comment, in characters. */
  readonly longestBody?: number
  /** Whether a comment in a locked conversation can still be edited. */
  readonly editsWhileLocked?: 'allowed' | 'refused'
}

export type Settings = Required<Omit<GitHubOptions, 'permissions'>> & {
  readonly permissions: Required<Permissions>
}

const GRANTED: Required<Permissions> = { issues: 'write', pullRequests: 'write', contents: 'read', metadata: 'read' }
const WITHHELD: Required<Permissions> = { issues: 'none', pullRequests: 'none', contents: 'none', metadata: 'read' }

const DEFAULTS: Settings = {
  repository: 'octo-org/shop',
  repositoryId: 512_640_011,
  private: false,
  issuesEnabled: true,
  defaultBranch: 'main',
  token: 'ghs_gentleHarbour640011',
  user: { login: 'github-actions[bot]', type: 'Bot' },
  permissions: GRANTED,
  prefix: '',
  htmlUrl: 'https://github.com',
  now: Date.now,
  rateLimit: 1000,
  issuePaging: 'cursors',
  reachableByNumber: 1000,
  pullRequestComments: 'pull-requests',
  longestBody: 65_536,
  editsWhileLocked: 'allowed',
}

export function settingsFrom({ permissions, ...options }: GitHubOptions): Settings {
  const server: Partial<Settings> = options.prefix ? { rateLimit: 'none' } : {}
  const granted = permissions === undefined ? GRANTED : { ...WITHHELD, ...permissions }
  return { ...DEFAULTS, ...server, ...options, permissions: granted }
}

/** What GitHub shows of its resources: the fields that a client may look at, not all that there are. */
import type { Settings } from './options.ts'
import type { Comment, Issue, PullFile, User } from './state.ts'

/** The addresses that payloads hold. */
export interface Places {
  /** Of the repository in the API. */
  readonly api: string
  /** Of the repository for people. */
  readonly html: string
  /** Of the API itself. */
  readonly root: string
}

const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z')
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))
const nodeId = (kind: string, id: number | string): string => Buffer.from(`${kind}${id}`).toString('base64')

export function userPayload({ login, type }: User, { root, html }: Places) {
  const slug = login.replace(/\[bot\]$/, '')
  const url = `${root}/users/${encodeURIComponent(login)}`
  const site = new URL(html).origin
  return {
    login,
    id: login === 'github-actions[bot]' ? 41_898_282 : 1_000 + [...login].reduce((sum, c) => sum * 7 + c.length, 1),
    node_id: nodeId('User', login),
    avatar_url: `${site}/identicons/${slug}.png`,
    gravatar_id: '',
    url,
    html_url: type === 'Bot' ? `${site}/apps/${slug}` : `${site}/${login}`,
    repos_url: `${url}/repos`,
    type,
    user_view_type: 'public',
    site_admin: false,
  }
}

function labelPayload(name: string, { api }: Places) {
  const url = `${api}/labels/${encodeURIComponent(name)}`
  return {
    id: 208_045_946,
    node_id: nodeId('Label', name),
    url,
    name,
    description: null,
    color: 'ededed',
    default: false,
  }
}

export function issuePayload(issue: Issue, comments: number, places: Places) {
  const { api, html } = places
  const url = `${api}/issues/${issue.number}`
  const kind = issue.isPullRequest ? 'pull' : 'issues'
  const assignees = issue.assignees.map((login) => userPayload({ login, type: 'User' }, places))
  return {
    url,
    repository_url: api,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: `${html}/${kind}/${issue.number}`,
    id: issue.id,
    node_id: nodeId('Issue', issue.id),
    number: issue.number,
    title: issue.title,
    user: userPayload(issue.user, places),
    labels: issue.labels.map((name) => labelPayload(name, places)),
    state: issue.state,
    locked: issue.locked,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    comments,
    created_at: iso(issue.createdAt),
    updated_at: iso(issue.updatedAt),
    closed_at: isoOrNull(issue.closedAt),
    author_association: issue.user.type === 'Bot' ? 'NONE' : 'MEMBER',
    active_lock_reason: null,
    ...(issue.isPullRequest && { draft: false, pull_request: pullPayload(issue, places) }),
    body: issue.body,
    closed_by: issue.closedBy === null ? null : userPayload(issue.closedBy, places),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: null,
    state_reason: issue.stateReason,
  }
}

function pullPayload({ number }: Issue, { api, html }: Places) {
  const page = `${html}/pull/${number}`
  return {
    url: `${api}/pulls/${number}`,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    merged_at: null,
  }
}

export function commentPayload(comment: Comment, { isPullRequest }: Issue, places: Places) {
  const { api, html } = places
  const kind = isPullRequest ? 'pull' : 'issues'
  return {
    url: `${api}/issues/comments/${comment.id}`,
    html_url: `${html}/${kind}/${comment.issue}#issuecomment-${comment.id}`,
    issue_url: `${api}/issues/${comment.issue}`,
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    user: userPayload(comment.user, places),
    created_at: iso(comment.createdAt),
    updated_at: iso(comment.updatedAt),
    author_association: comment.user.type === 'Bot' ? 'NONE' : 'MEMBER',
    body: comment.body,
    performed_via_github_app: null,
  }
}

export function filePayload(file: PullFile, { api, html }: Places) {
  const { filename, status = 'modified', previousFilename, additions = 1, deletions = 1 } = file
  const path = encodeURIComponent(filename).replaceAll('%2F', '/')
  const ref = '5f1d7a84d7a6f3b1b5f7f6a2c0f3a1e9d8c7b6a5'
  return {
    sha: 'bbcd538c8e72b8c175046e27cc8f907076331401',
    filename,
    status,
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `${html}/blob/${ref}/${path}`,
    raw_url: `${html}/raw/${ref}/${path}`,
    contents_url: `${api}/contents/${path}?ref=${ref}`,
    ...(previousFilename !== undefined && { previous_filename: previousFilename }),
  }
}

export function repositoryPayload(settings: Settings, openIssues: number, places: Places) {
  const [owner = '', name = ''] = settings.repository.split('/')
  const { id, node_id, avatar_url, url, html_url } = userPayload({ login: owner, type: 'User' }, places)
  return {
    id: settings.repositoryId,
    node_id: nodeId('Repository', settings.repositoryId),
    name,
    full_name: settings.repository,
    private: settings.private,
    owner: { login: owner, id, node_id, avatar_url, url, html_url, type: 'Organization', site_admin: false },
    html_url: places.html,
    description: null,
    fork: false,
    url: places.api,
    has_issues: settings.issuesEnabled,
    archived: false,
    disabled: false,
    open_issues_count: openIssues,
    visibility: settings.private ? 'private' : 'public',
    default_branch: settings.defaultBranch,
  }
}

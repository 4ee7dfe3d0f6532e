/** Which permission each operation needs, and what GitHub says where it is missing. */
import type { Answer } from '../simulator/faults.ts'
import { notFound, refused } from './answers.ts'
import type { Access, Settings } from './options.ts'
import type { Operation, Route } from './routes.ts'

type Level = Exclude<Access, 'none'>

interface Need {
  readonly issues?: Level
  readonly pullRequests?: Level
}

/** Where there are two, one of them is enough: which one depends on what the number stands for. */
const NEEDS: Readonly<Record<Operation, Need>> = {
  'get-repo': {},
  'list-issues': { issues: 'read' },
  'create-issue': { issues: 'write' },
  'get-issue': { issues: 'read' },
  'update-issue': { issues: 'write', pullRequests: 'write' },
  'list-comments': { issues: 'read', pullRequests: 'read' },
  'create-comment': { issues: 'write', pullRequests: 'write' },
  'get-comment': { issues: 'read', pullRequests: 'read' },
  'update-comment': { issues: 'write', pullRequests: 'write' },
  'delete-comment': { issues: 'write', pullRequests: 'write' },
  'list-files': { pullRequests: 'read' },
  viewer: {},
}

const RANK: Readonly<Record<Access, number>> = { none: 0, read: 1, write: 2 }

/** The header that names what would do, on good answers as on refusals. */
export function acceptedPermissions(operation: Operation): string {
  const { issues, pullRequests } = NEEDS[operation]
  const sets = [issues && `issues=${issues}`, pullRequests && `pull_requests=${pullRequests}`]
  return sets.filter((set) => set !== undefined).join('; ') || 'metadata=read'
}

/** What the token is told instead of an answer. `isPullRequest` is `undefined` where the number stands for nothing. */
export function forbidden(route: Route, settings: Settings, isPullRequest: boolean | undefined): Answer | undefined {
  const { operation, method, docs } = route
  if (operation === 'viewer') return undefined
  // A private repository is not even admitted to exist, a public one is everybody's to read.
  if (settings.private && settings.permissions.metadata === 'none') return notFound(docs)
  if (!settings.private && method === 'GET') return undefined
  if (suffices(NEEDS[operation], settings, isPullRequest)) return undefined
  return refused(403, 'Resource not accessible by integration', docs)
}

function suffices(need: Need, { permissions, pullRequestComments }: Settings, isPullRequest?: boolean): boolean {
  const has = (granted: Access, level: Level | undefined): boolean =>
    level !== undefined && permissions.metadata !== 'none' && RANK[granted] >= RANK[level]
  const byIssues = has(permissions.issues, need.issues)
  const byPullRequests = has(permissions.pullRequests, need.pullRequests)
  if (need.issues === undefined && need.pullRequests === undefined) return permissions.metadata !== 'none'
  if (need.issues === undefined || need.pullRequests === undefined) return byIssues || byPullRequests
  if (isPullRequest === false) return byIssues
  if (isPullRequest === true && pullRequestComments === 'pull-requests') return byPullRequests
  return byIssues || byPullRequests
}

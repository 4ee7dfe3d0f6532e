/** What tests use of the stand-in for GitHub's REST API. */
export type { SimulatedRequest } from '../simulator/exchange.ts'
export type { Answer, Delivery, Fault, When } from '../simulator/faults.ts'
export {
  type Call,
  type FaultMatch,
  type FaultRule,
  LOST_ANSWER,
  LOST_REQUEST,
  primaryRateLimit,
  STALLED,
  secondaryRateLimit,
  serverError,
} from './faults.ts'
export { GitHub, type LoggedRequest } from './github.ts'
export type { Access, GitHubOptions, Permissions } from './options.ts'
export type { Operation } from './routes.ts'
export { type GitHubServer, serveGitHub } from './server.ts'
export type { Changes, PullFile, StateReason, User } from './state.ts'
export type { CommentView, IssueView, Opened, OpenedPullRequest, Said } from './world.ts'

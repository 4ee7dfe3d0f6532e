/** What the answer to a request is made of. */
import type { ParsedRequest } from '../simulator/exchange.ts'
import type { Answer } from '../simulator/faults.ts'
import { notFound, refused } from './answers.ts'
import type { Settings } from './options.ts'
import type { Address } from './paging.ts'
import type { Places } from './payloads.ts'
import type { Match } from './routes.ts'
import type { Issue, State } from './state.ts'

export interface Exchange {
  readonly request: ParsedRequest
  readonly match: Extract<Match, { kind: 'route' }>
  readonly settings: Settings
  readonly state: State
  readonly places: Places
  readonly problem: (text: string) => void
}

export type Handler = (exchange: Exchange) => Answer

/** What the number or id in the path stands for, or why there is no answer. */
export type Target =
  | { readonly kind: 'issue'; readonly issue: Issue }
  | { readonly kind: 'none'; readonly answer: Answer }

export function targetOf({ match, state, settings }: Exchange): Target {
  const { id, route } = match
  const issue = state.issue(id)
  if (issue === undefined) return { kind: 'none', answer: notFound(route.docs) }
  return available(issue, settings, route.docs)
}

export function available(issue: Issue, { issuesEnabled }: Settings, docs: string): Target {
  if (issue.deleted) return { kind: 'none', answer: refused(410, 'This issue was deleted', docs) }
  // Pull requests are talked about also where there are no issues.
  if (!issuesEnabled && !issue.isPullRequest) return { kind: 'none', answer: issuesDisabled() }
  return { kind: 'issue', issue }
}

export function issuesDisabled(): Answer {
  return refused(410, 'Issues are disabled for this repo', 'https://docs.github.com/v3/issues/')
}

/** GitHub's links name the repository by its id, and keep the parameters and their order. */
export function addressOf({ request, match, settings, places }: Exchange): Address {
  return (changes) => {
    const query = new URLSearchParams(request.query)
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) query.delete(name)
      else query.set(name, value)
    }
    return `${places.root}/repositories/${settings.repositoryId}${match.tail}?${query}`
  }
}

/** An instant in the query; `undefined` where there is none. */
export function sinceIn({ request, problem }: Exchange): number | undefined {
  const text = request.query.get('since')
  if (text === null) return undefined
  const at = Date.parse(text)
  if (!Number.isNaN(at)) return at
  problem(`since=${text} is no time`)
  return undefined
}

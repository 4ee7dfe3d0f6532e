/** Issues, and pull requests as issues. */
import { changed, created, type FieldError, found, invalid, refused } from './answers.ts'
import { addressOf, type Exchange, type Handler, issuesDisabled, sinceIn, targetOf } from './exchange.ts'
import { namesIn, readFields, type Schema, textIn, type Values } from './fields.ts'
import { cursorPage, type Key, numberedPage, readPaging } from './paging.ts'
import { issuePayload } from './payloads.ts'
import type { Changes, Issue, StateReason } from './state.ts'

const LONGEST_TITLE = 256
const REASONS: readonly StateReason[] = ['completed', 'not_planned', 'duplicate', 'reopened']

const CREATE: Schema = {
  title: { kinds: ['string', 'number'], required: true },
  body: { kinds: ['string'] },
  labels: { kinds: ['array'] },
  assignees: { kinds: ['array'] },
}

const UPDATE: Schema = {
  title: { kinds: ['string', 'number', 'null'] },
  body: { kinds: ['string', 'null'] },
  labels: { kinds: ['array'] },
  assignees: { kinds: ['array'] },
  state: { kinds: ['string'], oneOf: ['open', 'closed'] },
  state_reason: { kinds: ['string', 'null'], oneOf: REASONS },
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  state: ['open', 'closed', 'all'],
  sort: ['created', 'updated', 'comments'],
  direction: ['asc', 'desc'],
}

export const listIssues: Handler = (exchange) => {
  const { request, match, settings, state, problem, places } = exchange
  const { query } = request
  for (const [field, values] of Object.entries(CHOICES)) {
    const value = query.get(field)
    if (value === null || values.includes(value)) continue
    problem(`${field}=${value} is none of ${values.join(', ')}`)
    return invalid(match.route.docs, { resource: 'Issue', code: 'invalid', field })
  }
  // In searches an app is `app/its-slug`; nobody says that this list knows that form.
  if (query.get('creator')?.startsWith('app/')) problem('a creator in the form of a search')
  const keyOf = (issue: Issue): Key => ({ value: sortValue(issue, query.get('sort'), exchange), number: issue.number })
  const forward = query.get('direction') === 'asc' ? 1 : -1
  const compare = (a: Key, b: Key): number => (a.value - b.value || a.number - b.number) * forward
  const all = state
    .issues()
    .filter((issue) => (settings.issuesEnabled || issue.isPullRequest) && matches(issue, exchange))
    .sort((a, b) => compare(keyOf(a), keyOf(b)))
  const paging = readPaging(query, problem)
  const address = addressOf(exchange)
  const byCursor = settings.issuePaging === 'cursors'
  const withCursor = paging.after !== undefined || paging.before !== undefined
  if (byCursor && !withCursor && paging.page * paging.perPage > settings.reachableByNumber) {
    return refused(422, TOO_DEEP, match.route.docs)
  }
  const page = byCursor ? cursorPage(all, paging, { address, keyOf, compare }) : numberedPage(all, paging, address)
  if (page === undefined) {
    problem('a cursor that was never handed out')
    return invalid(match.route.docs, { resource: 'Issue', code: 'invalid', field: 'after' })
  }
  const payloads = page.items.map((issue) => issuePayload(issue, state.comments(issue.number).length, places))
  return found(payloads, page.headers)
}

const TOO_DEEP =
  'Pagination with the page parameter is not supported for large datasets, ' +
  'please use cursor based pagination (after/before)'

export const createIssue: Handler = (exchange) => {
  const { request, match, settings, state, problem } = exchange
  const { docs } = match.route
  if (!settings.issuesEnabled) return issuesDisabled()
  const read = readFields({ body: request.body, docs, problem }, CREATE)
  if (read.kind === 'refused') return read.answer
  const changes = changesIn(read.values)
  const wrong = faultsOf(changes, exchange)
  if (wrong.length > 0) return invalid(docs, ...wrong)
  const issue = state.open({ ...changes, title: changes.title ?? '', user: settings.user })
  return created(shown(issue, exchange))
}

export const getIssue: Handler = (exchange) => {
  const target = targetOf(exchange)
  return target.kind === 'none' ? target.answer : found(shown(target.issue, exchange))
}

export const updateIssue: Handler = (exchange) => {
  const { request, match, settings, state, problem } = exchange
  const { docs } = match.route
  const target = targetOf(exchange)
  if (target.kind === 'none') return target.answer
  const read = readFields({ body: request.body || '{}', docs, problem }, UPDATE)
  if (read.kind === 'refused') return read.answer
  const changes = changesIn(read.values)
  const wrong = faultsOf(changes, exchange)
  if (wrong.length > 0) return invalid(docs, ...wrong)
  const { issue } = target
  state.edit(issue, changes)
  const wanted = textIn(read.values, 'state')
  // The reason counts only where the state changes.
  if (wanted === 'closed' && issue.state === 'open') state.close(issue, settings.user, reasonIn(read.values))
  if (wanted === 'open' && issue.state === 'closed') state.reopen(issue)
  return changed(shown(issue, exchange))
}

function shown(issue: Issue, { state, places }: Exchange) {
  return issuePayload(issue, state.comments(issue.number).length, places)
}

function changesIn(values: Values): Changes {
  const title = textIn(values, 'title')
  const body = values.body === null ? null : textIn(values, 'body')
  const labels = namesIn(values, 'labels')
  const assignees = namesIn(values, 'assignees')
  return {
    ...(title !== undefined && { title }),
    ...(body !== undefined && { body }),
    ...(labels !== undefined && { labels }),
    ...(assignees !== undefined && { assignees }),
  }
}

function reasonIn(values: Values): StateReason {
  return REASONS.find((reason) => reason === values.state_reason) ?? 'completed'
}

function faultsOf({ title, body }: Changes, { settings }: Exchange): FieldError[] {
  const errors: FieldError[] = []
  const custom = (field: string, message: string) => errors.push({ resource: 'Issue', code: 'custom', field, message })
  if (title?.trim() === '') errors.push({ resource: 'Issue', code: 'missing_field', field: 'title' })
  if ([...(title ?? '')].length > LONGEST_TITLE) {
    custom('title', `title is too long (maximum is ${LONGEST_TITLE} characters)`)
  }
  if ([...(body ?? '')].length > settings.longestBody) {
    custom('body', `body is too long (maximum is ${settings.longestBody} characters)`)
  }
  return errors
}

function sortValue(issue: Issue, sort: string | null, { state }: Exchange): number {
  if (sort === 'comments') return state.comments(issue.number).length
  return sort === 'updated' ? issue.updatedAt : issue.createdAt
}

function matches(issue: Issue, exchange: Exchange): boolean {
  const { query } = exchange.request
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
  const wanted = query.get('state') ?? 'open'
  if (wanted !== 'all' && issue.state !== wanted) return false
  const creator = query.get('creator')
  // Somebody whom nobody knows has created nothing: an empty list and no error.
  if (creator !== null && !same(issue.user.login, creator)) return false
  const labels = query.get('labels')?.split(',') ?? []
  if (!labels.every((label) => issue.labels.some((name) => same(name, label.trim())))) return false
  const since = sinceIn(exchange)
  return since === undefined || issue.updatedAt >= since
}

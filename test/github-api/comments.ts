/** Comments on an issue or in the conversation of a pull request. */
import type { Answer } from '../simulator/faults.ts'
import { changed, created, found, invalid, notFound, refused } from './answers.ts'
import { addressOf, available, type Exchange, type Handler, sinceIn, targetOf } from './exchange.ts'
import { readFields, type Schema, textIn } from './fields.ts'
import { numberedPage, readPaging } from './paging.ts'
import { commentPayload } from './payloads.ts'
import type { Comment, Issue } from './state.ts'

const TEXT: Schema = { body: { kinds: ['string'], required: true } }

type Found =
  | { readonly kind: 'comment'; readonly comment: Comment; readonly issue: Issue }
  | { readonly kind: 'none'; readonly answer: Answer }

export const listComments: Handler = (exchange) => {
  const { request, state, problem, places } = exchange
  const target = targetOf(exchange)
  if (target.kind === 'none') return target.answer
  const since = sinceIn(exchange) ?? 0
  const all = state.comments(target.issue.number).filter(({ updatedAt }) => updatedAt >= since)
  const page = numberedPage(all, readPaging(request.query, problem), addressOf(exchange))
  const payloads = page.items.map((comment) => commentPayload(comment, target.issue, places))
  return found(payloads, page.headers)
}

export const createComment: Handler = (exchange) => {
  const { request, match, settings, state, problem, places } = exchange
  const { docs } = match.route
  const target = targetOf(exchange)
  if (target.kind === 'none') return target.answer
  const read = readFields({ body: request.body, docs, problem }, TEXT)
  if (read.kind === 'refused') return read.answer
  const { issue } = target
  // Only collaborators go on in a locked conversation. No app is one, whatever its permissions.
  if (issue.locked && settings.user.type === 'Bot') return locked()
  const body = textIn(read.values, 'body') ?? ''
  const unfit = { resource: 'IssueComment', code: 'unprocessable', field: 'data' }
  if (body.trim() === '') return invalid(docs, { ...unfit, message: 'Body cannot be blank' })
  if (tooLong(body, exchange)) {
    return invalid(docs, { ...unfit, message: `Body is too long (maximum is ${settings.longestBody} characters)` })
  }
  return created(commentPayload(state.addComment(issue, body, settings.user), issue, places))
}

export const getComment: Handler = (exchange) => {
  const it = commentOf(exchange)
  return it.kind === 'none' ? it.answer : found(commentPayload(it.comment, it.issue, exchange.places))
}

export const updateComment: Handler = (exchange) => {
  const { request, match, settings, state, problem, places } = exchange
  const { docs } = match.route
  const it = commentOf(exchange)
  if (it.kind === 'none') return it.answer
  const read = readFields({ body: request.body, docs, problem }, TEXT)
  if (read.kind === 'refused') return read.answer
  if (it.issue.locked && settings.editsWhileLocked === 'refused') return locked()
  const body = textIn(read.values, 'body') ?? ''
  const wrong = { resource: 'IssueComment', field: 'body' }
  if (body.trim() === '') return invalid(docs, { ...wrong, code: 'missing_field' })
  if (tooLong(body, exchange)) {
    const message = `body is too long (maximum is ${settings.longestBody} characters)`
    return invalid(docs, { ...wrong, code: 'custom', message })
  }
  state.editComment(it.comment, body)
  return changed(commentPayload(it.comment, it.issue, places))
}

export const deleteComment: Handler = (exchange) => {
  const it = commentOf(exchange)
  if (it.kind === 'none') return it.answer
  exchange.state.deleteComment(it.comment)
  return { status: 204 }
}

function commentOf({ match, state, settings }: Exchange): Found {
  const { docs } = match.route
  const comment = state.comment(match.id)
  const issue = comment && state.issue(comment.issue)
  if (comment === undefined || issue === undefined) return { kind: 'none', answer: notFound(docs) }
  const target = available(issue, settings, docs)
  return target.kind === 'none' ? target : { kind: 'comment', comment, issue }
}

function tooLong(body: string, { settings }: Exchange): boolean {
  return [...body].length > settings.longestBody
}

function locked(): Answer {
  const docs = 'https://docs.github.com/articles/locking-conversations/'
  return refused(403, 'Unable to create comment because issue is locked.', docs)
}

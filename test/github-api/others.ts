/** The repository, the files of a pull request, and who the token speaks for. */
import { isRecord, parseJson } from '../simulator/exchange.ts'
import { changed, found, notFound, refused } from './answers.ts'
import { addressOf, type Handler } from './exchange.ts'
import { numberedPage, readPaging } from './paging.ts'
import { filePayload, repositoryPayload } from './payloads.ts'

/** However large a pull request is, GitHub shows no more of it. */
const MOST_FILES = 3000
const VIEWER = /^\s*(query(\s+\w+)?\s*)?\{\s*viewer\s*\{\s*login\s*\}\s*\}\s*$/
const GRAPHQL_FIELDS = ['query', 'variables', 'operationName']

export const getRepository: Handler = ({ settings, state, places }) => {
  const open = state.issues().filter((issue) => issue.state === 'open')
  return found(repositoryPayload(settings, open.length, places))
}

export const listFiles: Handler = (exchange) => {
  const { request, match, state, places, problem } = exchange
  const pull = state.issue(match.id)
  if (pull === undefined || !pull.isPullRequest) return notFound(match.route.docs)
  const page = numberedPage(pull.files.slice(0, MOST_FILES), readPaging(request.query, problem), addressOf(exchange))
  const payloads = page.items.map((file) => filePayload(file, places))
  return found(payloads, page.headers)
}

export const viewer: Handler = ({ request, match, settings, problem }) => {
  const body = parseJson(request.body)
  if (!isRecord(body)) return refused(400, 'Problems parsing JSON', match.route.docs)
  for (const name of Object.keys(body)) {
    if (!GRAPHQL_FIELDS.includes(name)) problem(`unknown field "${name}" in the body`)
  }
  const query = String(body.query)
  if (!VIEWER.test(query)) {
    problem(`a query that this stand-in does not know: ${query.trim()}`)
    return refused(501, 'This stand-in answers no query but { viewer { login } }.', match.route.docs)
  }
  return changed({ data: { viewer: { login: settings.user.login } } })
}

/** What GitHub looks at before it looks at the request itself. */
import { header, type ParsedRequest } from '../simulator/exchange.ts'
import type { Answer } from '../simulator/faults.ts'
import { notFound, refused } from './answers.ts'
import type { Settings } from './options.ts'
import type { Match } from './routes.ts'

const REST = 'https://docs.github.com/rest'
const VERSIONS = ['2022-11-28', '2026-03-10']
const READABLE = /^(\*\/\*|application\/(\*|json|vnd\.github(\.[\w-]+)*(\+json)?))$/

const NO_AGENT = `\r
Request forbidden by administrative rules. Please make sure your request has a User-Agent header \
(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). \
Check https://developer.github.com for other possible causes.\r
`

export function refuse(
  request: ParsedRequest,
  match: Match,
  { token }: Settings,
  problem: (text: string) => void,
): Answer | undefined {
  const { headers } = request
  if (header(headers, 'user-agent') === '') {
    problem('no user agent')
    return { status: 403, headers: { 'content-type': 'text/html' }, body: NO_AGENT }
  }
  if (match.kind === 'stray') {
    problem(match.problem)
    return notFound(REST)
  }
  const version = header(headers, 'x-github-api-version')
  if (version !== '' && !VERSIONS.includes(version)) {
    problem(`no such version of the API: ${version}`)
    return refused(400, `The API version "${version}" is not supported.`, `${REST}/about-the-rest-api/api-versions`)
  }
  const accept = header(headers, 'accept')
  if (accept !== '' && !accept.split(',').some((type) => READABLE.test(type.replace(/;.*/, '').trim()))) {
    problem(`accepts no JSON, but ${accept}`)
    return refused(415, `Unsupported 'Accept' header: '${accept}'. Must accept 'application/json'.`, REST)
  }
  return unknownCaller(header(headers, 'authorization'), match, token)
}

function unknownCaller(authorization: string, { route }: Extract<Match, { kind: 'route' }>, token: string) {
  if (authorization === '') {
    const { operation, docs } = route
    const graphql = operation === 'viewer'
    return refused(401, graphql ? 'This endpoint requires you to be authenticated.' : 'Requires authentication', docs)
  }
  const [, given] = /^(?:token|bearer) +(\S+)$/i.exec(authorization) ?? []
  return given === token ? undefined : refused(401, 'Bad credentials', REST)
}

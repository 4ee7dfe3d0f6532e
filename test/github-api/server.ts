/** The stand-in on a real port. */
import { listen } from '../simulator/server.ts'
import type { GitHub } from './github.ts'

export interface GitHubServer extends AsyncDisposable {
  /** Of the REST API, prefix included, without a slash at the end: what a runner has in `GITHUB_API_URL`. */
  readonly url: string
  /** What a runner has in `GITHUB_GRAPHQL_URL`. */
  readonly graphqlUrl: string
}

export async function serveGitHub(github: GitHub): Promise<GitHubServer> {
  const server = await listen((request) => github.handle(request))
  return {
    url: `${server.url}${github.restPath}`,
    graphqlUrl: `${server.url}${github.graphqlPath}`,
    [Symbol.asyncDispose]: server.close,
  }
}

import { connect } from '../../src/github/api.ts'
import type { Here } from '../../src/github/here.ts'
import type { GitHub as StandIn } from '../github-api/index.ts'
import { serveGitHub } from '../github-api/index.ts'

export interface Place extends AsyncDisposable {
  here: Here
  /** Milliseconds that were waited, without waiting. */
  slept: number[]
  connect(token?: string, signal?: AbortSignal): ReturnType<typeof connect>
}

/** Where a step is that runs in a repository of this stand-in for GitHub. */
export async function placeOf(standIn: StandIn): Promise<Place> {
  const server = await serveGitHub(standIn)
  const [owner = '', repo = ''] = standIn.settings.repository.split('/')
  const here: Here = {
    owner,
    repo,
    apiUrl: server.url,
    ref: 'refs/heads/main',
    defaultBranch: 'main',
    pullRequest: null,
    commit: '0123456789abcdef',
    step: 'nightly.yml/sync/__self',
    run: '7001',
    runUrl: 'https://github.example/octo-org/shop/actions/runs/7001',
  }
  const slept: number[] = []
  return {
    here,
    slept,
    connect: (token = standIn.settings.token, signal = new AbortController().signal) =>
      connect({ token, permission: 'issues: write', sleep: async (ms) => void slept.push(ms), signal }, here),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

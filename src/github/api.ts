import * as v from 'valibot'
import type { ChangedFile } from '../core/change.ts'
import type { Here } from './here.ts'
import { explain, GitHubError, isRefusal, notGitHub, pauseOf, statusOf } from './trouble.ts'

export interface Said {
  id: number
  body: string
  /** Who wrote it. */
  login: string
}

export interface Issue {
  number: number
  body: string
  login: string
  isOpen: boolean
}

export interface Means {
  token: string
  /** What the token is needed for, as GitHub calls it: `pull-requests: write`. */
  permission: string
  sleep(ms: number): Promise<void>
  signal: AbortSignal
}

const REQUEST_MS = 10_000
/** GitHub lists no more files of a pull request. https://docs.github.com/rest/pulls/pulls#list-pull-requests-files */
const MOST_FILES = 3000
/** A wait that GitHub asks for is waited out once, if it is no longer than this. */
const PATIENCE_MS = 30_000
/** Before what may be asked again is asked again. */
const PAUSES_MS = [1000, 3000]

type Octokit = ReturnType<typeof import('@actions/github')['getOctokit']>
type Place = { owner: string; repo: string }
type IssueChange = { body: string; state?: 'open' | 'closed'; state_reason?: 'completed' | 'not_planned' }

// A proxy may answer in GitHub's place, and an empty list would lead to a second issue: what is not as documented is no answer.
// An issue without a text has null for it.
const body = v.fallback(v.string(), '')
const user = v.pipe(
  v.nullable(v.object({ login: v.string() })),
  v.transform((known) => known?.login ?? ''),
)
const WireIssue = v.object({ number: v.number(), body, user, state: v.string(), pull_request: v.optional(v.unknown()) })
const WireComment = v.object({ id: v.number(), body, user })
const WireFile = v.object({ filename: v.string(), previous_filename: v.optional(v.string()), status: v.string() })
const WireViewer = v.object({ viewer: v.object({ login: v.pipe(v.string(), v.minLength(1)) }) })
const WireRepository = v.object({ default_branch: v.string() })

/** A client for the little that the action has to say on GitHub. Every failure is a GitHubError. */
export async function connect(means: Means, here: Here): Promise<GitHub> {
  if (means.token === '') {
    throw new GitHubError('the input github-token is empty')
  }
  // Loaded only here: a normal run says nothing on GitHub, and has no use for a whole API client.
  const { getOctokit } = await import(/* webpackMode: "eager" */ '@actions/github')
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  return new GitHub(getOctokit(means.token, { baseUrl: here.apiUrl, log: silent }), means, here)
}

export class GitHub {
  readonly #octokit: Octokit
  readonly #means: Means
  readonly #here: Here

  constructor(octokit: Octokit, means: Means, here: Here) {
    this.#octokit = octokit
    this.#means = means
    this.#here = here
    // Each request by itself, the pages of a list too: without this one that is never answered would hold the step for minutes.
    octokit.hook.before('request', (options) => {
      options.request.signal = AbortSignal.any([means.signal, AbortSignal.timeout(REQUEST_MS)])
    })
  }

  /**
   * The account that the token belongs to. What others have written is not ours, whatever it looks like. `GET /user` is refused to the
   * token of a job; this is answered to any token, and with the name that the REST lists have too: `github-actions[bot]`.
   */
  async login(): Promise<string> {
    const answer = await this.#ask(() => this.#octokit.graphql('{ viewer { login } }'))
    return as(WireViewer, answer).viewer.login
  }

  async defaultBranch(): Promise<string> {
    const { data } = await this.#ask(({ repos }, place) => repos.get(place))
    return as(WireRepository, data).default_branch
  }

  /** All open issues, the oldest first. Pages of issues are linked by cursors and not by numbers, so the links are followed. */
  async openIssues(): Promise<Issue[]> {
    const items = await this.#ask(({ issues }, place) =>
      this.#octokit.paginate(issues.listForRepo, { ...place, state: 'open', per_page: 100 }),
    )
    const open = as(v.array(WireIssue), items).filter((item) => item.pull_request === undefined)
    return open.map(toIssue).sort((a, b) => a.number - b.number)
  }

  async issue(number: number): Promise<Issue> {
    const { data } = await this.#ask(({ issues }, place) => issues.get({ ...place, issue_number: number }))
    return toIssue(as(WireIssue, data))
  }

  async createIssue(title: string, body: string): Promise<void> {
    await this.#ask(({ issues }, place) => issues.create({ ...place, title, body }), true)
  }

  async updateIssue(number: number, change: IssueChange): Promise<void> {
    await this.#ask(({ issues }, place) => issues.update({ ...place, issue_number: number, ...change }))
  }

  /** What was said on an issue or a pull request, the oldest first. */
  async comments(number: number): Promise<Said[]> {
    const items = await this.#ask(({ issues }, place) =>
      this.#octokit.paginate(issues.listComments, { ...place, issue_number: number, per_page: 100 }),
    )
    const said = as(v.array(WireComment), items)
    return said.map(({ user: login, ...rest }) => ({ ...rest, login })).sort((a, b) => a.id - b.id)
  }

  async createComment(number: number, body: string): Promise<void> {
    await this.#ask(({ issues }, place) => issues.createComment({ ...place, issue_number: number, body }), true)
  }

  async updateComment(id: number, body: string): Promise<void> {
    await this.#ask(({ issues }, place) => issues.updateComment({ ...place, comment_id: id, body }))
  }

  /** One that is gone already is as good as deleted. */
  async deleteComment(id: number): Promise<void> {
    await this.#ask(({ issues }, place) =>
      issues.deleteComment({ ...place, comment_id: id }).catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error
      }),
    )
  }

  /** The files that a pull request changes, those that it moves away from included; null where there are more than GitHub lists. */
  async changedFiles(number: number): Promise<ChangedFile[] | null> {
    const items = await this.#ask(({ pulls }, place) =>
      this.#octokit.paginate(pulls.listFiles, { ...place, pull_number: number, per_page: 100 }),
    )
    if (items.length >= MOST_FILES) return null
    return as(v.array(WireFile), items).flatMap(({ filename: path, previous_filename: before, status }) => [
      { path, isGone: status === 'removed' },
      // Of a copy the first one is still there.
      ...(before === undefined ? [] : [{ path: before, isGone: status === 'renamed' }]),
    ])
  }

  /**
   * Sends a request. What was throttled has not been done, and is sent once more if the wait is short. After an outage only what may be
   * done twice is: something created twice would be there twice.
   */
  async #ask<T>(send: (rest: Octokit['rest'], place: Place) => Promise<T>, once = false): Promise<T> {
    const { signal, sleep } = this.#means
    let waited = false
    for (let failures = 0; ; ) {
      try {
        return await send(this.#octokit.rest, { owner: this.#here.owner, repo: this.#here.repo })
      } catch (error) {
        // The toolkit stumbles over an answer of another shape; what the network does is an error of another kind.
        if (error instanceof TypeError) throw notGitHub(error)
        const pause = pauseOf(error)
        const isOutage = pause === null && !isRefusal(error) && (statusOf(error) ?? 500) >= 500
        if (!signal.aborted && !waited && pause !== null && pause <= PATIENCE_MS) {
          waited = true
          await sleep(pause)
        } else if (!signal.aborted && isOutage && !once && failures < PAUSES_MS.length) {
          await sleep(PAUSES_MS[failures] ?? 0)
          failures += 1
        } else {
          const why = explain(error, this.#means.permission, this.#here.apiUrl, pause)
          throw new GitHubError(why, { uncertain: isOutage, cause: error })
        }
      }
    }
  }
}

function as<S extends v.GenericSchema>(schema: S, answer: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, answer)
  if (!parsed.success) throw notGitHub(parsed.issues)
  return parsed.output
}

function toIssue({ user: login, state, number, body: text }: v.InferOutput<typeof WireIssue>): Issue {
  return { number, body: text, login, isOpen: state === 'open' }
}

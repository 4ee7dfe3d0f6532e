import { changeComment, issueBody } from '../report/failure-issue.ts'
import { changeOf, type Entry, fold, merge, type Seen } from '../report/failures.ts'
import type { GitHub, Issue } from './api.ts'
import { readChange, readIssue } from './marks.ts'
import { GitHubError } from './trouble.ts'

/** How often the open issue is looked for anew because another run has closed it, or opened one, in the same moment. */
const TRIES = 5

/** An issue of ours. `bad` is what its text says, which is true up to the comment `upTo`. */
type Kept = Pick<Issue, 'number'> & { bad: Entry[]; upTo: number }

/**
 * Keeps the one open issue of this title: opens it with the first bad sync, tells it of every change, and closes it when nothing bad is
 * left.
 *
 * Several runs may do so at the same time, and a text on GitHub cannot be changed only if nobody else has changed it. But a comment can
 * be added, and nobody's takes another one's place: so each change is a comment, the list is what the comments make of it, and the text of
 * the issue shows how far that was when it was last written.
 */
export async function keepIssue(github: GitHub, title: string, seen: Seen): Promise<void> {
  const login = await github.login()
  const keeper = new Keeper(github, title, seen, login)
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const [first, ...others] = await keeper.open()
    if (first !== undefined) {
      if (await keeper.tell(first, others)) return
    } else if (!(await keeper.create())) {
      return
    }
  }
}

class Keeper {
  readonly #github: GitHub
  readonly #title: string
  readonly #seen: Seen
  readonly #login: string

  constructor(github: GitHub, title: string, seen: Seen, login: string) {
    this.#github = github
    this.#title = title
    this.#seen = seen
    this.#login = login
  }

  /** The open issues of this title that are ours, the oldest first. There are several only for a moment. */
  async open(): Promise<Kept[]> {
    const issues = await this.#github.openIssues()
    return issues.flatMap(({ number, login, body }) => {
      const mark = login === this.#login ? readIssue(body, this.#title) : null
      return mark === null ? [] : [{ number, ...mark }]
    })
  }

  /** Opens an issue where something is bad. True if another run may have opened one in the same moment: then both look again. */
  async create(): Promise<boolean> {
    const entries = merge([], this.#seen)
    if (entries.length === 0) return false
    try {
      await this.#github.createIssue(this.#title, issueBody(this.#title, entries, 0, this.#seen))
    } catch (error) {
      // Where nobody knows whether it is there it is looked for, and never opened a second time.
      if (!(error instanceof GitHubError) || !error.uncertain || (await this.open()).length === 0) throw error
    }
    return (await this.open()).length > 1
  }

  /** Tells an issue what this run has seen, and what stands in others, which are closed. False if the issue is not open any more. */
  async tell(issue: Kept, others: readonly Kept[]): Promise<boolean> {
    const { number } = issue
    const lists = await Promise.all(others.map(async (other) => (await this.#list(other)).entries))
    const { entries, isBehind } = await this.#list(issue)
    const inherited = lists.flat().filter(({ id }) => !entries.some((known) => known.id === id))
    const after = merge([...entries, ...inherited], this.#seen)
    const { bad, good } = changeOf(entries, after)
    if (bad.length + good.length === 0) {
      // No news; but who looks at the issue is to see that it is still so, and all that its comments say.
      if (this.#seen.bad.length > 0 || isBehind) await this.#settle(issue)
    } else {
      await this.#comment(number, changeComment(entries, after, this.#seen))
      if (!(await this.#github.issue(number)).isOpen) return false
      await this.#settle(issue)
    }
    for (const other of others) {
      const body = `A duplicate of #${number}, opened by another run in the same moment. Its list goes on there.\n`
      await this.#github.updateIssue(other.number, { body, state: 'closed', state_reason: 'not_planned' })
    }
    return true
  }

  /** Brings the text of the issue to where its comments are, and closes it if nothing is left. */
  async #settle(issue: Kept): Promise<void> {
    const { entries, upTo } = await this.#list(issue)
    if (entries.length > 0) return await this.#write(issue.number, entries, upTo)
    await this.#write(issue.number, entries, upTo, { state: 'closed', state_reason: 'completed' })
    // Whoever has commented before it was closed took it for open.
    const after = await this.#list(issue)
    if (after.entries.length > 0) await this.#write(issue.number, after.entries, after.upTo, { state: 'open' })
  }

  /** What the comments of an issue have made of the list in its text. */
  async #list({ number, bad, upTo }: Kept): Promise<{ entries: Entry[]; upTo: number; isBehind: boolean }> {
    const comments = (await this.#github.comments(number)).filter(({ login }) => login === this.#login)
    const changes = comments.filter(({ id }) => id > upTo).flatMap(({ body }) => readChange(body) ?? [])
    const newest = Math.max(upTo, ...comments.map(({ id }) => id))
    return { entries: fold(bad, changes), upTo: newest, isBehind: changes.length > 0 }
  }

  async #comment(number: number, text: string): Promise<void> {
    try {
      await this.#github.createComment(number, text)
    } catch (error) {
      if (!(error instanceof GitHubError) || !error.uncertain) throw error
      const isThere = (await this.#github.comments(number)).some(
        (said) => said.login === this.#login && said.body === text,
      )
      if (!isThere) throw error
    }
  }

  async #write(
    number: number,
    entries: readonly Entry[],
    upTo: number,
    state: { state?: 'open' | 'closed'; state_reason?: 'completed' } = {},
  ): Promise<void> {
    await this.#github.updateIssue(number, { body: issueBody(this.#title, entries, upTo, this.#seen), ...state })
  }
}

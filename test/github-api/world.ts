/** What others do to the repository, and what can be seen of it without asking the API. */
import { type Changes, type Comment, type Issue, type PullFile, State, type StateReason, type User } from './state.ts'

interface By {
  /** Who does it; a name that ends with `[bot]` is a bot's. */
  readonly login?: string
}

export interface Opened extends By {
  readonly number?: number
  readonly title?: string
  readonly body?: string | null
  readonly labels?: readonly string[]
  readonly createdAt?: number
}

export interface OpenedPullRequest extends Opened {
  readonly files?: readonly PullFile[]
}

export interface Said extends By {
  readonly body: string
}

/** What can be looked at, and not changed behind GitHub's back. */
export type IssueView = Readonly<Issue>
export type CommentView = Readonly<Comment>

export class World {
  protected readonly state: State

  constructor(clock: () => number) {
    this.state = new State(clock)
  }

  /** Without the pull requests, oldest first. */
  issues(): IssueView[] {
    return this.state.issues().flatMap((issue) => (issue.isPullRequest ? [] : [structuredClone(issue)]))
  }

  /** An issue or a pull request. */
  issue(number: number): IssueView {
    return structuredClone(this.#issue(number))
  }

  /** In the order of their ids. */
  comments(number: number): CommentView[] {
    return structuredClone(this.state.comments(this.#issue(number).number))
  }

  /** Returns its number. */
  openIssue({ login, title = 'An issue', ...rest }: Opened = {}): number {
    return this.state.open({ ...rest, title, user: person(login) }).number
  }

  /** Returns its number. */
  openPullRequest({ login, title = 'A pull request', files = [], ...rest }: OpenedPullRequest = {}): number {
    return this.state.open({ ...rest, title, files, user: person(login) }).number
  }

  /** Returns its id. */
  comment(number: number, { body, login }: Said): number {
    return this.state.addComment(this.#issue(number), body, person(login)).id
  }

  editIssue(number: number, changes: Changes): void {
    this.state.edit(this.#issue(number), changes)
  }

  closeIssue(number: number, { login, reason }: By & { readonly reason?: StateReason } = {}): void {
    this.state.close(this.#issue(number), person(login), reason)
  }

  reopenIssue(number: number): void {
    this.state.reopen(this.#issue(number))
  }

  lock(number: number): void {
    this.#issue(number).locked = true
  }

  unlock(number: number): void {
    this.#issue(number).locked = false
  }

  /** From now on it is gone, which is not the same as unknown. */
  deleteIssue(number: number): void {
    this.#issue(number).deleted = true
  }

  editComment(id: number, body: string): void {
    this.state.editComment(this.#comment(id), body)
  }

  deleteComment(id: number): void {
    this.state.deleteComment(this.#comment(id))
  }

  #issue(number: number): Issue {
    const issue = this.state.issue(number)
    if (issue === undefined) throw new Error(`GitHub: there is no number ${number}.`)
    return issue
  }

  #comment(id: number): Comment {
    const comment = this.state.comment(id)
    if (comment === undefined) throw new Error(`GitHub: there is no comment ${id}.`)
    return comment
  }
}

function person(login = 'octocat'): User {
  return { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' }
}

/** The issues, pull requests and comments of the one repository. */

export interface User {
  readonly login: string
  readonly type: 'Bot' | 'User'
}

export type StateReason = 'completed' | 'not_planned' | 'duplicate' | 'reopened'

export interface PullFile {
  readonly filename: string
  readonly status?: 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed' | 'unchanged'
  /** Of a renamed or copied file. */
  readonly previousFilename?: string
  readonly additions?: number
  readonly deletions?: number
}

/** An issue or, as GitHub sees it, a pull request. Times are in milliseconds and whole seconds. */
export interface Issue {
  readonly id: number
  readonly number: number
  readonly user: User
  readonly isPullRequest: boolean
  readonly createdAt: number
  title: string
  body: string | null
  state: 'open' | 'closed'
  stateReason: StateReason | null
  labels: readonly string[]
  assignees: readonly string[]
  files: readonly PullFile[]
  locked: boolean
  deleted: boolean
  updatedAt: number
  closedAt: number | null
  closedBy: User | null
}

export interface Comment {
  readonly id: number
  /** The number of its issue or pull request. */
  readonly issue: number
  readonly user: User
  readonly createdAt: number
  body: string
  updatedAt: number
}

export interface Draft {
  readonly number?: number
  readonly title: string
  readonly body?: string | null
  readonly user: User
  readonly labels?: readonly string[]
  readonly assignees?: readonly string[]
  readonly files?: readonly PullFile[]
  readonly createdAt?: number
}

export interface Changes {
  readonly title?: string
  readonly body?: string | null
  readonly labels?: readonly string[]
  readonly assignees?: readonly string[]
}

export class State {
  readonly #issues = new Map<number, Issue>()
  readonly #comments = new Map<number, Comment>()
  readonly #clock: () => number
  // The first ids cross 2^32, as GitHub's soon will: a client that keeps them in 32 bits is found out.
  #lastId = 2 ** 32 - 3

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Oldest first, pull requests among them. */
  issues(): Issue[] {
    return [...this.#issues.values()].filter(({ deleted }) => !deleted).sort((a, b) => a.number - b.number)
  }

  /** Also one that was deleted. */
  issue(number: number): Issue | undefined {
    return this.#issues.get(number)
  }

  comment(id: number): Comment | undefined {
    return this.#comments.get(id)
  }

  /** Of one issue, in the order of their ids. */
  comments(number: number): Comment[] {
    return [...this.#comments.values()].filter(({ issue }) => issue === number)
  }

  open({ number, title, body, user, labels = [], assignees = [], files, createdAt }: Draft): Issue {
    const free = number ?? Math.max(0, ...this.#issues.keys()) + 1
    if (this.#issues.has(free)) throw new Error(`GitHub: number ${free} is taken.`)
    const at = createdAt === undefined ? this.#now() : wholeSeconds(createdAt)
    const issue: Issue = {
      id: this.#nextId(),
      number: free,
      user,
      isPullRequest: files !== undefined,
      createdAt: at,
      title,
      // GitHub makes no difference between an empty body and none.
      body: body || null,
      state: 'open',
      stateReason: null,
      labels,
      assignees,
      files: files ?? [],
      locked: false,
      deleted: false,
      updatedAt: at,
      closedAt: null,
      closedBy: null,
    }
    this.#issues.set(free, issue)
    return issue
  }

  edit(issue: Issue, { title, body, labels, assignees }: Changes): void {
    if (title !== undefined) issue.title = title
    if (body !== undefined) issue.body = body || null
    if (labels !== undefined) issue.labels = labels
    if (assignees !== undefined) issue.assignees = assignees
    issue.updatedAt = this.#now()
  }

  close(issue: Issue, by: User, reason: StateReason = 'completed'): void {
    const at = this.#now()
    Object.assign(issue, { state: 'closed', stateReason: reason, closedAt: at, closedBy: by, updatedAt: at })
  }

  reopen(issue: Issue): void {
    const at = this.#now()
    Object.assign(issue, { state: 'open', stateReason: 'reopened', closedAt: null, closedBy: null, updatedAt: at })
  }

  addComment(issue: Issue, body: string, user: User): Comment {
    const at = this.#now()
    const comment = { id: this.#nextId(), issue: issue.number, user, createdAt: at, body, updatedAt: at }
    this.#comments.set(comment.id, comment)
    issue.updatedAt = at
    return comment
  }

  editComment(comment: Comment, body: string): void {
    comment.body = body
    comment.updatedAt = this.#now()
  }

  deleteComment(comment: Comment): void {
    this.#comments.delete(comment.id)
  }

  #now(): number {
    return wholeSeconds(this.#clock())
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }
}

/** GitHub knows no parts of a second. */
function wholeSeconds(at: number): number {
  return Math.floor(at / 1000) * 1000
}

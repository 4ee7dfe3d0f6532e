import { describe, expect, test } from 'vitest'
import { GitHubError } from '../../src/github/trouble.ts'
import {
  type Fault,
  type GitHubOptions,
  LOST_ANSWER,
  LOST_REQUEST,
  primaryRateLimit,
  GitHub as StandIn,
  secondaryRateLimit,
  serverError,
} from '../github-api/index.ts'
import { placeOf } from './place.ts'

async function failureOf(work: Promise<unknown>): Promise<GitHubError> {
  const error = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof GitHubError)) throw error
  return error
}

describe('the client of GitHub', () => {
  test('knows whose token it has, and the default branch', async () => {
    const standIn = new StandIn({ defaultBranch: 'trunk' })
    await using place = await placeOf(standIn)
    const github = await place.connect()
    expect(await github.login()).toBe('github-actions[bot]')
    expect(await github.defaultBranch()).toBe('trunk')
    expect(standIn.problems).toEqual([])
  })

  test.each(['cursors', 'pages'] as const)(
    'reads all open issues, without pull requests, over pages by %s',
    async (issuePaging) => {
      const standIn = new StandIn({ issuePaging })
      for (let count = 0; count < 205; count += 1) standIn.openIssue({ title: `Issue ${count}` })
      const pull = standIn.openPullRequest({ title: 'A change' })
      standIn.closeIssue(7)
      await using place = await placeOf(standIn)
      const github = await place.connect()
      const numbers = (await github.openIssues()).map(({ number }) => number)
      expect(numbers).toEqual(
        Array.from({ length: 205 }, (_, at) => at + 1).filter((number) => number !== 7 && number !== pull),
      )
      expect(standIn.requests.filter(({ operation }) => operation === 'list-issues')).toHaveLength(3)
      expect(standIn.problems).toEqual([])
    },
  )

  test('creates and changes an issue', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    const github = await place.connect()
    await github.createIssue('A title', 'A text')
    await github.updateIssue(1, { body: 'Another', state: 'closed', state_reason: 'completed' })
    expect(await github.issue(1)).toEqual({ number: 1, body: 'Another', login: 'github-actions[bot]', isOpen: false })
    expect(await github.openIssues()).toEqual([])
  })

  test('reads, writes and deletes comments; what is gone already is as good as deleted', async () => {
    const standIn = new StandIn()
    const number = standIn.openPullRequest({
      files: [{ filename: 'a' }, { filename: 'b', status: 'renamed', previousFilename: 'c' }],
    })
    for (let count = 0; count < 101; count += 1) standIn.comment(number, { body: `${count}` })
    await using place = await placeOf(standIn)
    const github = await place.connect()
    await github.createComment(number, 'ours')
    const comments = await github.comments(number)
    expect(comments).toHaveLength(102)
    const last = comments.at(-1)
    expect(last).toMatchObject({ body: 'ours', login: 'github-actions[bot]' })
    await github.updateComment(last?.id ?? 0, 'changed')
    expect(standIn.comments(number).at(-1)?.body).toBe('changed')
    await github.deleteComment(last?.id ?? 0)
    await github.deleteComment(last?.id ?? 0)
    expect(standIn.comments(number)).toHaveLength(101)
    expect(await github.changedFiles(number)).toEqual([
      { path: 'a', isGone: false },
      { path: 'b', isGone: false },
      { path: 'c', isGone: true },
    ])
  })
})

describe('what goes wrong with GitHub', () => {
  test.each<[string, GitHubOptions, Fault | null, RegExp]>([
    ['401', { token: 'ghs_another-token' }, null, /^GitHub refused the github-token/],
    ['403', { permissions: { issues: 'read' } }, null, /give the job "permissions: issues: write"/],
    ['404', { private: true, permissions: { metadata: 'none' } }, null, /finds nothing there/],
    ['410', { issuesEnabled: false }, null, /^issues are switched off in this repository$/],
    ['500', {}, serverError(500), /^GitHub is not available \(HTTP 500\)$/],
    ['502', {}, serverError(502), /^GitHub is not available \(HTTP 502\)$/],
    ['a broken connection', {}, LOST_REQUEST, /^GitHub could not be reached at http:\/\/127.0.0.1:\d+ \(.+\)$/],
    ['a secondary limit', {}, secondaryRateLimit({ retryAfter: 120 }), /asks for 2 more minutes$/],
    [
      'a limit whose end makes no sense',
      {},
      { kind: 'respond', status: 403, headers: { 'x-ratelimit-remaining': '0' }, body: '{"message":"no"}' },
      /give the job "permissions: issues: write"/,
    ],
    ['a secondary limit that names no time', {}, secondaryRateLimit(), /asks for one more minute$/],
    [
      'the limit of the hour',
      {},
      primaryRateLimit({ resetAt: Date.now() + 3_000_000 }),
      /asks for (49|50|51) more minutes$/,
    ],
  ])('is told in words: %s', async (_what, options, fault, text) => {
    const standIn = new StandIn(options)
    await using place = await placeOf(standIn)
    if (fault !== null) standIn.failNext('create-issue', fault)
    const github = await place.connect(options.token === undefined ? undefined : 'ghs_wrong')
    const error = await failureOf(github.createIssue('A title', 'A text'))
    expect(error.message).toMatch(text)
    expect(standIn.issues()).toEqual([])
    // Created once or not at all: no such request is sent again by itself.
    expect(standIn.requests.filter(({ operation }) => operation === 'create-issue')).toHaveLength(1)
  })

  test('is told with what GitHub says where it does not accept something', async () => {
    await using place = await placeOf(new StandIn())
    const github = await place.connect()
    const error = await failureOf(github.createIssue('x'.repeat(300), 'A text'))
    expect(error.message).toMatch(/^GitHub did not accept it \(HTTP 422: Validation Failed/)
    expect(error.uncertain).toBe(false)
  })

  test('leaves it open whether something was created only where nobody can know', async () => {
    for (const [fault, uncertain] of [
      [LOST_ANSWER, true],
      [serverError(502, 'after'), true],
      [secondaryRateLimit({ retryAfter: 600 }), false],
    ] as const) {
      const standIn = new StandIn()
      await using place = await placeOf(standIn)
      standIn.failNext('create-issue', fault)
      const error = await failureOf((await place.connect()).createIssue('A title', 'A text'))
      expect(error.uncertain).toBe(uncertain)
    }
  })

  test('is waited out once where GitHub asks for a short wait', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    standIn.failNext('create-issue', secondaryRateLimit({ retryAfter: 20 }))
    const github = await place.connect()
    await github.createIssue('A title', 'A text')
    expect(place.slept).toEqual([20_000])
    standIn.failNext('create-issue', secondaryRateLimit({ retryAfter: 20 }), 2)
    expect((await failureOf(github.createIssue('A title', 'A text'))).message).toMatch(/limits how often/)
    expect(standIn.issues()).toHaveLength(1)
  })

  test('is tried again, up to twice, where it is read or may be done twice', async () => {
    const standIn = new StandIn()
    standIn.openIssue({ login: 'github-actions[bot]' })
    await using place = await placeOf(standIn)
    const github = await place.connect()
    standIn.failNext('list-issues', LOST_REQUEST, 2)
    standIn.failNext('update-issue', serverError(503), 2)
    expect(await github.openIssues()).toHaveLength(1)
    await github.updateIssue(1, { body: 'new' })
    expect(place.slept).toEqual([1000, 3000, 1000, 3000])
    standIn.failNext('get-issue', serverError(503), 3)
    expect((await failureOf(github.issue(1))).message).toBe('GitHub is not available (HTTP 503)')
  })

  test('ends at once where the step is stopped', async () => {
    const standIn = new StandIn()
    await using place = await placeOf(standIn)
    const github = await place.connect(undefined, AbortSignal.abort())
    await failureOf(github.openIssues())
    expect(place.slept).toEqual([])
    expect(standIn.requests).toEqual([])
  })

  test('begins with a token that is not there', async () => {
    await using place = await placeOf(new StandIn())
    expect((await failureOf(place.connect(''))).message).toBe('the input github-token is empty')
  })
})

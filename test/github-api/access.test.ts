import { describe, expect, it } from 'vitest'
import { START, served } from './ask.ts'
import { primaryRateLimit, secondaryRateLimit } from './index.ts'

describe('the token', () => {
  it('is asked for, and has to be the right one', async () => {
    await using it = await served()
    const asked = async (authorization: string) => it.ask('/issues', { headers: { authorization } })
    expect(await asked('token wrong')).toMatchObject({
      status: 401,
      body: { message: 'Bad credentials', status: '401' },
    })
    expect(await asked('')).toMatchObject({ status: 401, body: { message: 'Requires authentication' } })
    expect((await asked(`token ${it.github.settings.token}`)).status).toBe(200)
  })

  it.each([
    { grants: { issues: 'read' }, method: 'POST', path: '/issues', status: 403, accepted: 'issues=write' },
    { grants: { issues: 'write' }, method: 'POST', path: '/issues', status: 201, accepted: 'issues=write' },
    { grants: { contents: 'write' }, method: 'GET', path: '/issues', status: 403, accepted: 'issues=read' },
    { grants: { issues: 'write' }, method: 'GET', path: '/pulls/2/files', status: 403, accepted: 'pull_requests=read' },
    { grants: {}, method: 'GET', path: '', status: 200, accepted: 'metadata=read' },
  ] as const)('with $grants gets $status for $method $path', async ({ grants, method, path, status, accepted }) => {
    await using it = await served({ private: true, permissions: grants })
    it.github.openIssue({ number: 1 })
    it.github.openPullRequest({ number: 2 })
    const reply = await it.ask(path, { method, ...(method === 'POST' && { body: { title: 'x' } }) })
    expect(reply.status).toBe(status)
    expect(reply.headers.get('x-accepted-github-permissions')).toBe(accepted)
    if (status === 403) expect(reply.body).toMatchObject({ message: 'Resource not accessible by integration' })
  })

  it.each([
    { grants: { issues: 'write' }, mode: 'pull-requests', issue: 201, pull: 403 },
    { grants: { issues: 'write' }, mode: 'either', issue: 201, pull: 201 },
    { grants: { pullRequests: 'write' }, mode: 'pull-requests', issue: 403, pull: 201 },
    { grants: { pullRequests: 'write' }, mode: 'either', issue: 403, pull: 201 },
  ] as const)('with $grants may comment on issues or pull requests ($mode)', async ({ grants, mode, issue, pull }) => {
    await using it = await served({ permissions: grants, pullRequestComments: mode })
    it.github.openIssue({ number: 1 })
    it.github.openPullRequest({ number: 2 })
    const comment = (n: number) => it.ask(`/issues/${n}/comments`, { method: 'POST', body: { body: 'x' } })
    expect([(await comment(1)).status, (await comment(2)).status]).toEqual([issue, pull])
    const accepted = (await comment(2)).headers.get('x-accepted-github-permissions')
    expect(accepted).toBe('issues=write; pull_requests=write')
  })

  it('of somebody else sees no private repository, and of a public one all but what is to be written', async () => {
    await using hidden = await served({ private: true, permissions: { metadata: 'none' } })
    expect((await hidden.ask('')).status).toBe(404)
    await using open = await served({ permissions: { metadata: 'none', issues: 'write' } })
    expect((await open.ask('/issues')).status).toBe(200)
    expect((await open.ask('/issues', { method: 'POST', body: { title: 'x' } })).status).toBe(403)
  })
})

describe('limits', () => {
  it('are counted down on every answer and end in a refusal until the hour is over', async () => {
    let now = START
    await using it = await served({ rateLimit: 2, now: () => now })
    const reset = String((START + 3_600_000) / 1000)
    const { headers } = await it.ask('')
    const names = ['limit', 'remaining', 'used', 'reset', 'resource']
    expect(names.map((name) => headers.get(`x-ratelimit-${name}`))).toEqual(['2', '1', '1', reset, 'core'])
    await it.ask('')
    const refusal = await it.ask('')
    expect(refusal).toMatchObject({ status: 403, body: { message: expect.stringMatching(/^API rate limit exceeded/) } })
    expect(refusal.headers.get('x-ratelimit-remaining')).toBe('0')
    now += 3_600_000
    expect((await it.ask('')).status).toBe(200)
  })

  it('can strike at will, with or without a time to wait', async () => {
    await using it = await served()
    it.github.failNext('get-repo', primaryRateLimit({ status: 429, resetAt: START + 60_000 }))
    it.github.failNext('get-repo', secondaryRateLimit({ retryAfter: 30 }))
    it.github.failNext('get-repo', secondaryRateLimit())
    const primary = await it.ask('')
    expect([primary.status, primary.headers.get('x-ratelimit-remaining')]).toEqual([429, '0'])
    expect(primary.headers.get('x-ratelimit-reset')).toBe(String((START + 60_000) / 1000))
    const secondary = await it.ask('')
    expect(secondary.body).toMatchObject({
      message: expect.stringMatching(/^You have exceeded a secondary rate limit/),
    })
    expect([secondary.status, secondary.headers.get('retry-after')]).toEqual([403, '30'])
    expect((await it.ask('')).headers.get('retry-after')).toBeNull()
    expect((await it.ask('')).status).toBe(200)
  })
})

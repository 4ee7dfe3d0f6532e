import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { START, served } from './ask.ts'
import { LOST_ANSWER, LOST_REQUEST, STALLED, serverError } from './index.ts'

describe('faults', () => {
  const comment = { method: 'POST', body: { body: 'x' } }

  it.each([
    ['before it took effect', LOST_REQUEST, 0],
    ['after it took effect', LOST_ANSWER, 1],
  ])('drop the connection of a request %s', async (_, fault, made) => {
    await using it = await served()
    it.github.openIssue()
    it.github.failNext('create-comment', fault)
    await expect(it.ask('/issues/1/comments', comment)).rejects.toThrow('fetch failed')
    expect(it.github.comments(1)).toHaveLength(made)
    expect(it.github.requests).toMatchObject([{ operation: 'create-comment', id: 1, status: 0, fault: 'reset' }])
    expect((await it.ask('/issues/1/comments', comment)).status).toBe(201)
  })

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('answer with a page %s the request took effect', async (when, made) => {
    await using it = await served()
    it.github.openIssue()
    it.github.failNext('create-comment', serverError(502, when))
    const { status, headers, body } = await it.ask('/issues/1/comments', comment)
    expect([status, headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8'])
    expect(body).toContain('Unicorn!')
    expect(it.github.comments(1)).toHaveLength(made)
  })

  it('let an answer never come', async () => {
    await using it = await served()
    it.github.failNext('create-issue', STALLED)
    const asked = it.ask('/issues', { method: 'POST', body: { title: 'x' }, signal: AbortSignal.timeout(100) })
    await expect(asked).rejects.toThrow('timeout')
    expect(it.github.issues()).toHaveLength(1)
  })

  it('may be something that somebody else does in between', async () => {
    await using it = await served()
    it.github.faults.push((_, { operation, nth }) => {
      if (operation === 'create-issue' && nth === 1)
        it.github.openIssue({ login: 'github-actions[bot]', title: 'First' })
      return undefined
    })
    const { body } = await it.ask('/issues', { method: 'POST', body: { title: 'Second' } })
    expect(body).toMatchObject({ number: 2 })
    expect(it.github.issues().map(({ title }) => title)).toEqual(['First', 'Second'])
  })
})

describe('what no correct client sends is loud', () => {
  it.each([
    ['an unknown route', 'GET', '/labels', 404, 'GET /repos/octo-org/shop/labels: unknown route'],
    ['a slash at the end', 'GET', '/issues/', 404, 'malformed id ""'],
    ['a wrong method', 'PUT', '/issues/1', 404, 'wrong method, not GET or PATCH'],
    ['an unknown parameter', 'GET', '/issues?author=me', 200, 'unknown parameter "author"'],
    ['an unknown choice', 'GET', '/issues?state=any', 422, 'state=any is none of open, closed, all'],
    ['a page that is none', 'GET', '/issues?page=0', 200, 'page=0 is no page'],
    ['a cursor made up', 'GET', '/issues?after=abc', 422, 'a cursor that was never handed out'],
  ])('%s', async (_, method, path, status, problem) => {
    await using it = await served()
    expect((await it.ask(path, { method })).status).toBe(status)
    expect(it.github.problems).toEqual([expect.stringContaining(problem)])
  })

  it('an unknown field in the body', async () => {
    await using it = await served()
    expect((await it.ask('/issues', { method: 'POST', body: { title: 'x', text: 'y' } })).status).toBe(201)
    expect(it.github.problems).toEqual([expect.stringContaining('unknown field "text" in the body')])
  })

  it.each([
    [{ accept: 'text/html' }, 415],
    [{ 'x-github-api-version': '2020-01-01' }, 400],
  ])('%j', async (headers, status) => {
    await using it = await served()
    expect((await it.ask('', { headers })).status).toBe(status)
    expect(it.github.problems).toHaveLength(1)
  })

  it('no user agent', async () => {
    await using it = await served()
    // `fetch` always sends one.
    const sent = request(`${it.url}/repos/octo-org/shop`, { headers: { connection: 'close' } })
    const answer = await new Promise<string>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => text(response).then((body) => resolve(`${response.statusCode}${body}`), reject))
      sent.end()
    })
    expect(answer).toMatch(/^403\s+Request forbidden by administrative rules/)
    expect(it.github.problems).toEqual([expect.stringContaining('no user agent')])
  })

  it('and everything is written down', async () => {
    await using it = await served()
    await it.ask('/issues?state=all')
    await it.ask('/issues', { method: 'POST', body: { title: 'x' } })
    expect(it.github.requests).toMatchObject([
      { method: 'GET', path: '/repos/octo-org/shop/issues?state=all', operation: 'list-issues', status: 200, body: '' },
      { method: 'POST', operation: 'create-issue', status: 201, body: '{"title":"x"}', fault: undefined, at: START },
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { column, START, served } from './ask.ts'

describe('issues', () => {
  it('are created by whom the token speaks for, and shown with what was sent', async () => {
    await using it = await served()
    const { status, headers, body } = await it.ask('/issues', {
      method: 'POST',
      body: { title: 'Broken', body: 'Look', labels: ['data'] },
    })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`${it.url}/repos/octo-org/shop/issues/1`)
    expect(body).toMatchObject({
      number: 1,
      title: 'Broken',
      body: 'Look',
      state: 'open',
      state_reason: null,
      user: { login: 'github-actions[bot]', type: 'Bot' },
      labels: [{ name: 'data' }],
      comments: 0,
      created_at: '2026-03-11T12:00:15Z',
      closed_at: null,
      html_url: 'https://github.com/octo-org/shop/issues/1',
    })
    expect(it.github.issues()).toMatchObject([{ number: 1, title: 'Broken', user: { login: 'github-actions[bot]' } }])
    expect(it.github.problems).toEqual([])
  })

  it('are listed newest first, the open ones, with pull requests among them', async () => {
    await using it = await served()
    it.github.openIssue()
    it.github.openPullRequest()
    it.github.closeIssue(it.github.openIssue(), { reason: 'not_planned' })
    const open = await it.ask('/issues')
    expect(column(open, 'number')).toEqual([2, 1])
    expect(column(open, 'pull_request')).toMatchObject([
      { html_url: 'https://github.com/octo-org/shop/pull/2' },
      undefined,
    ])
    expect(column(await it.ask('/issues?state=closed'), 'state_reason')).toEqual(['not_planned'])
    expect(column(await it.ask('/issues?state=all&direction=asc'), 'number')).toEqual([1, 2, 3])
    expect(it.github.issues().map(({ number }) => number)).toEqual([1, 3])
  })

  it('can be looked for by creator, labels and the time of the last change', async () => {
    await using it = await served()
    it.github.openIssue({ login: 'github-actions[bot]', labels: ['a', 'b'], createdAt: START - 60_000 })
    it.github.openIssue({ login: 'octocat', labels: ['a'], createdAt: START })
    const found = async (query: string) => column(await it.ask(`/issues?${query}`), 'number')
    expect(await found('creator=github-actions%5Bbot%5D')).toEqual([1])
    expect(await found('creator=nobody')).toEqual([])
    expect(await found('labels=a,B')).toEqual([1])
    expect(await found('since=2026-03-11T12:00:15Z')).toEqual([2])
    it.github.comment(1, { body: 'Again' })
    expect(await found('since=2026-03-11T12:00:15Z&sort=comments')).toEqual([1, 2])
    expect(it.github.problems).toEqual([])
    await found('creator=app/github-actions')
    expect(it.github.problems).toHaveLength(1)
  })

  it('change their text, close with a reason and open again', async () => {
    await using it = await served()
    const patch = async (body: unknown) => (await it.ask('/issues/1', { method: 'PATCH', body })).body
    it.github.openIssue({ title: 'Old', body: 'Old' })
    expect(await patch({ title: 'New', body: null })).toMatchObject({ title: 'New', body: null, state: 'open' })
    const closed = { state: 'closed', state_reason: 'completed', closed_by: { login: 'github-actions[bot]' } }
    expect(await patch({ state: 'closed' })).toMatchObject(closed)
    expect(await patch({ state: 'closed', state_reason: 'not_planned' })).toMatchObject(closed)
    expect(await patch({ state: 'open' })).toMatchObject({ state_reason: 'reopened', closed_at: null, closed_by: null })
  })

  it('that were deleted are gone, and others are unknown', async () => {
    await using it = await served()
    it.github.openIssue()
    it.github.deleteIssue(1)
    expect(await it.ask('/issues/1')).toMatchObject({ status: 410, body: { message: 'This issue was deleted' } })
    expect(await it.ask('/issues/2')).toMatchObject({ status: 404, body: { message: 'Not Found', status: '404' } })
    expect(column(await it.ask('/issues?state=all'), 'number')).toEqual([])
  })

  it('are gone where the repository has none, but pull requests are still talked about', async () => {
    await using it = await served({ issuesEnabled: false })
    it.github.openPullRequest({ number: 7 })
    const refusal = { status: 410, body: { message: 'Issues are disabled for this repo', status: '410' } }
    expect(await it.ask('/issues', { method: 'POST', body: { title: 'x' } })).toMatchObject(refusal)
    expect(column(await it.ask('/issues'), 'number')).toEqual([7])
    expect((await it.ask('/issues/7/comments', { method: 'POST', body: { body: 'x' } })).status).toBe(201)
  })

  it.each([
    [{}, 'Invalid request.\n\n"title" wasn\'t supplied.', undefined],
    [{ title: 'x', body: 1 }, "Invalid request.\n\nFor 'properties/body', 1 is not a string.", undefined],
    [{ title: ' ' }, 'Validation Failed', [{ resource: 'Issue', code: 'missing_field', field: 'title' }]],
    [
      { title: '😀'.repeat(257) },
      'Validation Failed',
      [{ field: 'title', message: 'title is too long (maximum is 256 characters)' }],
    ],
    [
      { title: '😀'.repeat(256), body: 'x'.repeat(65_537) },
      'Validation Failed',
      [{ field: 'body', message: 'body is too long (maximum is 65536 characters)' }],
    ],
  ])('are refused where the text does not fit', async (body, message, errors) => {
    await using it = await served()
    const reply = await it.ask('/issues', { method: 'POST', body })
    expect(reply).toMatchObject({ status: 422, body: { message, ...(errors && { errors }) } })
    expect(it.github.issues()).toEqual([])
  })

  it.each([
    ['', 422, "Invalid request.\n\nFor 'links/0/schema', nil is not an object."],
    ['{"title":', 400, 'Problems parsing JSON'],
    ['[]', 400, 'Body should be a JSON object'],
  ])('are refused where the body is %j', async (body, status, message) => {
    await using it = await served()
    expect(await it.ask('/issues', { method: 'POST', body })).toMatchObject({ status, body: { message } })
  })
})

describe('comments', () => {
  it('are listed oldest first, created, changed also by others, and deleted', async () => {
    await using it = await served()
    it.github.openPullRequest({ number: 7 })
    const theirs = it.github.comment(7, { body: 'First', login: 'octocat' })
    const ours = await it.ask('/issues/7/comments', { method: 'POST', body: { body: 'Second' } })
    expect(ours).toMatchObject({ status: 201, body: { body: 'Second', user: { login: 'github-actions[bot]' } } })
    expect(column(await it.ask('/issues/7/comments'), 'body')).toEqual(['First', 'Second'])
    const edit = await it.ask(`/issues/comments/${theirs}`, { method: 'PATCH', body: { body: 'Changed' } })
    expect(edit).toMatchObject({ status: 200, body: { body: 'Changed', user: { login: 'octocat' } } })
    expect((await it.ask(`/issues/comments/${theirs}`, { method: 'DELETE' })).status).toBe(204)
    expect((await it.ask(`/issues/comments/${theirs}`)).status).toBe(404)
    expect(it.github.comments(7)).toMatchObject([{ body: 'Second', user: { type: 'Bot' } }])
    expect(it.github.problems).toEqual([])
  })

  it('that are too long are refused in different words, new and old', async () => {
    await using it = await served()
    const id = it.github.comment(it.github.openIssue(), { body: 'x' })
    const body = { body: 'x'.repeat(65_537) }
    const made = await it.ask('/issues/1/comments', { method: 'POST', body })
    expect(made.status).toBe(422)
    expect(made.body).toMatchObject({ errors: [{ message: 'Body is too long (maximum is 65536 characters)' }] })
    const edited = await it.ask(`/issues/comments/${id}`, { method: 'PATCH', body })
    expect(edited.body).toMatchObject({ errors: [{ message: 'body is too long (maximum is 65536 characters)' }] })
  })

  it('cannot be added by an app to a locked conversation', async () => {
    await using it = await served()
    it.github.lock(it.github.openIssue())
    const message = 'Unable to create comment because issue is locked.'
    const reply = await it.ask('/issues/1/comments', { method: 'POST', body: { body: 'x' } })
    expect(reply).toMatchObject({ status: 403, body: { message } })
  })
})

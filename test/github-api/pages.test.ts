import { describe, expect, it } from 'vitest'
import { column, followed, linksOf, served } from './ask.ts'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('pages', () => {
  it('of comments are counted, and their links lead by the id of the repository', async () => {
    await using it = await served()
    it.github.openIssue()
    for (const n of numbers(1, 65)) it.github.comment(1, { body: String(n) })
    const list = `${it.url}/repositories/512640011/issues/1/comments`
    const first = await it.ask('/issues/1/comments')
    expect(first.headers.get('link')).toBe(`<${list}?page=2>; rel="next", <${list}?page=3>; rel="last"`)
    const second = await it.ask(linksOf(first).next ?? '')
    expect(Object.keys(linksOf(second))).toEqual(['prev', 'next', 'last', 'first'])
    const last = await it.ask(linksOf(second).next ?? '')
    expect(last.headers.get('link')).toBe(`<${list}?page=2>; rel="prev", <${list}?page=1>; rel="first"`)
    expect(column(last, 'body')).toEqual(['61', '62', '63', '64', '65'])
    expect((await it.ask('/issues/1/comments?per_page=65')).headers.get('link')).toBeNull()
  })

  it('of issues have cursors, so that what is created meanwhile neither repeats nor hides one', async () => {
    await using it = await served()
    for (const _ of numbers(1, 5)) it.github.openIssue()
    const first = await it.ask('/issues?per_page=2')
    expect(first.headers.get('link')).toMatch(
      /^<.+\/repositories\/512640011\/issues\?per_page=2&after=\S+%3D&page=2>; rel="next"$/,
    )
    it.github.openIssue()
    it.github.closeIssue(5)
    const second = await it.ask(linksOf(first).next ?? '')
    expect(column(second, 'number')).toEqual([3, 2])
    expect(Object.keys(linksOf(second))).toEqual(['next', 'prev'])
    expect(column(await it.ask(linksOf(second).prev ?? ''), 'number')).toEqual([6, 4])
    expect(await followed(it.ask, '/issues?per_page=2', 'number')).toEqual([[6, 4], [3, 2], [1]])
    expect(it.github.problems).toEqual([])
  })

  it('of issues cannot be counted for long', async () => {
    await using it = await served()
    expect((await it.ask('/issues?per_page=100&page=10')).status).toBe(200)
    const reply = await it.ask('/issues?per_page=100&page=11')
    expect(reply).toMatchObject({ status: 422, body: { message: expect.stringMatching(/^Pagination with the page/) } })
  })

  it('of issues are counted on an older server, whose prefix the links keep', async () => {
    await using it = await served({ prefix: '/api/v3', issuePaging: 'pages' })
    for (const _ of numbers(1, 5)) it.github.openIssue()
    const first = await it.ask('/issues?per_page=2')
    expect(linksOf(first)).toEqual({
      next: `${it.url}/repositories/512640011/issues?per_page=2&page=2`,
      last: `${it.url}/repositories/512640011/issues?per_page=2&page=3`,
    })
    expect(await followed(it.ask, '/issues?per_page=2', 'number')).toEqual([[5, 4], [3, 2], [1]])
    expect(first.headers.get('x-ratelimit-remaining')).toBeNull()
  })

  it('of files have at most a hundred, and a pull request at most three thousand', async () => {
    await using it = await served()
    const files = numbers(1, 3100).map((n) => ({ filename: `models/${n}.sql` }))
    it.github.openPullRequest({ number: 7, files })
    const pages = await followed(it.ask, '/pulls/7/files?per_page=250', 'filename')
    expect(pages.map((page) => page.length)).toEqual(Array.from({ length: 30 }, () => 100))
    expect(pages.at(-1)?.at(-1)).toBe('models/3000.sql')
  })
})

describe('the rest of the repository', () => {
  it('shows itself, and the files of a pull request with where they came from', async () => {
    await using it = await served({ private: true })
    it.github.openPullRequest({
      number: 7,
      files: [
        { filename: 'b.sql', status: 'renamed', previousFilename: 'a.sql' },
        { filename: 'c.sql', status: 'removed' },
      ],
    })
    const repository = {
      full_name: 'octo-org/shop',
      private: true,
      default_branch: 'main',
      owner: { login: 'octo-org' },
    }
    expect((await it.ask('')).body).toMatchObject(repository)
    const { body } = await it.ask('/pulls/7/files')
    expect(body).toMatchObject([
      { filename: 'b.sql', status: 'renamed', previous_filename: 'a.sql' },
      { filename: 'c.sql', status: 'removed' },
    ])
    expect((await it.ask('/pulls/8/files')).status).toBe(404)
    expect(it.github.problems).toEqual([])
  })

  it.each([
    ['', '/graphql'],
    ['/api/v3', '/api/graphql'],
  ])('says whom the token speaks for, mounted at "%s"', async (prefix, path) => {
    await using it = await served({ prefix })
    const address = `${new URL(it.url).origin}${path}`
    const query = (text: string) => it.ask(address, { method: 'POST', body: { query: text } })
    const login = 'github-actions[bot]'
    expect((await query('query {\n  viewer { login }\n}')).body).toEqual({ data: { viewer: { login } } })
    expect(it.github.problems).toEqual([])
    expect((await query('{ viewer { id } }')).status).toBe(501)
    expect(it.github.problems).toHaveLength(1)
  })
})

/** Pagination, the same in V1 and V2. Documented: 25 a page by default, at most 100, page 0 means 1, newest first. */
import type { ParsedRequest } from './exchange.ts'
import { header } from './exchange.ts'

const DEFAULT_PER_PAGE = 25
const MAX_PER_PAGE = 100

/** What is wrong with the paging parameters, if anything. */
export function pageProblem(query: URLSearchParams): string | undefined {
  for (const name of ['page', 'per_page']) {
    const value = query.get(name)
    if (value !== null && !/^\d{1,9}$/.test(value)) return `query parameter ${name} is no number: "${value}"`
  }
  if (query.get('per_page') === '0') return 'query parameter per_page is 0'
  const order = query.get('order')
  if (order !== null && order !== 'asc' && order !== 'desc')
    return `query parameter order is neither asc nor desc: "${order}"`
  return undefined
}

/** One page of `oldestFirst`, in the envelope of all lists. */
export function pageOf(oldestFirst: readonly unknown[], request: ParsedRequest): Record<string, unknown> {
  const { query, path } = request
  const perPage = Math.min(MAX_PER_PAGE, Number(query.get('per_page') ?? DEFAULT_PER_PAGE))
  const page = Math.max(1, Number(query.get('page') ?? 1))
  const ordered = query.get('order') === 'asc' ? oldestFirst : oldestFirst.toReversed()
  const lastPage = Math.max(1, Math.ceil(ordered.length / perPage))
  const nextPage = page < lastPage ? page + 1 : null
  return {
    status: 'success',
    data: ordered.slice((page - 1) * perPage, page * perPage),
    next: nextPage === null ? null : nextUrl(request, path, nextPage, perPage),
    pagination: {
      total_records: ordered.length,
      per_page: perPage,
      prev_page: page > 1 ? page - 1 : null,
      page,
      next_page: nextPage,
      last_page: lastPage,
    },
  }
}

/** Recorded: the legacy `next` is an absolute URL. It names the host that was asked, so it never leads elsewhere. */
function nextUrl({ headers, query }: ParsedRequest, path: string, page: number, perPage: number): string {
  const next = new URLSearchParams(query)
  next.set('page', String(page))
  next.set('per_page', String(perPage))
  return `http://${header(headers, 'host') || 'census.invalid'}${path}?${next}`
}

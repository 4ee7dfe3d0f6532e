/** The two ways in which GitHub cuts a list into pages, and the `Link` header of each. */
import type { HeaderFields } from '../simulator/exchange.ts'

/** The address of the same list with other parameters; `undefined` takes one away. */
export type Address = (changes: Readonly<Record<string, string | undefined>>) => string

export interface Paging {
  readonly page: number
  readonly perPage: number
  readonly after: string | undefined
  readonly before: string | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly headers: HeaderFields
}

/** What an item is sorted by; the number decides among equals. */
export interface Key {
  readonly value: number
  readonly number: number
}

const DEFAULT_SIZE = 30
const LARGEST = 100

export function readPaging(query: URLSearchParams, problem: (text: string) => void): Paging {
  const positive = (name: string, otherwise: number): number => {
    const text = query.get(name)
    if (text === null) return otherwise
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
    problem(`${name}=${text} is no page`)
    return otherwise
  }
  return {
    page: positive('page', 1),
    // More than GitHub gives is not refused, but quietly made less.
    perPage: Math.min(positive('per_page', DEFAULT_SIZE), LARGEST),
    after: query.get('after') ?? undefined,
    before: query.get('before') ?? undefined,
  }
}

export function numberedPage<T>(all: readonly T[], { page, perPage }: Paging, address: Address): Page<T> {
  const last = Math.ceil(all.length / perPage)
  const to = (number: number): string => address({ page: String(number) })
  const rels: Record<string, string> = {}
  if (page > 1 && last > 0) rels.prev = to(Math.min(page - 1, last))
  if (page < last) rels.next = to(page + 1)
  if (page < last) rels.last = to(last)
  if (page > 1 && last > 0) rels.first = to(1)
  return { items: all.slice((page - 1) * perPage, page * perPage), headers: linkHeader(rels) }
}

/** `all` is in the order of `compare`. What is created or closed meanwhile neither repeats nor hides an item. */
export function cursorPage<T>(
  all: readonly T[],
  paging: Paging,
  { address, keyOf, compare }: { address: Address; keyOf: (item: T) => Key; compare: (a: Key, b: Key) => number },
): Page<T> | undefined {
  const { page, perPage, after, before } = paging
  const cursor = after ?? before
  const mark = cursor === undefined ? undefined : decoded(cursor)
  if (cursor !== undefined && mark === undefined) return undefined
  const passed = (limit: number): number =>
    all.filter((item) => mark !== undefined && compare(keyOf(item), mark) < limit).length
  let start = (page - 1) * perPage
  let end = start + perPage
  if (after !== undefined) {
    start = passed(1)
    end = start + perPage
  } else if (before !== undefined) {
    end = passed(0)
    start = Math.max(0, end - perPage)
  }
  const items = all.slice(start, end)
  const [first] = items
  const last = items.at(-1)
  const rels: Record<string, string> = {}
  if (last !== undefined && end < all.length) {
    rels.next = address({ before: undefined, after: encoded(keyOf(last)), page: String(page + 1) })
  }
  if (first !== undefined && start > 0) {
    const previous = String(Math.max(1, page - 1))
    rels.prev = address({ after: undefined, page: previous, before: encoded(keyOf(first)) })
  }
  return { items, headers: linkHeader(rels) }
}

/** Nobody should look into it. It ends with `=`, so that a client that decodes and joins is found out. */
function encoded({ value, number }: Key): string {
  const text = `cursor:v2:${value}:${number}`
  return Buffer.from(text.padEnd(Math.ceil(text.length / 3) * 3 + 1)).toString('base64')
}

function decoded(cursor: string): Key | undefined {
  const found = /^cursor:v2:(\d+):(\d+) *$/.exec(Buffer.from(cursor, 'base64').toString())
  return found === null ? undefined : { value: Number(found[1]), number: Number(found[2]) }
}

function linkHeader(rels: Readonly<Record<string, string>>): HeaderFields {
  const links = Object.entries(rels).map(([rel, url]) => `<${url}>; rel="${rel}"`)
  return links.length === 0 ? {} : { link: links.join(', ') }
}

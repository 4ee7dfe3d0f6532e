import * as v from 'valibot'
import type { Hint } from '../core/hint.ts'
import { parseJson } from '../core/json.ts'
import { ProviderError, type Trouble } from '../core/provider.ts'
import type { Reply } from '../http.ts'

/** What answers of JSON APIs over HTTP have in common. */
export const WireMessage = v.object({
  status: v.optional(v.unknown()),
  message: v.fallback(v.nullable(v.string()), null),
})

/** An ISO time as milliseconds since the epoch; null where it is none. */
export function time(iso: string | null): number | null {
  const ms = iso === null ? Number.NaN : Date.parse(iso)
  return Number.isNaN(ms) ? null : ms
}

/** A body as JSON; undefined where it is none. */
export function parse(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}

/** What is shown of an answer is shorter; what is quoted in it is looked for before it is cut. Characters. */
const LONGEST_TEXT = 4000

/** What an answer that is not what was asked for means, in words. */
export function explain(reply: Reply, what: string, trouble = troubleOf(reply.status)): ProviderError {
  const { status } = reply
  const body = v.safeParse(WireMessage, parse(reply.text))
  const isPage = /^\s*</.test(reply.text)
  const detail = body.success ? body.output.message : isPage ? null : reply.text.trim().slice(0, LONGEST_TEXT)
  const page = isPage ? ', with a web page instead of an answer of the API: a proxy or firewall may be in between' : ''
  const meaning = {
    refused: status === 401 ? 'the token was refused' : `the token may not use ${what}`,
    missing: `there is no ${what} that this token can see`,
    retired: 'this version of the API has ended',
    unreachable: 'the provider cannot be reached',
    rejected:
      status >= 300 && status < 400
        ? 'a redirect, which is not followed because it would take the token along'
        : status === 429
          ? 'the provider asks for fewer requests'
          : 'the request was not accepted',
    unavailable: status >= 200 && status < 400 ? 'an answer that makes no sense' : 'the provider is not available',
  }[trouble]
  return new ProviderError(trouble, `${meaning} (HTTP ${status})${page}`, {
    detail: detail === '' ? null : detail,
    heldMs: reply.heldMs ?? 0,
    ...hintOf(status, isPage),
  })
}

/** What it is about, where that is something else than this trouble mostly is. */
function hintOf(status: number, isPage: boolean): { hint?: Hint } {
  // An outage comes with a page as well, of whoever stands before the provider.
  if (isPage && status < 500) return { hint: 'web-page' }
  if (status === 403) return { hint: 'not-allowed' }
  if (status === 429) return { hint: 'throttled' }
  return status >= 300 && status < 400 && status !== 304 ? { hint: 'redirect' } : {}
}

/** What a status code means that is not a success, whoever sends it. */
function troubleOf(status: number): Trouble {
  if (status === 401 || status === 403) return 'refused'
  if (status === 404) return 'missing'
  if (status === 410) return 'retired'
  // 304 answers a question that was never asked, so it makes as little sense as an empty 200.
  if (status === 408 || status === 425 || status === 304 || status >= 500 || status < 300) return 'unavailable'
  return 'rejected'
}

/** How a trigger asks for a full sync. */
import { header, isRecord, type ParsedRequest, parseJson } from './exchange.ts'

export interface FullSyncRequest {
  readonly value: boolean
  /** Documented: the query. First-party code sends a body, which the vendor's framework should take too: inferred. */
  readonly from: 'query' | 'body' | undefined
  readonly problem: string | undefined
}

export function fullSyncRequest({ query, headers, body }: ParsedRequest): FullSyncRequest {
  const inQuery = query.get('force_full_sync')
  const inBody = body === '' ? undefined : fullSyncInBody(body, header(headers, 'content-type'))
  const wrong = (problem: string): FullSyncRequest => ({ value: false, from: undefined, problem })
  if (inQuery !== null && inQuery !== 'true' && inQuery !== 'false')
    return wrong(`force_full_sync is no boolean: "${inQuery}"`)
  if (body !== '' && inBody === undefined) return wrong('unexpected body')
  if (inQuery !== null && inBody !== undefined) return wrong('force_full_sync both in the query and in the body')
  if (inBody !== undefined) return { value: inBody, from: 'body', problem: undefined }
  return { value: inQuery === 'true', from: inQuery === null ? undefined : 'query', problem: undefined }
}

function fullSyncInBody(body: string, contentType: string): boolean | undefined {
  if (!/^application\/json\b/i.test(contentType)) return undefined
  const parsed = parseJson(body)
  if (!isRecord(parsed) || Object.keys(parsed).join() !== 'force_full_sync') return undefined
  return typeof parsed.force_full_sync === 'boolean' ? parsed.force_full_sync : undefined
}

/** Which hosts, versions and tokens are let in. */
import type { Version } from './census-routes.ts'
import { header, jsonResponse, type ParsedRequest, type SimulatedResponse } from './exchange.ts'

export type Credential = 'workspace-key' | 'personal-access-token'

export interface AccessOptions {
  /** Observed: the prefix `secret-token:` belongs to the key. */
  readonly workspaceKey: string
  /** The form of a personal access token is unknown. */
  readonly personalAccessToken: string
  /** A token that may look but not touch: 403 on every POST, in both versions. */
  readonly readOnlyToken: string
  /**
   * Documented: workspace keys for V1, personal access tokens for V2. Whether the vendor is that strict on either
   * side is unknown, so configurable.
   */
  readonly accepts: Readonly<Record<Version, readonly Credential[]>>
  /** V1 "will be retired on January 15, 2027" (documented). What it answers afterwards is unknown; 410 is a guess. */
  readonly v1Retired: boolean
  /** Sources disagree whether V2 exists on the EU host, so configurable. */
  readonly v2Available: boolean
  /** V2 requires `group_id` on some requests; which ones is unknown, so configurable as all or none. */
  readonly v2RequiresGroupId: boolean
  readonly groupId: string
}

export const DEFAULT_ACCESS: AccessOptions = {
  workspaceKey: 'secret-token:SimulatedWorkspaceKey1',
  personalAccessToken: 'SimulatedPersonalAccessToken1',
  readOnlyToken: 'SimulatedReadOnlyToken1',
  accepts: { v1: ['workspace-key'], v2: ['personal-access-token'] },
  v1Retired: false,
  v2Available: true,
  v2RequiresGroupId: false,
  groupId: 'patient_lighthouse',
}

/** The refusal of a whole version, before any route or token is looked at. */
export function refuseVersion(version: Version | undefined, options: AccessOptions): SimulatedResponse | undefined {
  if (version === 'v1' && options.v1Retired) {
    return jsonResponse(410, { status: 'error', message: 'API version 1 has been retired. Please use version 2.' })
  }
  if (version === 'v2' && !options.v2Available) return jsonResponse(404, { status: 404 })
  return undefined
}

/** The refusal of a request for its token or its group. */
export function refuseAccess(
  request: ParsedRequest,
  version: Version,
  options: AccessOptions,
): SimulatedResponse | undefined {
  const token = /^Bearer (\S+)$/.exec(header(request.headers, 'authorization'))?.[1]
  const readOnly = token === options.readOnlyToken
  if (token === undefined || !(readOnly || acceptedTokens(version, options).includes(token))) return unauthorized()
  if (readOnly && request.method === 'POST') {
    return jsonResponse(403, { status: 'error', message: 'You do not have permission to perform this action.' })
  }
  const group = request.query.get('group_id')
  if (version === 'v2' && options.v2RequiresGroupId && (group === null || group === '')) {
    return jsonResponse(400, { status: 'error', message: 'group_id is required.' })
  }
  if (group !== null && group !== options.groupId) return jsonResponse(404, { status: 404 })
  return undefined
}

function acceptedTokens(version: Version, options: AccessOptions): string[] {
  const tokens = { 'workspace-key': options.workspaceKey, 'personal-access-token': options.personalAccessToken }
  return options.accepts[version].map((credential) => tokens[credential])
}

/** Inferred: the stock refusal of the vendor's web framework, which is no JSON. */
function unauthorized(): SimulatedResponse {
  return {
    status: 401,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'www-authenticate': 'Token realm="Application"' },
    body: 'HTTP Token: Access denied.\n',
  }
}

import { BlockList, isIP } from 'node:net'
import { type CheckedUrl, quote } from './core/input-values.ts'

/**
 * Decides which address may be given the token. https everywhere; plain http, with a warning, only where it stays in the house:
 * loopback, private addresses and single-label host names. Link-local addresses, where clouds keep their metadata services, and
 * user info are refused.
 */
export function checkBaseUrl(text: string): CheckedUrl {
  if (!URL.canParse(text))
    return { problem: `${quote(text)} is not an address. Allowed: an address such as https://app.getcensus.com.` }
  const url = new URL(text)
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '')
  // Before anything is quoted: what stands before an @ is a credential.
  if (url.username !== '' || url.password !== '')
    return { problem: 'holds a user name or password. Give the token as api-token.' }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return { problem: `${quote(text)} is not allowed. Allowed: https.` }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return {
      problem: `${quote(text)} is not allowed. Allowed: the address of the host alone, without a path: ${quote(url.origin)}.`,
    }
  }
  if (is(host, METADATA) || METADATA_NAMES.has(host))
    return { problem: `${quote(text)} is not allowed: it is a link-local or metadata address.` }
  if (url.protocol === 'https:') return { url: url.origin }
  const inTheHouse =
    is(host, PRIVATE) ||
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    (isIP(host) === 0 && !host.includes('.'))
  if (!inTheHouse)
    return { problem: `${quote(text)} is not allowed: plain http would show the token on the way. Allowed: https.` }
  return {
    url: url.origin,
    warning: `base-url: ${quote(text)} is plain http: whoever is on the way can read the token.`,
  }
}

const METADATA_NAMES: ReadonlySet<string> = new Set(['metadata.google.internal', 'metadata', 'instance-data'])
const METADATA = subnets(
  ['169.254.0.0', 16],
  ['0.0.0.0', 8],
  ['100.100.100.200', 32],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['::', 128],
)
const PRIVATE = subnets(
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
)

function subnets(...nets: [string, number][]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4')
  return list
}

function is(host: string, list: BlockList): boolean {
  const family = isIP(host)
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4')
}

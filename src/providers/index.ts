import type { ProviderFacts } from '../core/input-values.ts'
import type { Inputs } from '../core/inputs.ts'
import type { Provider } from '../core/provider.ts'
import type { Host } from '../host.ts'
import { CENSUS, Census } from './census.ts'

export const PROVIDERS: readonly ProviderFacts[] = [CENSUS]

/** The facts of a provider, at this address: an account in another region has syncs of its own, with the same ids. */
export function factsOf({ provider, baseUrl }: Pick<Inputs, 'provider' | 'baseUrl'>): ProviderFacts {
  const facts = PROVIDERS.find(({ name }) => name === provider)
  if (facts === undefined) throw new Error(`no provider is called ${provider}`)
  const { hosts } = facts.pages
  const own = hosts.filter((host) => `https://${host}` === baseUrl)
  return { ...facts, pages: { ...facts.pages, hosts: own.length > 0 ? own : hosts } }
}

/** How a request to this provider shows who is asking. */
export function authorization({ token }: Inputs): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

export function createProvider(inputs: Inputs, host: Host): Provider {
  const { provider, baseUrl, token, apiVersion, groupId } = inputs
  switch (provider) {
    case CENSUS.name:
      return new Census({ host, baseUrl, token, apiVersion, groupId })
    default:
      throw new Error(`no provider is called ${provider}`)
  }
}

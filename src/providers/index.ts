import type { ProviderFacts } from '../core/input-values.ts'
import type { Inputs } from '../core/inputs.ts'
import type { Provider } from '../core/provider.ts'
import type { Host } from '../host.ts'
import { CENSUS, Census } from './census.ts'

export const PROVIDERS: readonly ProviderFacts[] = [CENSUS]

export function factsOf({ provider }: Pick<Inputs, 'provider'>): ProviderFacts {
  const facts = PROVIDERS.find(({ name }) => name === provider)
  if (facts === undefined) throw new Error(`no provider is called ${provider}`)
  return facts
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

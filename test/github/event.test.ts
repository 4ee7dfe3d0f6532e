import { context } from '@actions/github'
import { afterEach, describe, expect, test } from 'vitest'
import { explainEmptyToken } from '../../src/github/event.ts'

// The toolkit reads the event once, when it is loaded.
const { actor, payload, eventName } = context
afterEach(() => {
  Object.assign(context, { actor, payload, eventName })
})

describe('an empty token', () => {
  const pullRequestFrom = (repo: object | null) => ({
    repository: { full_name: 'acme/shop' },
    pull_request: { head: { repo } },
  })
  const fork = pullRequestFrom({ full_name: 'jane/shop', fork: true })
  test.each<[string, object, string, RegExp]>([
    ['of a pull request from a fork', fork, 'jane', /^This is a pull request from a fork, which gets no secrets/],
    ['of a run that Dependabot started', {}, 'dependabot[bot]', /^This workflow was started by Dependabot/],
    ['of Dependabot, whatever the pull request', fork, 'dependabot[bot]', /^This workflow was started by Dependabot/],
    [
      'of a pull request of the repository',
      pullRequestFrom({ full_name: 'acme/shop', fork: false }),
      'jane',
      /^It is empty/,
    ],
    [
      'of a pull request of a repository that is itself a fork',
      pullRequestFrom({ full_name: 'acme/shop', fork: true }),
      'jane',
      /^It is empty/,
    ],
    ['of a pull request whose fork was deleted', pullRequestFrom(null), 'jane', /^This is a pull request from a fork/],
    ['of a push', { ref: 'refs/heads/main' }, 'jane', /^It is empty: does the secret exist/],
  ])('%s is explained', async (_what, event, startedBy, text) => {
    Object.assign(context, { actor: startedBy, payload: event })
    expect(await explainEmptyToken()).toMatch(text)
  })

  test('of a fork that has the secrets of its target is an ordinary one', async () => {
    Object.assign(context, { actor: 'jane', payload: fork, eventName: 'pull_request_target' })
    expect(await explainEmptyToken()).toMatch(/^It is empty/)
  })
})

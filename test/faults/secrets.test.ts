// The token is a canary: whatever happens, none of its forms may be in anything that a step shows or leaves behind.
import { describe, expect, test } from 'vitest'
import { annotations, play, type Scene } from '../bundle/stage.ts'
import { runStage, type Step } from '../runner/runner.ts'
import { completesAfter, failsAfter, Simulator, serve, worksForever } from '../simulator/index.ts'
import { freePort } from './support.ts'

/** Of characters that every encoding writes in a way of its own. */
const BARE = `C4n4ry+/=&"<'>%\\7731?~`
const TOKEN = `secret-token:${BARE}`

/** The forms in which a token turns up where somebody did not mean to show it. */
function formsOf(secret: string): string[] {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
  return [
    secret,
    base64(secret),
    base64(secret).replaceAll('=', ''),
    Buffer.from(secret).toString('base64url'),
    base64(base64(secret)),
    base64(`:${secret}`),
    base64(`${secret}:`),
    base64(`bearer:${secret}`),
    base64(`Bearer ${secret}`),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
    encodeURIComponent(secret),
    encodeURI(secret),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    html,
    html.replaceAll("'", '&#39;'),
    secret.toUpperCase(),
    secret.toLowerCase(),
    [...secret].reverse().join(''),
    [...secret].join(' '),
    secret.replaceAll('%', '%25'),
  ]
}
const FORMS = [...new Set([TOKEN, BARE].flatMap(formsOf))]

/** All that a step shows or leaves behind, but for the commands that hide something. */
function shown(step: Step): string {
  const log = step.log.replaceAll(/^::add-mask::.*$/gm, '')
  return [log, step.summary, ...Object.values(step.outputs), ...Object.values(step.state)].join('\n')
}

function expectNoCanary(step: Step): void {
  const text = shown(step)
  expect(FORMS.filter((form) => text.includes(form))).toEqual([])
}

const DEBUG = { ACTIONS_STEP_DEBUG: 'true', ACTIONS_RUNNER_DEBUG: 'true', RUNNER_DEBUG: '1' }
const provider = () => new Simulator({ syncs: [{ id: 8290, timeline: completesAfter(200) }], workspaceKey: TOKEN })

const SCENES: [string, Omit<Scene, 'simulator'>][] = [
  ['secret-good: a step that goes well', {}],
  ['secret-failed: a run that fails', { prepare: (sim) => sim.script(8290, failsAfter(100)) }],
  [
    'secret-lost: a trigger whose answer is lost',
    { prepare: (sim) => sim.failNext('trigger', { kind: 'reset', when: 'after' }) },
  ],
  [
    'secret-refused: a token that is refused',
    {
      prepare: (sim) => sim.failNext(/^GET /, { kind: 'respond', status: 401, body: 'HTTP Token: Access denied.' }, 99),
    },
  ],
  [
    'secret-redirect: a redirect with everything in it',
    {
      prepare: (sim) =>
        sim.failNext('trigger', {
          kind: 'respond',
          status: 307,
          headers: { location: `/?token=${encodeURIComponent(TOKEN)}` },
        }),
    },
  ],
  [
    'secret-no-http: an answer that is no HTTP',
    { prepare: (sim) => sim.failNext('read-run', { kind: 'raw', when: 'before', text: 'nonsense\r\n' }, 2) },
  ],
  ['secret-input: other inputs that are wrong', { with: { retries: 'many', 'sync-ids': '../admin' } }],
  ['secret-typo: an input whose name is nearly right', { with: { 'api-tokn': TOKEN } }],
  [
    'secret-in-url: a token in the address',
    { with: { 'base-url': `https://bearer:${encodeURIComponent(TOKEN)}@census.test` } },
  ],
  ['secret-quoted: a token in quotes, after the word Bearer', { with: { 'api-token': ` "Bearer ${TOKEN}" ` } }],
]

describe.concurrent.each([
  ['', {}],
  [', with debugging on', DEBUG],
] as const)('the token%s', (_name, env) => {
  test.each(SCENES)('is nowhere to be seen: %s', async (_what, scene) => {
    const { step } = await play({ ...scene, simulator: provider(), options: { env } })
    expectNoCanary(step)
    expect(step.log).toContain(`::add-mask::${TOKEN.replaceAll('%', '%25')}`)
  })

  test.each([
    ['secret-broken: with a line break in it', `${TOKEN}\nx-header: 1`],
    ['secret-blank: with a blank in it', `${TOKEN} ${TOKEN}`],
    ['secret-control: with a control character in it', `${TOKEN}\u0007`],
  ])('that is refused before any request is not shown: %s', async (_what, token) => {
    const simulator = provider()
    const { step } = await play({ simulator, with: { 'api-token': token }, options: { env } })
    expect(step.exitCode).toBe(1)
    expect(simulator.requests).toEqual([])
    expectNoCanary(step)
  })

  test('secret-proxy: is not shown by a proxy that cannot be reached, and whose own password is the token', async () => {
    const address = `http://robot:${encodeURIComponent(TOKEN)}@127.0.0.1:${await freePort()}`
    const { step } = await play({
      simulator: provider(),
      with: { 'base-url': 'http://provider', 'outage-tolerance-minutes': '0' },
      options: { env: { ...env, http_proxy: address, HTTPS_PROXY: address } },
    })
    expect(step.exitCode).toBe(1)
    expectNoCanary(step)
  })

  test('secret-post: is not shown by the clean-up, whatever it meets', async () => {
    const simulator = new Simulator({ syncs: [{ id: 8290, timeline: worksForever() }], workspaceKey: TOKEN })
    const runId = String(simulator.startRun(8290, { reason: 'api' }))
    simulator.failNext('cancel-run', { kind: 'respond', status: 500, body: 'no' })
    await using server = await serve(simulator)
    const post = await runStage('post', {
      with: { 'api-token': TOKEN, 'base-url': server.url, 'sync-ids': '8290' },
      state: {
        'run-8290': JSON.stringify({
          syncId: '8290',
          runId,
          open: true,
          unwanted: true,
          baseline: null,
          since: 0,
          full: false,
          mayFail: false,
        }),
      },
      jobStatus: 'cancelled',
      env,
    })
    expect(post.log).toContain('could not be looked after')
    expectNoCanary(post)
  })
})

describe.concurrent('a secret that comes back', () => {
  /** Nothing in it that is cut out of a message anyway. */
  const plainBare = 'C4n4ryAbcdEFGHijkl7731xyz'
  const plainToken = `secret-token:${plainBare}`
  const plainForms = [...new Set([plainToken, plainBare].flatMap(formsOf))]
  const seenIn = (step: Step) => plainForms.filter((form) => shown(step).includes(form))
  const told = async (text: string, inputs: Record<string, string> = {}): Promise<Step> => {
    const body = JSON.stringify({ status: 'error', message: `Authorization: Bearer ${text} is not allowed here` })
    const played = await play({
      simulator: new Simulator({ syncs: [{ id: 8290 }], workspaceKey: plainToken }),
      with: inputs,
      prepare: (sim) => sim.failNext('trigger', { kind: 'respond', status: 403, body }),
    })
    return played.step
  }

  test('secret-echo: a token that the provider repeats is taken out of what is shown', async () => {
    expect(seenIn(await told(plainToken))).toEqual([])
  })

  test('secret-echo-bare: so it is without its prefix', async () => {
    expect(seenIn(await told(plainBare))).toEqual([])
  })

  test('secret-echo-details: so it is where details are asked for', async () => {
    expect(seenIn(await told(plainToken, { 'show-details': 'true' }))).toEqual([])
  })

  test('secret-echo-input: a token that was pasted into another input is not quoted', async () => {
    expect(seenIn(await told('', { 'sync-ids': plainToken, region: plainToken }))).toEqual([])
    expect(seenIn(await told('', { 'dbt-artifacts': plainToken }))).toEqual([])
    expect(seenIn(await told('', { config: plainToken }))).toEqual([])
  })

  test('secret-echo-escaped: so it is in whatever way JSON writes it', async () => {
    for (const token of [plainToken, `${TOKEN}/and/more`]) {
      const code = [...token].map((letter) => `\\u00${letter.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
      for (const form of [code, JSON.stringify(token).slice(1, -1).replaceAll('/', '\\/')]) {
        const { step } = await play({
          simulator: new Simulator({ syncs: [{ id: 8290 }], workspaceKey: token }),
          with: { 'show-details': 'true' },
          prepare: (sim) =>
            sim.failNext('trigger', {
              kind: 'respond',
              status: 422,
              body: `{"status":"error","message":"bad token: ${form} given"}`,
            }),
        })
        expect(shown(step)).toContain('bad token')
        expect(formsOf(token).filter((one) => shown(step).includes(one))).toEqual([])
      }
    }
    expect(seenIn(await told(Buffer.from(`bearer:${plainToken}`).toString('base64')))).toEqual([])
  })

  test('secret-echo-piece: a long input that the token is a part of shows no piece of it', async () => {
    const long = `secret-token:${'C4n4ryAbcdEFGHijkl7731xyz'.repeat(5)}`
    for (const inputs of [
      { 'sync-ids': long },
      { 'base-url': `https://app.getcensus.com/api/v1/syncs/8290/trigger?token=${long}` },
      { 'github-run-id': `${'7'.repeat(60)}${long}` },
      { config: `${'x'.repeat(60)}/${long}` },
    ]) {
      const { step } = await play({
        simulator: new Simulator({ syncs: [{ id: 8290 }], workspaceKey: long }),
        with: inputs,
      })
      expect(step.exitCode).toBe(1)
      expect(shown(step)).not.toContain('C4n4ry')
    }
  })

  test('secret-echo-page: of a page that repeats it nothing is shown', async () => {
    const page = `<html><pre>Authorization: Bearer ${TOKEN}</pre></html>`
    const { step } = await play({
      simulator: provider(),
      prepare: (sim) => sim.failNext('trigger', { kind: 'respond', status: 403, body: page }),
    })
    expect(annotations(step, 'error')).toHaveLength(1)
    expectNoCanary(step)
  })
})

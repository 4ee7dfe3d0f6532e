import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GateMode } from '../../src/core/ruling.ts'
import { type Evidence, weigh } from '../../src/dbt/evidence.ts'
import { readArtifacts } from '../../src/dbt/reader.ts'
import { Rulings } from '../../src/dbt/rulings.ts'
import { CENSUS } from '../../src/providers/census.ts'
import { ROOT } from '../runner/runner.ts'
import { sync } from '../support/builders.ts'

/** The files that real dbt wrote, see test/fixtures/dbt/README.md. They are dated by the time of the build, so "now" is a minute later. */
const FIXTURES = join(ROOT, 'test/fixtures/dbt')
const MINUTE = 60_000

async function weighState(
  major: string,
  state: string,
  options: { jobFailed?: boolean; places?: string[] } = {},
): Promise<Evidence> {
  const root = join(FIXTURES, major, state)
  const { found, problems } = await readArtifacts(options.places ?? placesOf(root), root)
  const built = Math.max(...found.map(({ results }) => results?.generatedAt ?? 0))
  const freshness = {
    now: built + MINUTE,
    maxAgeMs: 60 * MINUTE,
    githubRunId: null,
    jobFailed: options.jobFailed ?? false,
  }
  // They are committed here, and that is no matter of theirs.
  const evidence = weigh(
    found.map((place) => ({ ...place, committed: new Set<string>() })),
    freshness,
  )
  return { ...evidence, problems: [...problems, ...evidence.problems] }
}

function placesOf(root: string): string[] {
  if (existsSync(join(root, 'manifest.json'))) return ['.']
  return readdirSync(root).sort()
}

const TABLES = new Map([
  ['8290', 'customers_for_reengagement'],
  ['8291', 'customers'],
  ['8292', 'orders'],
])

async function gates(
  major: string,
  state: string,
  mode: GateMode = 'upstream',
  options = {},
): Promise<Record<string, string>> {
  const evidence = await weighState(major, state, options)
  if (evidence.problems.length > 0) throw new Error(evidence.problems.join('\n'))
  const rulings = new Rulings(evidence, CENSUS)
  const ids = ['8290', '8291', '8292', ...rulings.declared()]
  return Object.fromEntries(
    [...new Set(ids)].map((id) => {
      const name = TABLES.get(id)
      const source = name === undefined ? null : { database: 'shop', schema: 'marts', table: name }
      return [id, rulings.rule(sync({ id, source }), { models: null, gate: mode }).gate]
    }),
  )
}

const states = (major: string) => readdirSync(join(FIXTURES, major)).map((state) => [major, state] as const)

test.each([...states('1'), ...states('2')])(
  'dbt %s: %s is read without a complaint about its form',
  async (major, state) => {
    const root = join(FIXTURES, major, state)
    expect((await readArtifacts(placesOf(root), root)).problems).toEqual([])
  },
)

const ALL_OPEN = { 8290: 'open', 8291: 'open', 8292: 'open' }
const ALL_CLOSED = { 8290: 'closed', 8291: 'closed', 8292: 'closed' }

/** What each state means for the syncs of the shop. */
describe.each(['1', '2'])('dbt %s: the gate after', (major) => {
  test.each<[string, Record<string, string>]>([
    ['all-good', ALL_OPEN],
    ['with-run-id', ALL_OPEN],
    ['test-warn', ALL_OPEN],
    ['test-fail', { 8290: 'closed', 8291: 'closed', 8292: 'open' }],
    ['model-error', { 8290: 'open', 8291: 'open', 8292: 'closed' }],
    ['partial', { 8290: 'open', 8291: 'not-built', 8292: 'not-built' }],
    ['nothing-selected', { 8290: 'not-built', 8291: 'not-built', 8292: 'not-built' }],
    ['run-and-test', ALL_OPEN],
    ['run-and-test-fail', { 8290: 'closed', 8291: 'closed', 8292: 'open' }],
    ['retry', ALL_OPEN],
    ['ephemeral', ALL_OPEN],
    ['ephemeral-error', ALL_CLOSED],
    ['versions', { ...ALL_OPEN, 8294: 'open', 8295: 'open' }],
    ['disabled', ALL_OPEN],
    ['metric', { ...ALL_OPEN, 8299: 'open' }],
    ['source-pass', { ...ALL_OPEN, 8293: 'open' }],
    ['source-error', { ...ALL_OPEN, 8293: 'closed' }],
    ['source-missing', { ...ALL_OPEN, 8293: 'closed' }],
    ['two-projects', { ...ALL_OPEN, 8300: 'open' }],
    // The production tables are not what was built.
    ['ci-target', { 8290: 'elsewhere', 8291: 'elsewhere', 8292: 'elsewhere' }],
  ])('%s', async (state, expected) => {
    expect(await gates(major, state)).toEqual(expected)
  })

  test('test-warn, under strict', async () => {
    // Seeds have no tests here, but nobody reads them.
    expect(await gates(major, 'test-warn', 'strict')).toEqual({ 8290: 'closed', 8291: 'closed', 8292: 'open' })
  })

  test('docs-after-build: refused', async () => {
    const { problems } = await weighState(major, 'docs-after-build')
    expect(problems).toEqual([
      expect.stringMatching(major === '1' ? /was written by dbt docs generate/ : /was written by dbt compile/),
    ])
  })

  test('run-and-test without the run, or without the tests', async () => {
    expect((await weighState(major, 'run-and-test', { places: ['test'] })).problems).toEqual([
      expect.stringContaining('holds tests only'),
    ])
    expect(await gates(major, 'run-and-test-fail', 'upstream', { places: ['run'] })).toEqual(ALL_OPEN)
  })

  test('retry, with the first build or the retry alone', async () => {
    expect(await gates(major, 'retry', 'upstream', { places: ['first'] })).toEqual({ ...ALL_OPEN, 8292: 'closed' })
    // dbt 2 does not write down that it was a retry, and so not that what it does not list was built before.
    const others = major === '1' ? 'open' : 'not-built'
    expect(await gates(major, 'retry', 'upstream', { places: ['retry'] })).toEqual({
      8290: others,
      8291: others,
      8292: 'open',
    })
  })

  test('on-run-end-fail', async () => {
    // dbt 2 calls every node an error then.
    expect(await gates(major, 'on-run-end-fail')).toEqual(major === '1' ? ALL_OPEN : ALL_CLOSED)
    if (major === '1') expect(await gates(major, 'on-run-end-fail', 'strict')).toEqual(ALL_CLOSED)
  })

  test('on-run-start-fail', async () => {
    // dbt 1 crashes, and leaves the good results of the build before.
    if (major === '1') {
      const { problems } = await weighState(major, 'on-run-start-fail', { jobFailed: true })
      expect(problems).toEqual([expect.stringContaining('is newer than the results beside it')])
    } else expect(await gates(major, 'on-run-start-fail')).toEqual(ALL_CLOSED)
  })

  test('fail-fast', async () => {
    expect(await gates(major, 'fail-fast')).toMatchObject({ 8290: 'closed', 8291: 'closed' })
  })
})

describe('dbt 1 alone', () => {
  test('on-error-continue: the child of a failed model was built, and is closed all the same', async () => {
    expect(await gates('1', 'on-error-continue')).toMatchObject({ 8290: 'open', 8292: 'closed', 8296: 'closed' })
    expect(await gates('1', 'on-error-continue', 'direct')).toMatchObject({ 8296: 'open' })
  })

  test('microbatch: a model built in part closes the gate', async () => {
    expect(await gates('1', 'microbatch')).toMatchObject({ 8298: 'closed' })
  })

  test('empty: refused, for its tables have no rows', async () => {
    expect((await weighState('1', 'empty')).problems).toEqual([
      expect.stringContaining('comes from a dbt with --empty'),
    ])
  })
})

describe('dbt 2 alone', () => {
  test('yaml-error: no rows in a job that has failed are no evidence', async () => {
    expect((await weighState('2', 'yaml-error', { jobFailed: true })).problems).toEqual([
      expect.stringContaining('dbt has ended before its first model'),
    ])
  })

  test('ref-error: the broken model closes its own gate, and the rest was not built', async () => {
    expect(await gates('2', 'ref-error')).toEqual({ 8290: 'not-built', 8291: 'not-built', 8292: 'closed' })
  })
})

test('a test names its model, how many rows it found, and how far upstream they are', async () => {
  for (const major of ['1', '2']) {
    const rulings = new Rulings(await weighState(major, 'test-fail'), CENSUS)
    const rule = (id: string) => rulings.rule(sync({ id }), { models: null, gate: 'upstream' })
    expect(rule('8291').reason).toMatch(/^test unique_customers_customer_id failed \(1 row\) on model shop\.customers/)
    expect(rule('8290').reason).toBe(
      'test unique_customers_customer_id failed (1 row) on model shop.customers, one step upstream',
    )
  }
})

test('the workflow run that made a file is in it', async () => {
  for (const major of ['1', '2']) {
    const root = join(FIXTURES, major, 'with-run-id')
    const { found } = await readArtifacts(['.'], root)
    expect([found[0]?.results?.githubRunId, found[0]?.manifest?.githubRunId]).toEqual(['4711', '4711'])
  }
})

import { describe, expect, test } from 'vitest'
import type { Result } from '../../src/core/result.ts'
import { type PlanFacts, planComment } from '../../src/report/plan-comment.ts'
import { result, sync } from '../support/builders.ts'

function planned(id: string, models: string[] | null, overrides: Partial<Result> = {}): Result {
  return result({
    sync: sync({ id, name: `Sync ${id}`, destination: `CRM · ${id}` }),
    outcome: 'planned',
    reason: 'would trigger',
    ruling: { gate: 'open', reason: '', models, source: '', notes: [] },
    run: null,
    runId: null,
    ...overrides,
  })
}

/** The comment on a change of these models; each model feeds only itself. */
function comment(results: Result[], models: string[] | null, more: Partial<PlanFacts> = {}): string {
  return planComment({
    report: { conclusion: 'success', results, problems: [] },
    touched:
      models === null
        ? 'no manifest'
        : { models, removed: [], feeding: (fed) => fed.filter((id) => models.includes(id)) },
    runUrl: 'https://github.example/run/1',
    commit: '0123456789abcdef',
    ...more,
  })
}

const opening = (text: string) => text.split('\n')[2]
const orders = 'model.shop.orders'
const customers = 'model.shop.customers'

describe('the opening of the comment', () => {
  test.each<[string, Result[], string[] | null, string]>([
    [
      'one of two',
      [planned('1', [orders]), planned('2', [customers])],
      [orders],
      'This change touches 1 model (orders), which feeds 1 of 2 syncs, to CRM · 1.',
    ],
    [
      'all',
      [planned('1', [orders]), planned('2', [customers])],
      [orders, customers],
      'This change touches 2 models (orders, customers), which feed all 2 syncs, to CRM · 1, CRM · 2.',
    ],
    [
      'none',
      [planned('1', [orders])],
      [customers],
      'This change touches 1 model (customers), which feeds no sync of this step.',
    ],
    ['no model', [planned('1', [orders])], [], 'This change touches the files of no model, seed or snapshot of dbt.'],
    [
      'what is not known',
      [planned('1', null)],
      null,
      'The plan for 1 sync, to CRM · 1. Which of them this change touches is known where `dbt-artifacts` has dbt’s manifest.',
    ],
  ])('tells of %s', (_what, results, models, text) => {
    expect(opening(comment(results, models))).toBe(text)
  })

  test('tells apart what it knows and what may be', () => {
    const results = [planned('1', [orders]), planned('2', null)]
    expect(opening(comment(results, [orders]))).toBe(
      'This change touches 1 model (orders), which feeds 1 of 2 syncs, to CRM · 1. It is not known which models feed 1 sync: it may be one of them.',
    )
    expect(opening(comment([planned('2', null)], [orders]))).toBe(
      'This change touches 1 model (orders). It is not known which models feed 1 sync: it may be one of them.',
    )
  })

  test('names a few of very many models and places', () => {
    const models = Array.from({ length: 12 }, (_, at) => `model.shop.m${at}`)
    const text =
      opening(
        comment(
          models.map((id, at) => planned(String(at), [id])),
          models,
        ),
      ) ?? ''
    expect(text).toContain('12 models (m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more)')
    expect(text).toContain('and 7 more.')
  })

  test('says where GitHub does not list all files', () => {
    expect(opening(comment([planned('1', [orders])], null, { touched: 'too many files' }))).toBe(
      'The plan for 1 sync, to CRM · 1. Which of them this change touches is not known: GitHub does not list all of its files.',
    )
  })

  test('names what is removed, and counts what that breaks though it touches it in no other way', () => {
    const broken = planned('2', [customers], { foreseen: 'failed' })
    const results = [planned('1', [orders]), broken]
    const touched = (models: string[]) => ({
      touched: {
        models,
        removed: ['old'],
        feeding: (fed: readonly string[]) => fed.filter((id) => models.includes(id)),
      },
    })
    expect(opening(comment(results, null, touched([])))).toBe(
      'This change removes 1 model (old): what it fed, dbt’s manifest does not know any more. **1 other sync would not ship.**',
    )
    expect(opening(comment(results, null, touched([orders])))).toBe(
      'This change touches 1 model (orders), which feeds 1 of 2 syncs, to CRM · 1. It removes 1 model (old): what it fed, dbt’s manifest does not know any more. **1 other sync would not ship.**',
    )
  })

  test('counts what would not ship', () => {
    const blocked = (id: string) => planned(id, [orders], { foreseen: 'blocked' })
    const text = (...results: Result[]) => opening(comment(results, [orders]))
    expect(text(blocked('1'), planned('2', [orders]))).toContain('**1 of them would not ship.**')
    expect(text(blocked('1'), blocked('2'))).toContain('**None of them would ship.**')
  })
})

describe('the rows of the comment', () => {
  test('have what would not ship first, and fold away what the change does not touch', () => {
    const paused = planned('3', [orders], { outcome: 'failed', reason: 'the sync is paused (on-paused: fail)' })
    const results = [
      planned('1', [orders]),
      planned('2', [customers]),
      paused,
      planned('4', [orders], { reason: 'would be skipped', foreseen: 'skipped' }),
    ]
    const [open = '', folded = ''] = comment(results, [orders]).split('<details>')
    expect([...open.matchAll(/^\| \[(\d).* \| (.*) \|$/gm)].map(([, id, what]) => `${id} ${what}`)).toEqual([
      '3 ❌ the sync is paused (on-paused: fail)',
      '1 would trigger',
      '4 ⏭️ would be skipped',
    ])
    expect(folded).toContain('1 sync that this change does not touch')
    expect(folded).toContain('[2 Sync 2]')
  })

  test('say where it is not known which models feed a sync', () => {
    expect(comment([planned('1', null)], [orders])).toContain('| not known which feed it | would trigger |')
  })

  test('stand below what keeps everything from running', () => {
    const report = { conclusion: 'failure', results: [], problems: ['Nothing was triggered: @team'] } as const
    expect(comment([], null, { report })).toContain('> Nothing was triggered: &#64;\u200bteam')
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GateMode } from '../../src/core/ruling.ts'
import { check, model, type Part, type Rows, rule, source, sourceResults } from '../support/dbt.ts'

const STATUSES = ['success', 'error', 'skipped', 'partial success', 'no-op', 'reused', 'warn', 'odd', null] as const
const TESTS = ['pass', 'fail', 'warn', 'error', 'skipped', 'success', 'odd', null] as const
const KINDS = ['table', 'view', 'ephemeral', 'incremental'] as const

interface Project {
  parts: Part[]
  rows: Rows
  freshness: Rows
  /** What the sync reads. */
  models: string[]
}

/** Any project of some models, each on some of those before it, each with up to two tests, after any build. */
const projects: fc.Arbitrary<Project> = fc
  .array(
    fc.record({
      on: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
      kind: fc.constantFrom(...KINDS),
      status: fc.constantFrom(...STATUSES),
      tests: fc.array(fc.constantFrom(...TESTS), { maxLength: 2 }),
      isRead: fc.boolean(),
      onSource: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .chain((models) => fc.record({ models: fc.constant(models), fresh: fc.constantFrom('pass', 'warn', 'error', null) }))
  .map(({ models, fresh }) => {
    const parts: Part[] = [source('events')]
    const rows: Record<string, string> = {}
    for (const [index, { on, kind, status, tests, onSource }] of models.entries()) {
      const parents = index === 0 ? [] : on.map((parent) => `model.shop.m${parent % index}`)
      parts.push(
        model(`m${index}`, [...parents, ...(onSource ? ['source.shop.raw.events'] : [])], { materialized: kind }),
      )
      if (status !== null) rows[`model.shop.m${index}`] = status
      for (const [at, result] of tests.entries()) {
        parts.push(check(`t${index}_${at}`, [`model.shop.m${index}`]))
        if (result !== null) rows[`test.shop.t${index}_${at}`] = result
      }
    }
    const read = models.flatMap(({ isRead }, index) => (isRead ? [`m${index}`] : []))
    return {
      parts,
      rows,
      freshness: fresh === null ? {} : { 'source.shop.raw.events': fresh },
      models: read.length > 0 ? read : ['m0'],
    }
  })

const decided = ({ parts, rows, freshness, models }: Project, mode: GateMode, whole = false) =>
  rule(parts, rows, { models: whole ? null : models, mode, sources: sourceResults(freshness) })
const MODES = ['direct', 'upstream', 'strict'] as const
const modes = fc.constantFrom(...MODES)

describe('whatever the project and the build', () => {
  test('a failure more never opens a gate', () => {
    fc.assert(
      fc.property(
        projects,
        modes,
        fc.boolean(),
        fc.nat(),
        fc.constantFrom('error', 'odd'),
        (project, mode, whole, pick, status) => {
          const nodes = project.parts.filter(({ id }) => !id.startsWith('source.')).map(({ id }) => id)
          const id = nodes[pick % nodes.length] ?? ''
          const before = decided(project, mode, whole).gate
          const after = decided({ ...project, rows: { ...project.rows, [id]: status } }, mode, whole).gate
          if (before !== 'open') expect(after).not.toBe('open')
          if (before === 'closed') expect(after).toBe('closed')
        },
      ),
      { numRuns: 1500 },
    )
  })

  test('what is blocked under direct is blocked under upstream, and what is blocked under upstream is blocked under strict', () => {
    fc.assert(
      fc.property(projects, fc.boolean(), (project, whole) => {
        const [direct, upstream, strict] = MODES.map((mode) => decided(project, mode, whole).gate)
        if (direct === 'closed') expect(upstream).toBe('closed')
        if (upstream === 'closed') expect(strict).toBe('closed')
      }),
      { numRuns: 1500 },
    )
  })

  test('the order of nodes and rows changes nothing', () => {
    fc.assert(
      fc.property(
        projects.chain((project) =>
          fc.record({
            project: fc.constant(project),
            parts: fc.shuffledSubarray(project.parts, { minLength: project.parts.length }),
            rows: fc.shuffledSubarray(Object.entries(project.rows), { minLength: Object.keys(project.rows).length }),
          }),
        ),
        modes,
        ({ project, parts, rows }, mode) => {
          const shuffled = { ...project, parts, rows: Object.fromEntries(rows) }
          expect(decided(shuffled, mode)).toEqual(decided(project, mode))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('other names change nothing but the names', () => {
    fc.assert(
      fc.property(projects, modes, fc.boolean(), (project, mode, whole) => {
        const renamed: Project = JSON.parse(
          JSON.stringify(project)
            .replaceAll(/\bm(\d)/g, 'zebra$1')
            .replaceAll(/\bt(\d)/g, 'ant$1'),
        )
        expect(decided(renamed, mode, whole).gate).toBe(decided(project, mode, whole).gate)
      }),
      { numRuns: 500 },
    )
  })

  test('a closed gate says why, and an open one has built something', () => {
    fc.assert(
      fc.property(projects, modes, fc.boolean(), (project, mode, whole) => {
        const ruling = decided(project, mode, whole)
        expect(ruling.reason).not.toBe('')
        if (ruling.gate === 'open' && !ruling.reason.includes(' not built by dbt'))
          expect(Object.values(project.rows)).toEqual(
            expect.arrayContaining([expect.stringMatching(/^(success|warn)$/)]),
          )
      }),
      { numRuns: 500 },
    )
  })
})

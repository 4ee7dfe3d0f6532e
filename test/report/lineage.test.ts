import fc from 'fast-check'
import { Lexer } from 'marked'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/judge.ts'
import type { Result } from '../../src/core/result.ts'
import { lineageOf } from '../../src/report/lineage.ts'
import { result, sync } from '../support/builders.ts'
import { lacedWith } from '../support/hostile.ts'

function fedBy(models: string[] | null, overrides: Partial<Result> = {}): Result {
  return result({ ruling: { gate: 'open', reason: '', models, source: '', notes: [] }, ...overrides })
}

const orders = fedBy(['model.shop.orders', 'model.shop.customers.v2'], {
  outcome: 'failed',
  sync: sync({ id: '8291', name: 'Orders', destination: 'Salesforce · Opportunity' }),
})
const customers = fedBy(['model.shop.customers.v2'])

describe('the lineage', () => {
  test('leads from models by way of syncs to destinations; what several syncs share is there once', () => {
    const accounts = fedBy(['model.shop.orders'], {
      outcome: 'warned',
      sync: sync({ id: '8292', name: 'Accounts', destination: 'Salesforce · Opportunity' }),
    })
    expect(lineageOf([customers, orders, accounts])).toMatchInlineSnapshot(`
      "### From models to destinations

      \`\`\`mermaid
      flowchart LR
        m0["customers.v2"]
        m1["orders"]
        s0["✅ 8290 Customers for re-engagement · succeeded"]:::good
        s1["❌ 8291 Orders · failed"]:::bad
        s2["⚠ 8292 Accounts · succeeded with warnings"]:::flawed
        d0(["Iterable · user"])
        d1(["Salesforce · Opportunity"])
        m0 --> s0
        s0 --> d0
        m1 --> s1
        m0 --> s1
        s1 --> d1
        m1 --> s2
        s2 --> d1
        classDef good fill:#1a7f37,stroke:#1a7f37,color:#fff
        classDef flawed fill:#9a6700,stroke:#9a6700,color:#fff
        classDef bad fill:#cf222e,stroke:#cf222e,color:#fff
        classDef idle fill:#57606a,stroke:#57606a,color:#fff
      \`\`\`
      "
    `)
  })

  test.each<[Outcome, string | null, string]>([
    ['succeeded', null, 'good'],
    ['fresh', null, 'good'],
    ['triggered', null, 'good'],
    ['warned', null, 'flawed'],
    ['planned', null, 'idle'],
    ['skipped', null, 'idle'],
    ['failed', null, 'bad'],
    ['failed', 'allow-failure', 'flawed'],
    ['blocked', null, 'bad'],
    ['blocked', 'on-blocked: skip', 'flawed'],
    ['unknown', null, 'bad'],
    ['not_started', null, 'bad'],
  ])('shows %s (%s) as %s', (outcome, tolerated, color) => {
    const shown = lineageOf([{ ...customers, outcome, tolerated }, orders])
    expect(shown).toMatch(new RegExp(`^ {2}s0\\[.*\\]:::${color}$`, 'm'))
    expect(shown).toMatch(new RegExp(`^ {2}classDef ${color} `, 'm'))
  })

  test('keeps models of one name in two packages apart', () => {
    const other = {
      ...orders,
      ruling: { gate: 'open', reason: '', models: ['model.crm.orders'], source: '', notes: [] },
    }
    const drawn = lineageOf([orders, other as Result])
    for (const name of ['shop.orders', 'crm.orders', 'customers.v2']) expect(drawn).toContain(`["${name}"]`)
    expect(drawn).not.toContain('["orders"]')
  })

  test('cuts a long name, and not how it ended', () => {
    const long = { ...orders, sync: sync({ id: '8291', name: 'x'.repeat(200) }) }
    expect(lineageOf([customers, long])).toMatch(/8291 x+#8230; · failed"\]/)
  })

  test('shows what is planned as it would end', () => {
    const shown = lineageOf([{ ...customers, outcome: 'planned', foreseen: 'blocked' }, orders])
    expect(shown).toMatch(/^ {2}s0\["⛔ .* · would not ship"\]:::flawed$/m)
  })

  test('is left out where it says nothing, or too much', () => {
    const many = Array.from({ length: 31 }, (_, index) => fedBy([`model.shop.m${index}`]))
    expect(lineageOf([orders])).toBe('')
    expect(lineageOf([result(), result()])).toBe('')
    expect(lineageOf([fedBy(null), fedBy([])])).toBe('')
    expect(lineageOf(many)).toBe('')
    expect(lineageOf(many.slice(0, 29))).not.toBe('')
    const names = Array.from({ length: 20 }, (_, index) => `model.shop.m${index}`)
    expect(lineageOf(Array(9).fill(fedBy(names)))).not.toBe('')
    expect(lineageOf(Array(10).fill(fedBy(names)))).toBe('')
  })

  test('shows what did not go well alone where all would be too many', () => {
    const many = Array.from({ length: 40 }, (_, index) => fedBy([`model.shop.m${index}`]))
    const shown = lineageOf([...many, orders])
    expect(shown).toContain('### From models to destinations: what did not go well\n')
    expect(shown.match(/^ {2}s\d+\[.*/gm)).toEqual(['  s0["❌ 8291 Orders · failed"]:::bad'])
    expect(shown.match(/^ {2}m\d+\[.*/gm)).toHaveLength(2)
  })

  test('holds nothing that Mermaid or Markdown would act upon, whatever the names are', () => {
    const pieces = [
      '"',
      ']',
      '"]',
      '`',
      '```',
      '\n',
      '%%',
      ':::bad',
      'end',
      '-->',
      '#quot;',
      '<b>',
      '1. ',
      '@{',
      '😀',
      'שלום',
      '::',
    ]
    const hostile = lacedWith(pieces)
    const label = String.raw`"(?:[\p{L}\p{M}\p{N}\p{Extended_Pictographic} ·]|(?<=[\p{L}\p{N}])[_.-](?=[\p{L}\p{N}])|#\d+;)*"`
    const line = new RegExp(
      String.raw`^  (?:[ms]\d+\[${label}\](?::::\w+)?|d\d+\(\[${label}\]\)|[ms]\d+ --> [sd]\d+|classDef \w+ fill:#\w+,stroke:#\w+,color:#fff)$`,
      'u',
    )
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, destination, model) => {
        const shown = lineageOf([fedBy([`model.shop.x${model}`], { sync: sync({ name, destination }) }), orders])
        const [heading, code, ...rest] = new Lexer().lex(shown).filter(({ type }) => type !== 'space')
        expect([heading?.type, code?.type, rest]).toEqual(['heading', 'code', []])
        const [first, ...lines] = String(code && 'text' in code ? code.text : '').split('\n')
        expect(first).toBe('flowchart LR')
        expect(lines.filter((one) => !line.test(one))).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })
})

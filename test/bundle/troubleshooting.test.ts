// The page for somebody whose job is red: each of its headings is a text that the bundle really prints, found as one would find it.
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { SETTINGS } from '../../src/config/config.ts'
import { CHOICES } from '../../src/core/reading.ts'
import { ACTION } from '../runner/runner.ts'
import { shop } from '../simulator/index.ts'
import { TROUBLES } from './troubles/index.ts'
import { deadLinks, fixedLength, PAGE, patternOf, read, sectionsOf } from './troubles/page.ts'
import { ALL_HINTS, type Shown, step, type Trouble } from './troubles/scene.ts'
import { afterDbt } from './workspace.ts'

const page = read(PAGE)
const sections = sectionsOf(page)
const headings = sections.flatMap(({ entries }) => entries.map(({ text }) => text))

/** Each scene is played once, whoever asks for it first. */
const played = new Map<Trouble, Promise<Shown>>()
function play(trouble: Trouble): Promise<Shown> {
  const known = played.get(trouble) ?? trouble.show()
  played.set(trouble, known)
  return known
}

const isPrinted = (text: string, { text: printed }: Shown) => patternOf(text).test(printed)

describe.concurrent('what is printed is what the page has', () => {
  test.each(TROUBLES)('$name', async (trouble) => {
    const shown = await play(trouble)
    expect(trouble.texts.filter((text) => !isPrinted(text, shown))).toEqual([])
    // Whoever looks for an error finds something, whichever of them it is. The last annotation may only say how many more there are.
    const unknown = shown.errors.filter(
      (error) => !/^and \d+ more/.test(error) && !headings.some((text) => patternOf(text).test(error)),
    )
    expect(unknown).toEqual([])
  })

  test('a good run prints none of it', async () => {
    using job = afterDbt('all-good')
    const simulator = shop('good', { speed: 40 })
    const good = async (given: Record<string, string>): Promise<string[]> => {
      const shown = await step({ simulator, with: given, options: { workspace: job.path } })
      expect(shown.errors).toEqual([])
      return headings.filter((text) => isPrinted(text, shown))
    }
    const gated = { 'dbt-artifacts': 'target' }
    expect(await good(gated)).toEqual([])
    // Everything is fresh by now.
    expect(await good(gated)).toEqual([])
    expect(await good({ ...gated, mode: 'plan', 'dbt-gate': 'strict' })).toEqual([])
    expect(await good({ ...gated, 'on-fresh': 'trigger', 'full-sync': 'true', mode: 'trigger' })).toEqual([])
  })
})

describe('the page', () => {
  test('has the sections that it names at its top, each with entries', () => {
    const titles = [
      'The token and the provider',
      'The network',
      'Syncs and runs',
      "dbt's results",
      'Inputs',
      'Time',
      'GitHub',
    ]
    expect(sections.map(({ title }) => title)).toEqual(titles)
    const [top = ''] = page.split('\n## ')
    expect([...top.matchAll(/^- \[(.+)\]\(#/gm)].map(([, title]) => title)).toEqual(titles)
    for (const { entries } of sections) expect(entries.length).toBeGreaterThan(0)
  })

  test('says something of every text; those in a row share what is said', () => {
    // What has nothing below it shares what is below the next one, so that it must not be the last.
    for (const { title, entries } of sections) expect([title, entries.at(-1)?.body]).not.toEqual([title, ''])
    const bodies = sections.flatMap(({ entries }) => entries.map(({ body }) => body)).filter((body) => body !== '')
    expect(new Set(bodies).size).toBe(bodies.length)
  })

  test('has every text once, and a scene for each; every scene is on it', () => {
    expect(new Set(headings).size).toBe(headings.length)
    const staged = new Set(TROUBLES.flatMap(({ texts }) => texts))
    expect([...staged].filter((text) => !headings.includes(text))).toEqual([])
    expect(headings.filter((text) => !staged.has(text))).toEqual([])
  })

  test('has no text so vague that it is found in everything', async () => {
    expect(headings.filter((text) => fixedLength(text) < 8)).toEqual([])
    const all = await Promise.all(TROUBLES.map(play))
    const counts = headings.map((text) => [text, all.filter((shown) => isPrinted(text, shown)).length] as const)
    expect(counts.filter(([, count]) => count > TROUBLES.length / 3)).toEqual([])
  })

  test('leads somebody on from every kind of trouble that the report has a hint for', async () => {
    const all = await Promise.all(TROUBLES.map(play))
    expect(ALL_HINTS.filter((hint) => !all.some(({ hints }) => hints.has(hint)))).toEqual([])
  })

  test('leads nowhere that is not there', () => {
    expect(deadLinks(PAGE)).toEqual([])
  })

  test('names no input, output or setting that does not exist, and no choice that is none', () => {
    const others = ['working-directory', 'run-operation', 'on-run-start']
    const names = [ACTION.inputs, ACTION.outputs, SETTINGS].flatMap(Object.keys).concat(others)
    const spans = [...page.matchAll(/(?<!^### )`([a-z]+(?:-[a-z]+)+)(?:: ([^`]+))?`/gm)]
    const choices: Record<string, readonly string[]> = CHOICES
    expect(spans.filter(([, name = '']) => !names.includes(name)).map(([span]) => span)).toEqual([])
    const wrong = spans.filter(
      ([, name = '', value]) => value !== undefined && choices[name]?.includes(value) === false,
    )
    expect(wrong.map(([span]) => span)).toEqual([])
  })

  test('has examples that are YAML, and give the action what it takes', () => {
    const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
    expect(blocks.length).toBeGreaterThan(5)
    for (const block of blocks) {
      const [document] = parseAllDocuments(block)
      expect([block, document?.errors]).toEqual([block, []])
      for (const names of givenIn(document?.toJS()))
        expect(Object.keys(ACTION.inputs)).toEqual(expect.arrayContaining(names))
    }
  })
})

/** The names of what every step of the action is given in an example. */
function givenIn(value: unknown): string[][] {
  if (Array.isArray(value)) return value.flatMap(givenIn)
  if (typeof value !== 'object' || value === null) return []
  const uses = 'uses' in value ? String(value.uses) : 'post-transform-sync'
  const given = 'with' in value && uses.startsWith('post-transform-sync') ? Object.keys(Object(value.with)) : []
  return [given, ...Object.values(value).flatMap(givenIn)]
}

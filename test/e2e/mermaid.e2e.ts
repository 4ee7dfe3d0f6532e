import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { load } from '../../scripts/pictures/packages.ts'
import { SUMMARIES } from '../../scripts/pictures/sources.ts'
import { plain, mermaid as safe } from '../../src/report/safe.ts'

/** What is used of Mermaid and jsdom, which are not installed with everything else. */
interface Mermaid {
  initialize(config: object): void
  parse(text: string): Promise<unknown>
  mermaidAPI: { getDiagramFromText(text: string): Promise<{ db: object }> }
}
interface Flowchart {
  getVertices(): Map<string, { text?: string }>
}
interface Gantt {
  getSections(): string[]
  getTasks(): { section: string; task: string }[]
  getDiagramTitle(): string
}
interface Dom {
  JSDOM: new (html: string) => { window: { document: object } }
}

const isDom = (loaded: object): loaded is Dom => 'JSDOM' in loaded
const isMermaid = (loaded: object): loaded is { default: Mermaid } =>
  'default' in loaded &&
  typeof loaded.default === 'object' &&
  loaded.default !== null &&
  'parse' in loaded.default &&
  'mermaidAPI' in loaded.default
const isFlowchart = (db: object): db is Flowchart => 'getVertices' in db
const isGantt = (db: object): db is Gantt => 'getTasks' in db && 'getSections' in db

/** Longer ones Mermaid does not draw. */
const LONGEST = 50_000

let mermaid: Mermaid
beforeAll(async () => {
  const { JSDOM } = await load('jsdom', isDom)
  const { window } = new JSDOM('<!doctype html>')
  // Before Mermaid is imported: what cleans its labels looks then whether there is a page.
  vi.stubGlobal('window', window)
  vi.stubGlobal('document', window.document)
  mermaid = (await load('mermaid', isMermaid)).default
})

interface Block {
  summary: string
  number: number
  text: string
}

const BLOCKS: Block[] = (existsSync(SUMMARIES) ? readdirSync(SUMMARIES) : [])
  .filter((name) => name.endsWith('.md'))
  .flatMap((summary) =>
    [...readFileSync(`${SUMMARIES}/${summary}`, 'utf8').matchAll(/^```mermaid\n(.*?)^```$/gms)].map(
      ([, text = ''], at) => ({ summary, number: at + 1, text }),
    ),
  )

/** Names as people give them, and as nobody should: what means something to Mermaid, to Markdown or to a page. */
const NAMES = [
  '8290 Customers for re-engagement',
  'customers_for_reengagement',
  'Grüße 日本語',
  '⚠️ emoji 🚀 ❌',
  'مزامنة العملاء',
  'סנכרון לקוחות',
  '"',
  `say "hi" and 'hi'`,
  '[square]',
  '(round)',
  '{curly}',
  'a | b',
  ':',
  'a::b: c',
  '::error::x',
  ';',
  '#',
  '#35;',
  'ﬂ',
  '%%',
  '%% comment',
  '%%{init: {}}%%',
  '50% off',
  'end',
  'subgraph',
  'graph TD',
  'flowchart LR',
  'style x fill:#fff;',
  'classDef x fill:#fff;',
  'linkStyle default',
  'class',
  '-->',
  'a --> b, c',
  '`code`',
  'back\\slash\\n',
  '<b>bold</b>',
  'a<br>b',
  '&amp;',
  '1. list',
  '- item',
  '*bold* _thin_ ~gone~',
  '$$x$$',
  'https://evil.example www.evil.example @team',
  '__proto__',
  'constructor',
  '8290',
  '---',
  'done',
  'done, crit',
  'active',
  'milestone',
  'after x',
  'weekday',
  'x'.repeat(200),
] as const

/** With these a line of a gantt chart is no task but a statement, or nothing at all. */
const STATEMENTS = [
  'accDescr',
  'accDescription x',
  'accTitle',
  'axisFormat x',
  'call me',
  'click',
  'Click me',
  'dateFormat x',
  'excludes weekends',
  'gantt',
  'includes x',
  'inclusiveEndDates',
  'section x',
  'tickInterval x',
  'title',
  'Title of the song',
  'todayMarker off',
  'topAxis',
  'weekday monday',
  'weekend friday',
  '2026-11-24 report',
] as const

/** What GitHub sets, and what is Mermaid's default: they differ in what they do to a label. */
describe.each(['antiscript', 'strict'])('with the security level %s', (securityLevel) => {
  beforeAll(() => mermaid.initialize({ startOnLoad: false, securityLevel }))

  test('there are summaries with diagrams', () => {
    expect(BLOCKS.length, `no summary in ${SUMMARIES} has a diagram`).toBeGreaterThan(0)
  })

  test.each(BLOCKS)('$summary, diagram $number: Mermaid reads what was written', async ({ text }) => {
    expect(text.length).toBeLessThanOrEqual(LONGEST)
    expect(await read(text)).toEqual(written(text))
  })

  test.each([...NAMES, ...STATEMENTS])('in a flowchart %j stays what it is', async (name) => {
    const labels = [...(await flowchart(`flowchart LR\n  s0["${safe(name)}"]:::bad\n  s1(["${safe(name)}"])`)).values()]
    expect(labels).toEqual([plain(name, 80), plain(name, 80)])
  })

  test.each([...NAMES, ...STATEMENTS])('as a section of a gantt chart %j stays what it is', async (name) => {
    expect(await gantt(chart(safe(name), 'x'))).toEqual({ sections: [plain(name, 80)], tasks: ['x'], title: '' })
  })

  test.each([...NAMES, ...STATEMENTS])('as a task of a gantt chart %j stays what it is', async (name) => {
    const { sections, tasks, title } = await gantt(chart('x', task(name)))
    expect({ sections, title }).toEqual({ sections: ['x'], title: '' })
    expect(tasks).toEqual([`\u200b${plain(name, 80)}`])
  })

  test.each(STATEMENTS)('without what shows as nothing before it the task %j would be lost', async (name) => {
    const tasks = await gantt(chart('x', safe(name))).then(
      (read) => read.tasks,
      () => [],
    )
    expect(tasks).toEqual([])
  })
})

/** Mermaid takes a task's line for a statement if it begins like one, in whatever case. So a character that shows as nothing is first. */
const task = (name: string) => `\u200b${safe(name)}`

const chart = (section: string, name: string) =>
  [
    'gantt',
    'dateFormat YYYY-MM-DD HH:mm:ss',
    'axisFormat %H:%M:%S',
    `section ${section}`,
    `${name} : active, t0, 1970-01-01 00:00:00, 1970-01-01 00:00:07`,
  ].join('\n')

interface Read {
  /** By their ids. */
  labels: Record<string, string>
  sections: string[]
  tasks: string[]
  title: string
}

/** What Mermaid takes from a diagram of either kind. */
async function read(text: string): Promise<Read> {
  const kind = /^\s*(flowchart|gantt)\b/m.exec(text)?.[1]
  expect(kind, 'a diagram of a kind that this test does not know').toBeDefined()
  if (kind === 'gantt') return { labels: {}, ...(await gantt(text)) }
  return { labels: Object.fromEntries(await flowchart(text)), sections: [], tasks: [], title: '' }
}

/** The same, by how we write diagrams: a line for each node, section and task. */
function written(text: string): Read {
  const found = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, ...groups]) => groups.map(decode))
  return {
    labels: Object.fromEntries(found(/^\s*(\w+)\(?\["(.*)"\]/gm)),
    sections: found(/^\s*section (.*)$/gm).flat(),
    tasks: found(/^\s*(.*) : .*\d{4}-\d\d-\d\d.*$/gm).flat(),
    title: '',
  }
}

async function flowchart(text: string): Promise<Map<string, string>> {
  const { db } = await parsed(text)
  if (!isFlowchart(db)) throw new Error('this is no flowchart')
  return new Map([...db.getVertices()].map(([id, vertex]) => [id, decode(vertex.text ?? '')]))
}

async function gantt(text: string): Promise<Pick<Read, 'sections' | 'tasks' | 'title'>> {
  const { db } = await parsed(text)
  if (!isGantt(db)) throw new Error('this is no gantt chart')
  return {
    sections: db.getSections().map(decode),
    tasks: db.getTasks().map((each) => decode(each.task).trimEnd()),
    title: db.getDiagramTitle(),
  }
}

async function parsed(text: string): Promise<{ db: object }> {
  await mermaid.parse(text)
  return await mermaid.mermaidAPI.getDiagramFromText(text)
}

/** Characters that are written as numbers: by us, and by Mermaid while it parses. */
function decode(text: string): string {
  return text.replace(/(?:#|ﬂ°°)(\d+)(?:;|¶ß)/g, (_, code) => String.fromCodePoint(Number(code)))
}

// Makes the pictures of job summaries in docs/images, each in GitHub's light and dark colours:
//   render.ts [--out FOLDER] [SUMMARY.md ...]   without files: the summaries that the README shows
//   render.ts --all --out FOLDER                every summary there is, to be looked at
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { launch, type Page } from './browser.ts'
import { load, pathOf } from './packages.ts'
import { pageOf, VIEWPORT } from './page.ts'
import { digestOf, format, IMAGES, pictureOf, SHOWN, type Sources, SUMMARIES, THEMES, type Theme } from './sources.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, all: { type: 'boolean', default: false } },
})
if (values.all && (values.out === undefined || positionals.length > 0)) {
  throw new Error('--all takes no files, and needs --out: these pictures are not committed')
}
const out = values.out ?? IMAGES
mkdirSync(out, { recursive: true })

/** What is used of sharp. */
interface Sharp {
  default(png: Uint8Array): { png(options: { palette: boolean }): { toBuffer(): Promise<Uint8Array> } }
}
const isSharp = (loaded: object): loaded is Sharp => 'default' in loaded && typeof loaded.default === 'function'
const { default: sharp } = await load('sharp', isSharp)

const made: Sources = {}
await using browser = await launch()
for (const file of files()) {
  const summary = basename(file, '.md')
  const markdown = readFileSync(file, 'utf8')
  for (const theme of THEMES) {
    const picture = pictureOf(summary, theme)
    const page = await browser.newPage()
    const png = await shot(page, markdown, theme).catch((cause: unknown) => {
      throw new Error(`${file}, ${theme}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    })
    // A page has few colours: with a palette its picture is a third as large.
    writeFileSync(join(out, picture), await sharp(png).png({ palette: true }).toBuffer())
    await page.close()
    made[picture] = { summary, sha256: digestOf(markdown) }
    console.log(join(out, picture))
  }
}

const path = join(out, 'sources.json')
const before: Sources = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
const kept = Object.entries(before).filter(([picture]) => existsSync(join(out, picture)))
writeFileSync(path, format({ ...Object.fromEntries(kept), ...made }))

function files(): string[] {
  if (values.all) {
    const names = existsSync(SUMMARIES) ? readdirSync(SUMMARIES).filter((name) => name.endsWith('.md')) : []
    if (names.length === 0) throw new Error(`there is no summary in ${SUMMARIES}`)
    return names.map((name) => join(SUMMARIES, name))
  }
  return positionals.length > 0 ? positionals : SHOWN.map((name) => join(SUMMARIES, `${name}.md`))
}

/** Nothing is fetched: what a summary shows is in the summary. */
async function shot(page: Page, markdown: string, theme: Theme): Promise<Uint8Array> {
  await page.setOfflineMode(true)
  await page.setViewport({ ...VIEWPORT, deviceScaleFactor: 2 })
  await page.setContent(pageOf(markdown, theme))
  await page.addScriptTag({ path: pathOf('mermaid/dist/mermaid.min.js') })
  await page.addScriptTag({ path: join(import.meta.dirname, 'draw.js') })
  await page.evaluate(`draw('${theme}')`)
  const card = await page.$('.card')
  if (card === null) throw new Error('the page has no card')
  return await card.screenshot()
}

// A Chromium that is installed already, driven by Puppeteer.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { load } from './packages.ts'

/** What is used of Puppeteer. */
export interface Page {
  setViewport(size: { width: number; height: number; deviceScaleFactor: number }): Promise<void>
  setOfflineMode(offline: boolean): Promise<void>
  setContent(html: string): Promise<void>
  addScriptTag(script: { path: string }): Promise<unknown>
  evaluate(code: string): Promise<unknown>
  $(selector: string): Promise<{ screenshot(): Promise<Uint8Array> } | null>
  close(): Promise<void>
}
interface Browser {
  newPage(): Promise<Page>
  close(): Promise<void>
}
interface Puppeteer {
  default: { launch(options: { executablePath: string; args: string[] }): Promise<Browser> }
}

const isPuppeteer = (loaded: object): loaded is Puppeteer =>
  'default' in loaded && loaded.default !== null && typeof loaded.default === 'object' && 'launch' in loaded.default

export async function launch(): Promise<AsyncDisposable & Pick<Browser, 'newPage'>> {
  const { default: puppeteer } = await load('puppeteer-core', isPuppeteer)
  const browser = await puppeteer.launch({
    executablePath: chromium(),
    // Text is smoothed in shades of grey and not of colour: it looks the same on every screen, and makes smaller files. Chromium has no
    // sandbox for root, as whom containers run it.
    args: ['--disable-lcd-text', '--font-render-hinting=none', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  })
  return {
    newPage: () => browser.newPage(),
    [Symbol.asyncDispose]: () => browser.close(),
  }
}

function chromium(): string {
  const folders = process.env.PATH?.split(delimiter) ?? []
  const onPath = ['chromium', 'google-chrome'].flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = process.env.CHROME || onPath.find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new Error(
    'there is no Chromium: let CHROME name one, or install it, as with apt-get install chromium fonts-noto-color-emoji',
  )
}

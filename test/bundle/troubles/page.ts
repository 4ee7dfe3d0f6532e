import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../../runner/runner.ts'

export const PAGE = 'docs/troubleshooting.md'

export interface Section {
  title: string
  entries: Entry[]
}

/** A text that the action prints, and what the page says of it; texts in a row share what is said below the last one. */
export interface Entry {
  text: string
  body: string
}

/** The sections of the page with their entries. */
export function sectionsOf(markdown: string): Section[] {
  return split(markdown, '## ').map(({ title, rest }) => ({
    title,
    entries: split(rest, '### ').map((entry) => ({
      text: /^`([^`]+)`$/.exec(entry.title)?.[1] ?? `no text in a code span: ${entry.title}`,
      body: entry.rest.trim(),
    })),
  }))
}

function split(markdown: string, mark: string): { title: string; rest: string }[] {
  const [, ...parts] = `\n${markdown}`.split(`\n${mark}`)
  return parts.map((part) => {
    const [title = '', ...rest] = part.split('\n')
    return { title: title.trim(), rest: rest.join('\n') }
  })
}

/** Finds what an entry is about: … stands for what varies, on one line. */
export function patternOf(text: string): RegExp {
  return new RegExp(
    text
      .split('…')
      .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.+'),
  )
}

/** How much of a text is said word for word. */
export function fixedLength(text: string): number {
  return text.replaceAll(/[…"\s]/g, '').length
}

/** Links of a page of this repository that lead nowhere: to a file that is not there, or a heading that it does not have. */
export function deadLinks(path: string): string[] {
  const markdown = read(path)
  const targets = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    const to = file === '' ? path : join(dirname(path), file)
    if (!existsSync(join(ROOT, to))) return true
    return anchor !== undefined && !anchorsOf(read(to)).includes(anchor)
  })
}

/** What GitHub calls the headings of a page. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)]
  return headings.map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

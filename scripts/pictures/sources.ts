// What the pictures of docs/images show. Needs nothing that is installed only here, so that a test can tell when one is stale.
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..', '..')
export const SUMMARIES = join(ROOT, 'test', 'report', 'golden')
export const IMAGES = join(ROOT, 'docs', 'images')

/** The summaries that the README shows. */
export const SHOWN = ['failing'] as const
export const THEMES = ['light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** By the name of the picture: the summary that it shows, and the digest of what that was when the picture was made. */
export type Sources = Record<string, { summary: string; sha256: string }>

export const pictureOf = (summary: string, theme: Theme) => `${summary}-${theme}.png`

export const digestOf = (markdown: string) => createHash('sha256').update(markdown).digest('hex')

export function format(sources: Sources): string {
  const sorted = Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

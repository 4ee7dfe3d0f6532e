// A page that shows a job summary as GitHub does.
import { readFileSync } from 'node:fs'
import { marked } from 'marked'
import { pathOf } from './packages.ts'
import type { Theme } from './sources.ts'

/** As wide as the card is on GitHub, on a screen that is wide enough. */
const WIDTH = 1012
/** The job of the README. */
const JOB = 'transform-and-sync'

/** GitHub's colours for what is around the Markdown: page, border, lesser text. The Markdown has its own from GitHub's style sheet. */
const COLORS = {
  light: { page: '#ffffff', border: '#d1d9e0', muted: '#59636e' },
  dark: { page: '#0d1117', border: '#3d444d', muted: '#9198a1' },
} as const

/** GitHub also sanitises the HTML; that is not done here. `draw` (draw.js) is still to be called, for the diagrams. */
export function pageOf(markdown: string, theme: Theme): string {
  const { page, border, muted } = COLORS[theme]
  const styles = readFileSync(pathOf(`github-markdown-css/github-markdown-${theme}.css`), 'utf8')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${JOB} summary</title>
<style>
${styles}
body { margin: 16px; background: ${page} }
.card { box-sizing: border-box; width: ${WIDTH}px; padding: 16px; border: 1px solid ${border}; border-radius: 6px }
.card header { margin-bottom: 16px; font-weight: 600 }
.card footer { margin-top: 16px; font-size: 12px; color: ${muted} }
.card article > :first-child { margin-top: 0 }
.card article > :last-child { margin-bottom: 0 }
.diagram { all: initial; display: block; margin-bottom: 16px; text-align: center }
</style>
<main class="card markdown-body">
<header>${JOB} summary</header>
<article>
${marked.parse(markdown, { async: false, gfm: true })}</article>
<footer>Job summary generated at run-time</footer>
</main>`
}

export const VIEWPORT = { width: WIDTH + 32, height: 800 } as const

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf, IMAGES, pictureOf, SHOWN, type Sources, SUMMARIES, THEMES } from '../../scripts/pictures/sources.ts'
import { ROOT } from '../runner/runner.ts'

const PICTURES = SHOWN.flatMap((summary) => THEMES.map((theme) => ({ picture: pictureOf(summary, theme), summary })))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

describe('the pictures in the README', () => {
  const sources: Sources = JSON.parse(readFileSync(join(IMAGES, 'sources.json'), 'utf8'))

  test.each(PICTURES)('$picture shows the summary as it is now: else run npm run pictures', ({ picture, summary }) => {
    const sha256 = digestOf(readFileSync(join(SUMMARIES, `${summary}.md`), 'utf8'))
    expect(sources[picture]).toEqual({ summary, sha256 })
    expect(readFileSync(join(IMAGES, picture)).subarray(1, 4).toString()).toBe('PNG')
    expect(README).toContain(`docs/images/${picture}`)
  })

  test('are all there is', () => {
    const names = PICTURES.map(({ picture }) => picture)
    expect(readdirSync(IMAGES).toSorted()).toEqual([...names, 'sources.json'].toSorted())
  })
})

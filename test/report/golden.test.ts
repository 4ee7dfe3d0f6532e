import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SITUATIONS } from './situations.ts'

const GOLDEN = join(import.meta.dirname, 'golden')

/** Compared, never rewritten by a run of the tests: `npm run golden` does that, and what has changed is to be looked at as a picture. */
describe('the job summary is the one that somebody has looked at', () => {
  test.each(SITUATIONS)('$name', async ({ name, summary }) => {
    await expect(await summary()).toMatchFileSnapshot(join(GOLDEN, `${name}.md`))
  })

  test('and there is none of a situation that is not there any more', () => {
    expect(readdirSync(GOLDEN).toSorted()).toEqual(SITUATIONS.map(({ name }) => `${name}.md`).toSorted())
  })
})

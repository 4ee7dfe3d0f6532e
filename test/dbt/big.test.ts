import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { ROOT } from '../runner/runner.ts'
import { manifest, model } from '../support/dbt.ts'

const MODELS = 10_000

/** A manifest as large projects have them: most of it is SQL, columns and macros, and none of it is plain ASCII. */
function writeBigManifest(path: string): void {
  const file = openSync(path, 'w')
  const columns = Object.fromEntries(
    Array.from({ length: 25 }, (_, index) => [
      `column_${index}`,
      { description: 'Größe – “quoted” \\ "…"', meta: {}, tags: [] },
    ]),
  )
  const sql = 'select a, "b", c from {{ ref("x") }} -- naïve\n'
  const whole = manifest([model('m0')])
  writeSync(
    file,
    `{"metadata":${JSON.stringify(whole.metadata)},"macros":{"m":${JSON.stringify(sql.repeat(300_000))}},"nodes":{`,
  )
  for (let index = 0; index < MODELS; index += 1) {
    const parent = index === 0 ? [] : [`model.shop.m${index - 1}`]
    const { id, fields } = model(`m${index}`, parent)
    const node = {
      ...fields,
      depends_on: { nodes: parent },
      columns,
      raw_code: sql.repeat(80),
      compiled_code: sql.repeat(160),
    }
    writeSync(file, `${index === 0 ? '' : ','}${JSON.stringify(id)}:${JSON.stringify(node)}`)
  }
  writeSync(file, '},"disabled":{}}')
  closeSync(file)
}

test('a manifest of more than 136 MB is read with little memory, for most of it is never parsed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'big-'))
  try {
    writeBigManifest(join(folder, 'manifest.json'))
    const megabytes = statSync(join(folder, 'manifest.json')).size / 1024 / 1024
    expect(megabytes).toBeGreaterThan(136)
    const reader = pathToFileURL(join(ROOT, 'src/dbt/reader.ts')).href
    const script = `
      const { readArtifacts } = await import(${JSON.stringify(reader)})
      const { found, problems } = await readArtifacts(['manifest.json'], ${JSON.stringify(folder)})
      console.log(JSON.stringify({ problems, nodes: found[0].manifest.nodes.size, peak: process.resourceUsage().maxRSS / 1024 }))
    `
    // The file alone would not fit into this heap, let alone what it parses to.
    const args = ['--max-old-space-size=80', '--input-type=module', '--eval', script]
    const { problems, nodes, peak } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
    expect({ problems, nodes }).toEqual({ problems: [], nodes: MODELS })
    expect(peak).toBeLessThan(450)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

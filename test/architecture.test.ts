import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from './runner/runner.ts'

const SRC = join(ROOT, 'src')
const FILES = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(SRC, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))

/** Every module that a file imports, also for types and on demand: files of src by their path, others by their name. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  const found = [...text.matchAll(/(?:from|import\()\s*(?:\/\*.*?\*\/\s*)?'([^']+)'/g)].map(([, name = '']) => name)
  return found.map((name) =>
    name.startsWith('.') ? relative(SRC, join(SRC, file, '..', name)).replaceAll('\\', '/') : name,
  )
}

const layerOf = (file: string) => (file.includes('/') ? (file.split('/')[0] ?? '') : file)

/** What a layer may import: its own files, and these. */
const ALLOWED: Record<string, RegExp> = {
  core: /^$/,
  report: /^core\//,
  providers: /^(core\/|host\.ts$|http\.ts$|retry-after\.ts$|valibot$)/,
  dbt: /^(core\/|leven$)/,
  config: /^(core\/|yaml$|leven$|node:fs\/promises$|node:path$)/,
  github: /^(core\/|report\/|node:fs$|@actions\/core$|@actions\/github$|valibot$|leven$)/,
  'http.ts': /^(@actions\/http-client$|node:|connections\.ts$)/,
  'connections.ts': /^node:/,
  'host.ts': /^(core\/|http\.ts$|retry-after\.ts$|p-limit$)/,
  'retry-after.ts': /^$/,
  'address.ts': /^(core\/|node:)/,
  'system-clock.ts': /^core\//,
  'action.ts': /^(core\/|dbt\/|report\/|p-limit$)/,
  'main.ts': /^(core\/|config\/|dbt\/|github\/|report\/|providers\/|[a-z-]+\.ts$)/,
  'post.ts': /^(core\/|github\/|report\/|providers\/|[a-z-]+\.ts$)/,
}

describe('the layers', () => {
  test.each(FILES)('%s imports only what its layer may', (file) => {
    const layer = layerOf(file)
    const allowed = ALLOWED[layer]
    expect(allowed, `${layer} is a new layer: say what it may import`).toBeDefined()
    const wrong = importsOf(file).filter(
      (name) =>
        layerOf(name) !== layer && !allowed?.test(name) && !(file === 'dbt/reader.ts' && name.startsWith('node:')),
    )
    expect(wrong).toEqual([])
  })

  test('no file imports itself through others', () => {
    const reaches = (from: string, seen = new Set<string>()): Set<string> => {
      for (const name of FILES.includes(from) ? importsOf(from) : []) {
        if (!seen.has(name)) reaches(name, seen.add(name))
      }
      return seen
    }
    expect(FILES.filter((file) => reaches(file).has(file))).toEqual([])
  })

  test('what the first request does not need is loaded only where it is needed', () => {
    const eager = FILES.filter((file) =>
      /^import .* from '(yaml|@actions\/github)'/m.test(readFileSync(join(SRC, file), 'utf8')),
    )
    expect(eager).toEqual([])
  })

  test('the check sees imports of every form', () => {
    expect(importsOf('main.ts')).toEqual(expect.arrayContaining(['action.ts', 'core/inputs.ts', 'github/runner.ts']))
    expect(importsOf('github/event.ts')).toEqual(['@actions/github'])
  })

  test.each(FILES.filter((file) => file.startsWith('core/')))(
    '%s reaches for no clock, process, network or randomness',
    (file) => {
      const code = readFileSync(join(SRC, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      expect(code).not.toMatch(
        /\b(Date\.now|new Date|setTimeout|setInterval|process\.|performance\.|fetch\(|Math\.random|console\.|globalThis)/,
      )
    },
  )

  test.each(FILES.filter((file) => !['main.ts', 'post.ts'].includes(file)))(
    '%s leaves the process to the entries',
    (file) => {
      expect(readFileSync(join(SRC, file), 'utf8')).not.toMatch(/process\.(exit|on|exitCode)|setFailed/)
    },
  )

  test('a provider’s words stay in its file', () => {
    const elsewhere = FILES.filter((file) => file !== 'providers/census.ts')
    const leaks = elsewhere.filter((file) =>
      /sync_run_id|records_processed|\/api\/v[12]|force_full_sync/.test(readFileSync(join(SRC, file), 'utf8')),
    )
    expect(leaks).toEqual([])
  })
})

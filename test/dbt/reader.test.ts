import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hasUnusedResults, readArtifacts } from '../../src/dbt/reader.ts'
import { manifest, model, results, sourceResults } from '../support/dbt.ts'

const MANIFEST = manifest([model('orders')])
const RESULTS = results({ 'model.shop.orders': 'success' })

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'artifacts-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, value: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), typeof value === 'string' ? value : JSON.stringify(value))
}

const git = (...words: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false', ...words], {
    cwd: root,
    stdio: 'pipe',
  })

describe('a place', () => {
  test('is a target folder with all that dbt has left in it', async () => {
    write('target/run_results.json', RESULTS)
    write('target/manifest.json', MANIFEST)
    write('target/sources.json', sourceResults({}))
    const { found, problems } = await readArtifacts(['target/'], root)
    expect(problems).toEqual([])
    expect(found).toMatchObject([
      {
        path: 'target/',
        results: { path: 'target/run_results.json' },
        manifest: { path: 'target/manifest.json' },
        sources: { path: 'target/sources.json' },
        manifestOnly: false,
      },
    ])
  })

  test('is a file of results by any name, with its manifest beside it', async () => {
    write('kept/build.json', RESULTS)
    write('kept/manifest.json', MANIFEST)
    const { found } = await readArtifacts(['kept/build.json'], root)
    expect(found).toMatchObject([
      { results: { path: 'kept/build.json' }, manifest: { path: 'kept/manifest.json' }, sources: null },
    ])
  })

  test('is a manifest alone, for results that have none beside them', async () => {
    write('kept/manifest.json', MANIFEST)
    expect((await readArtifacts(['kept/manifest.json'], root)).found).toMatchObject([
      { results: null, manifestOnly: true },
    ])
    expect((await readArtifacts(['kept'], root)).found).toMatchObject([{ results: null, manifestOnly: false }])
  })

  test('may stand outside of the workspace', async () => {
    write('target/run_results.json', RESULTS)
    expect((await readArtifacts([join(root, 'target')], tmpdir())).found).toHaveLength(1)
  })
})

describe('what is not there or not right', () => {
  test('is told for all places at once, with the path as it was given', async () => {
    write('a/run_results.json', '{"metadata": ')
    write('b/run_results.json', MANIFEST)
    write('c/readme.md', '')
    const { problems } = await readArtifacts(['a', 'b', 'c', 'd', 'e/run_results.json'], root)
    expect(problems).toEqual([
      expect.stringMatching(/^a\/run_results\.json is empty, cut off or no JSON/),
      expect.stringMatching(/^b\/run_results\.json is not what it should be/),
      expect.stringMatching(/^c holds neither run_results\.json nor manifest\.json/),
      expect.stringMatching(/^d does not exist/),
      expect.stringMatching(/^e\/run_results\.json does not exist/),
    ])
  })

  test('comes with a hint to where the files are', async () => {
    write('dbt/target/run_results.json', RESULTS)
    expect((await readArtifacts(['dbt'], root)).problems).toEqual([
      expect.stringContaining('but dbt/target has a run_results.json'),
    ])
    expect((await readArtifacts(['target'], root)).problems).toEqual([
      expect.stringContaining('but dbt/target has a run_results.json'),
    ])
  })
})

describe('a file that git tracks and nobody has changed', () => {
  beforeEach(() => {
    write('target/run_results.json', RESULTS)
    write('target/manifest.json', MANIFEST)
    git('init', '--quiet')
  })
  const committed = async () => [...((await readArtifacts(['target'], root)).found[0]?.committed ?? [])]

  test('is committed', async () => {
    git('add', '.')
    git('commit', '--quiet', '-m', 'all')
    expect(await committed()).toEqual(['target/manifest.json', 'target/run_results.json'])
  })

  test('is not, once it has changed', async () => {
    git('add', '.')
    git('commit', '--quiet', '-m', 'all')
    write('target/run_results.json', results({ 'model.shop.orders': 'error' }))
    expect(await committed()).toEqual(['target/manifest.json'])
    git('add', '.')
    expect(await committed()).toEqual(['target/manifest.json'])
  })

  test('is not, where git ignores it or does not know it', async () => {
    expect(await committed()).toEqual([])
    write('.gitignore', 'target\n')
    git('add', '.')
    git('commit', '--quiet', '-m', 'all')
    expect(await committed()).toEqual([])
  })

  test('runs nothing that the repository itself asks for', async () => {
    git('add', '.')
    git('commit', '--quiet', '-m', 'all')
    const touch = `touch ${join(root, 'touched')}`
    for (const key of ['core.fsmonitor', 'diff.external', 'core.pager']) git('config', key, touch)
    expect(await committed()).toHaveLength(2)
    expect(() => rmSync(join(root, 'touched'))).toThrow('ENOENT')
  })
})

test('results that nobody asked for are seen where dbt puts them by default', async () => {
  expect(await hasUnusedResults(root)).toBe(false)
  write('target/run_results.json', RESULTS)
  expect(await hasUnusedResults(root)).toBe(true)
})

test.runIf(process.platform !== 'win32')(
  'a git that hangs is not waited for',
  async () => {
    write('target/manifest.json', MANIFEST)
    write('bin/git', '#!/bin/sh\nexec sleep 60\n')
    chmodSync(join(root, 'bin/git'), 0o755)
    vi.stubEnv('PATH', `${join(root, 'bin')}:${process.env.PATH}`)
    try {
      const { found, problems } = await readArtifacts(['target'], root)
      expect(problems).toEqual([])
      expect(found).toMatchObject([{ committed: new Set() }])
    } finally {
      vi.unstubAllEnvs()
    }
  },
  40_000,
)

// Builds the two bundles of the action from src. With --check it builds them elsewhere and compares byte for byte with what is committed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const BUNDLES = ['main', 'post']

const check = process.argv.includes('--check')
const target = check ? mkdtempSync(join(tmpdir(), 'dist-')) : join(root, 'dist')
try {
  build(target)
  if (check) compare(join(root, 'dist'), target)
} finally {
  if (check) rmSync(target, { recursive: true })
}

function build(to: string): void {
  rmSync(join(root, 'lib'), { recursive: true, force: true })
  // ncc cannot compile TypeScript 7 itself, so tsc goes first.
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json')
  for (const bundle of BUNDLES) {
    rmSync(join(to, bundle), { recursive: true, force: true })
    run(
      '@vercel/ncc/dist/ncc/cli.js',
      'build',
      `lib/${bundle}.js`,
      '--out',
      join(to, bundle),
      '--license',
      'licenses.txt',
      '--no-cache',
      '--quiet',
    )
  }
}

function run(script: string, ...args: string[]): void {
  execFileSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

function compare(committed: string, built: string): void {
  const list = (dir: string) =>
    readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const files = (dir: string) =>
    new Map(
      list(dir).map((entry) => [
        join(entry.parentPath, entry.name).slice(dir.length),
        readFileSync(join(entry.parentPath, entry.name)),
      ]),
    )
  const [is, should] = [files(committed), files(built)]
  const wrong = [...new Set([...is.keys(), ...should.keys()])].filter(
    (name) => !is.get(name)?.equals(should.get(name) ?? Buffer.from('')),
  )
  if (wrong.length > 0) {
    console.error(
      `dist is not what src builds to: ${wrong.join(', ')}. Run npm run build and commit dist with the change.`,
    )
    process.exitCode = 1
  }
}

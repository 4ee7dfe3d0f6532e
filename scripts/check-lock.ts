// Fails if a package-lock.json lacks a platform package (then `npm ci` breaks on that platform) or names where packages were fetched.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Package {
  optionalDependencies?: Record<string, string>
  resolved?: string
}

const ROOT = join(import.meta.dirname, '..')
const LOCKS = ['package-lock.json', 'scripts/pictures/package-lock.json']

for (const lock of LOCKS) {
  const { packages }: { packages: Record<string, Package> } = JSON.parse(readFileSync(join(ROOT, lock), 'utf8'))
  for (const problem of problemsOf(packages)) {
    console.error(`${lock}: ${problem}`)
    process.exitCode = 1
  }
}

function problemsOf(packages: Record<string, Package>): string[] {
  return Object.entries(packages).flatMap(([place, entry]) => [
    ...(entry.resolved === undefined ? [] : [`${place} names the address it was fetched from`]),
    ...Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !isLocked(packages, place, name))
      .map((name) => `${place || 'the project'} needs ${name}, which the lock does not have`),
  ])
}

/** Looks where Node.js would: beside the package, then one folder up, to the top. */
function isLocked(packages: Record<string, Package>, place: string, name: string): boolean {
  const folders = place.split('/node_modules/')
  return (
    folders.some(
      (_, depth) =>
        `${folders.slice(0, folders.length - depth).join('/node_modules/')}/node_modules/${name}` in packages,
    ) || `node_modules/${name}` in packages
  )
}

// Fails if package-lock.json lacks a platform package (then `npm ci` breaks on that platform) or names where packages were fetched.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Package {
  optionalDependencies?: Record<string, string>
  resolved?: string
}

const path = join(import.meta.dirname, '..', 'package-lock.json')
const lock: { packages: Record<string, Package> } = JSON.parse(readFileSync(path, 'utf8'))

const problems = Object.entries(lock.packages).flatMap(([place, entry]) => [
  ...(entry.resolved === undefined ? [] : [`${place} names the address it was fetched from`]),
  ...Object.keys(entry.optionalDependencies ?? {})
    .filter((name) => !isLocked(place, name))
    .map((name) => `${place || 'the project'} needs ${name}, which the lock does not have`),
])
for (const problem of problems) console.error(`package-lock.json: ${problem}`)
if (problems.length > 0) process.exitCode = 1

/** Looks where Node.js would: beside the package, then one folder up, to the top. */
function isLocked(place: string, name: string): boolean {
  const folders = place.split('/node_modules/')
  return (
    folders.some(
      (_, depth) =>
        `${folders.slice(0, folders.length - depth).join('/node_modules/')}/node_modules/${name}` in lock.packages,
    ) || `node_modules/${name}` in lock.packages
  )
}

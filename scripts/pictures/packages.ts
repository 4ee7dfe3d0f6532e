// What is installed only in this folder is imported by its path, when it is needed, and has no static types: so everybody else can check
// and test the project without it.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const { resolve } = createRequire(import.meta.url)

/** The path of a file of a package, or of its entry. */
export function pathOf(file: string): string {
  try {
    return resolve(file)
  } catch (cause) {
    throw new Error(`${file} is not installed: run npm ci --prefix scripts/pictures`, { cause })
  }
}

/** Imports a package. `is` looks whether it has what its user is about to call. */
export async function load<T>(name: string, is: (loaded: object) => loaded is object & T): Promise<T> {
  const loaded: unknown = await import(/* @vite-ignore */ pathToFileURL(pathOf(name)).href)
  if (typeof loaded === 'object' && loaded !== null && is(loaded)) return loaded
  throw new Error(`${name} is not what it was: see who loads it`)
}

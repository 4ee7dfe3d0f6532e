import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { ArtifactError, parseRunResults, parseSourceResults } from './artifacts.ts'
import type { Found } from './evidence.ts'
import { parseManifest } from './manifest.ts'

const RESULTS = 'run_results.json'
const MANIFEST = 'manifest.json'
const SOURCES = 'sources.json'

export interface Read {
  found: Found[]
  problems: string[]
}

/**
 * Reads what stands at the given paths: a target folder of dbt, or a file of run results with its manifest beside it. The only
 * reader of dbt's files. `root` is the folder that relative paths start from.
 */
export async function readArtifacts(paths: readonly string[], root: string): Promise<Read> {
  const read: Read = { found: [], problems: [] }
  for (const path of paths) {
    try {
      read.found.push(await readPlace(path, root, paths))
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error
      read.problems.push(error.message)
    }
  }
  return read
}

async function readPlace(path: string, root: string, all: readonly string[]): Promise<Found> {
  const kind = await kindOf(resolve(root, path))
  if (kind === null) throw new ArtifactError(path, `does not exist${await elsewhere(path, root, all)}`)
  const folder = kind === 'folder' ? path : dirname(path)
  const at = (name: string) => join(folder, name).replaceAll('\\', '/')
  const manifestOnly = kind === 'file' && basename(path) === MANIFEST
  const committed = new Set<string>()
  const read = async <T>(file: string, parse: (bytes: Buffer, path: string) => T): Promise<T | null> => {
    const bytes = await bytesOf(file, root)
    if (bytes !== null && (await isCommitted(resolve(root, file)))) committed.add(file)
    return bytes === null ? null : parse(bytes, file)
  }
  const manifest = await read(at(MANIFEST), parseManifest)
  if (manifestOnly) return { path, results: null, manifest, sources: null, manifestOnly, committed }
  const results = await read(kind === 'folder' ? at(RESULTS) : path, parseRunResults)
  if (results === null && manifest === null) {
    throw new ArtifactError(path, `holds neither ${RESULTS} nor ${MANIFEST}${await elsewhere(path, root, all)}`)
  }
  return { path, results, manifest, sources: await read(at(SOURCES), parseSourceResults), manifestOnly, committed }
}

/** Points to where the files are, where that is easy to see. */
async function elsewhere(path: string, root: string, all: readonly string[]): Promise<string> {
  // With several places, each of a step of its own, one of the steps was left out: an older file elsewhere is no help.
  if (all.length > 1) return ': was the dbt step that writes it left out? Paths start from the workspace.'
  for (const candidate of [join(path, 'target'), 'target', 'dbt/target', 'transform/target']) {
    if (candidate === path || (await kindOf(resolve(root, candidate, RESULTS))) !== 'file') continue
    return `, but ${candidate.replaceAll('\\', '/')} has a ${RESULTS}: is that the folder you mean?`
  }
  return `. Paths start from the workspace, so a dbt project in a folder of its own has its files in FOLDER/target.`
}

/** A file of run results that lies where dbt puts it by default. */
export async function hasUnusedResults(root: string): Promise<boolean> {
  return (await kindOf(resolve(root, 'target', RESULTS))) === 'file'
}

async function kindOf(path: string): Promise<'folder' | 'file' | null> {
  const found = await stat(path).catch(() => null)
  if (found === null) return null
  return found.isDirectory() ? 'folder' : 'file'
}

async function bytesOf(path: string, root: string): Promise<Buffer | null> {
  try {
    return await readFile(resolve(root, path))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT') return null
    const size =
      code === 'ERR_FS_FILE_TOO_LARGE' ? 'is larger than 2 GiB' : `cannot be read (${code || 'unknown reason'})`
    throw new ArtifactError(path, `${size}.`, error)
  }
}

const git = promisify(execFile)
/** No deadline has begun yet, and a git that hangs must not hold the step. */
const GIT_MS = 5000

/** Whether git tracks the file and it is as in the last commit. Without git, or outside a repository, nothing is committed. */
async function isCommitted(path: string): Promise<boolean> {
  // A repository of somebody else (a container job), and its settings, must not decide what is run here.
  const ask = (...words: string[]) =>
    git(
      'git',
      ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-C', dirname(path), ...words, '--', basename(path)],
      { timeout: GIT_MS, killSignal: 'SIGKILL' },
    )
  try {
    await ask('ls-files', '--error-unmatch')
    await ask('diff', '--quiet', '--no-ext-diff', 'HEAD')
    return true
  } catch {
    return false
  }
}

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ROOT } from '../runner/runner.ts'

export interface Workspace extends Disposable {
  path: string
  write(path: string, content: unknown): void
}

export interface State {
  major?: '1' | '2'
  /** How long ago dbt's newest file was made. */
  ageMs?: number
  /** Where it stands in the workspace. */
  into?: string
}

/** A folder for a job to work in. */
export function workspace(): Workspace {
  const path = mkdtempSync(join(tmpdir(), 'workspace-'))
  return {
    path,
    write(name, content) {
      mkdirSync(dirname(join(path, name)), { recursive: true })
      writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content))
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** A workspace in which dbt has just run: a state of test/fixtures/dbt, dated anew. */
export function afterDbt(state: string, options: State = {}): Workspace {
  const job = workspace()
  leave(job, state, options)
  return job
}

/** Lets dbt have left a state of test/fixtures/dbt in a workspace. All its files are moved in time by as much. */
export function leave(
  job: Workspace,
  state: string,
  { major = '1', ageMs = 60_000, into = 'target' }: State = {},
): void {
  const target = join(job.path, into)
  cpSync(join(ROOT, 'test/fixtures/dbt', major, state), target, { recursive: true })
  const files = readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
  const read = files.map((file) => ({ file, content: JSON.parse(readFileSync(file, 'utf8')) }))
  const newest = Math.max(...read.map(({ content }) => Date.parse(content.metadata.generated_at)))
  const ahead = Date.now() - ageMs - newest
  for (const { file, content } of read) {
    content.metadata.generated_at = new Date(Date.parse(content.metadata.generated_at) + ahead).toISOString()
    writeFileSync(file, JSON.stringify(content))
  }
}

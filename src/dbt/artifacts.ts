import { parseBytes, record, scalar, text } from './json.ts'

/**
 * What the files in dbt's target folder say, as far as it bears on a decision: everything else in them is left unread, because
 * each version of dbt adds to them. https://docs.getdbt.com/reference/artifacts/dbt-artifacts
 */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError' as const
  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path} ${problem}`, { cause })
  }
}

export interface Artifact {
  /** As the user wrote it, for messages. */
  path: string
  /** Milliseconds since the epoch. */
  generatedAt: number
  invocationId: string | null
  /** The workflow run that made it, where the dbt step set DBT_ENV_CUSTOM_ENV_GITHUB_RUN_ID. */
  githubRunId: string | null
  /** The version in the name of its schema. */
  schema: number
}

/** run_results.json: what one dbt command did. */
export interface RunResults extends Artifact {
  /** `args.which`: build, run, test, generate (of docs) and so on; empty where dbt did not say. */
  command: string
  /** It repeated what had failed, and has rows of nothing else. dbt 2 does not write that down. */
  isRetry: boolean
  /** Tables without rows (--empty) or with some of them (--sample). */
  limited: '--empty' | '--sample' | null
  rows: Row[]
}

/** sources.json: how fresh the sources were. */
export interface SourceResults extends Artifact {
  rows: Row[]
}

export interface Row {
  id: string
  /** In lower case: dbt 2 capitalises some. */
  status: string
  /** Rows that a test found. */
  failures: number | null
  /** Where a model was built. */
  relation: string | null
  /** It was skipped because something else had failed, and for no other reason (--fail-fast). dbt 2 does not say so. */
  isCutOff: boolean
}

/** The oldest version of either file that dbt 1 wrote. */
const OLDEST = 4

export function parseRunResults(bytes: Buffer, path: string): RunResults {
  return reading(path, () => {
    const file = record(parseBytes(bytes))
    const args = record(file.args)
    // Previews of dbt 2 nested what the command was given.
    const more = record(args.__other__)
    const empty = args.empty === true || more.empty === true
    const sample = isSet(args.sample) || isSet(more.sample)
    const command = text(args.which) ?? ''
    // `which` is that of the command that is repeated.
    const words = (text(args.invocation_command) ?? '').split(/\s+/)
    return {
      ...artifact(record(file.metadata), 'run-results', path),
      command,
      isRetry: command === 'retry' || (words.includes('retry') && !words.includes(command)),
      limited: empty ? '--empty' : sample ? '--sample' : null,
      rows: rowsOf(file.results, path),
    }
  })
}

export function parseSourceResults(bytes: Buffer, path: string): SourceResults {
  return reading(path, () => {
    const file = record(parseBytes(bytes))
    return { ...artifact(record(file.metadata), 'sources', path, 1), rows: rowsOf(file.results, path) }
  })
}

/** What all files of dbt say of themselves. Throws ArtifactError where this is no file of its `kind`, or one too old to read. */
export function artifact(metadata: Record<string, unknown>, kind: string, path: string, oldest = OLDEST): Artifact {
  const written = text(metadata.dbt_schema_version)
  const version = new RegExp(`/${kind}/v(\\d{1,4})\\.json$`).exec(written ?? '')?.[1]
  if (version === undefined) {
    const found = written === null ? 'it names no schema of dbt' : `its schema is ${written}`
    throw new ArtifactError(path, `is not what it should be, a ${kind} file of dbt: ${found}.`)
  }
  const schema = Number(version)
  if (schema < oldest) {
    throw new ArtifactError(
      path,
      `was written by a dbt older than 1.0 (${kind} v${schema}), which is not supported. Use dbt 1.0 or later.`,
    )
  }
  const generatedAt = instant(text(metadata.generated_at))
  if (generatedAt === null) throw new ArtifactError(path, 'does not say when it was made (metadata.generated_at).')
  return {
    path,
    generatedAt,
    schema,
    invocationId: text(metadata.invocation_id),
    githubRunId: scalar(record(metadata.env).GITHUB_RUN_ID),
  }
}

function rowsOf(results: unknown, path: string): Row[] {
  if (!Array.isArray(results)) throw new ArtifactError(path, 'has no list of results.')
  return results.map((result: unknown, index) => {
    const row = record(result)
    const id = text(row.unique_id)
    const status = text(row.status)
    if (id === null || status === null) {
      throw new ArtifactError(
        path,
        `is damaged: result ${index + 1} of ${results.length} has no unique_id or no status.`,
      )
    }
    const failures = typeof row.failures === 'number' && Number.isInteger(row.failures) ? row.failures : null
    // "Skipping due to fail_fast": nothing else tells it from what was skipped for something that it depends on.
    const isCutOff = /\bfail.?fast\b/i.test(text(row.message) ?? '')
    return { id, status: status.trim().toLowerCase(), failures, relation: text(row.relation_name), isCutOff }
  })
}

/** Lets what is wrong with a file name the file. */
export function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) throw new ArtifactError(path, `is too large to be read (${error.message}).`, error)
    if (!(error instanceof SyntaxError)) throw error
    throw new ArtifactError(
      path,
      `is empty, cut off or no JSON: ${error.message}. Did dbt end before it had written it?`,
      error,
    )
  }
}

/** dbt writes UTC, with or without saying so. */
function instant(iso: string | null): number | null {
  if (iso === null) return null
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso}Z`)
  return Number.isNaN(ms) ? null : ms
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

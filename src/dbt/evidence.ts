import type { RunResults, SourceResults } from './artifacts.ts'
import { link, type Project, type ProjectFiles } from './lineage.ts'
import type { Manifest } from './manifest.ts'
import { GOOD } from './states.ts'

/** What was found in one place that `dbt-artifacts` names. */
export interface Found {
  path: string
  results: RunResults | null
  manifest: Manifest | null
  sources: SourceResults | null
  /** The place is a manifest, and no results are expected beside it. */
  manifestOnly: boolean
  /** Paths of files that git tracks and nobody has changed since: they came with the checkout, not from a dbt of this job. */
  committed: ReadonlySet<string>
}

/** What makes a file evidence of today's data. */
export interface Freshness {
  /** This machine's clock, milliseconds since the epoch. */
  now: number
  maxAgeMs: number
  /** The workflow run whose files are wanted; null where this is none. */
  githubRunId: string | null
  /** An earlier step of this job has failed. It may have been dbt, before it could write anything. */
  jobFailed: boolean
}

export interface Evidence {
  projects: Project[]
  /** The newest build; milliseconds since the epoch. null: there is no evidence of any. */
  builtAt: number | null
  /** Why the gate cannot be trusted: nothing may be triggered then. */
  problems: string[]
  warnings: string[]
  notices: string[]
}

const BUILDS = ['build', 'run', 'seed', 'snapshot', 'retry']
const TESTS = ['build', 'test', 'retry']
/** How far ahead of this machine another one's clock may be. */
const AHEAD_MS = 5 * 60_000
/** What this workflow run made itself may be this old: somebody starts its failed job again the day after the next. */
const OWN_MS = 72 * 3_600_000
const NEWEST_RESULTS = 6
/** Version 12 is the current one; previews of dbt 2 called theirs 20. */
const NEWEST_MANIFESTS = [12, 20]

/**
 * Decides which of the files are evidence. A listed file of builds or tests that cannot be trusted is a problem, for leaving it out
 * would open the gate to what it says; a file of another command is none, and left out.
 */
export function weigh(found: readonly Found[], freshness: Freshness): Evidence {
  const problems: string[] = []
  const warnings: string[] = []
  const notices: string[] = []
  const builds: RunResults[] = []
  const tests: RunResults[] = []
  const others: RunResults[] = []
  const projects = manifestsOf(found)
  const homeOf = (file: RunResults | SourceResults, manifest: Manifest | null): Omit<Files, 'manifest'> => {
    const home = manifest === null ? whoKnows(file, projects) : projects.get(manifest.project)
    if (home !== undefined) return home
    problems.push(
      `${file.path} has no manifest.json beside it, and no other given folder has one that knows its models. Keep dbt's manifest.json with it.`,
    )
    return { builds: [], tests: [], sources: [] }
  }

  for (const { path, results, manifest, manifestOnly, committed } of found) {
    if (results === null) {
      if (!manifestOnly) problems.push(`${path} holds no run_results.json: dbt has not come to its end there.`)
      continue
    }
    const isBuild = BUILDS.includes(results.command)
    const isTest = TESTS.includes(results.command)
    if (!isBuild && !isTest) {
      others.push(results)
      continue
    }
    const doubt = doubtAbout(results, committed.has(results.path), freshness)
    if (doubt !== null) problems.push(`${results.path} ${doubt}`)
    if (results.limited !== null) problems.push(`${results.path} ${withoutRows(results.limited)}`)
    if (results.schema > NEWEST_RESULTS) warnings.push(newer(results))
    const home = homeOf(results, manifest)
    if (isBuild) builds.push(results)
    if (isBuild) home.builds.push(results)
    if (isTest) tests.push(results)
    if (isTest) home.tests.push(results)
  }
  for (const { sources, manifest, committed } of found) {
    if (sources === null) continue
    const doubt = doubtAbout(sources, committed.has(sources.path), freshness)
    if (doubt === null && sources.rows.length === 0) {
      warnings.push(`${sources.path} says nothing of any source: one that dbt could not read has no row.`)
    }
    if (doubt === null) homeOf(sources, manifest).sources.push(sources)
    else notices.push(`${sources.path} is left out: it ${doubt}`)
  }
  if (builds.length === 0 && !found.some(({ results, manifestOnly }) => results === null && !manifestOnly)) {
    problems.push(whyNoBuild(tests, others))
  } else {
    for (const { path, command } of others) {
      notices.push(`${path} is left out: dbt ${inWords(command)} builds and tests nothing.`)
    }
  }
  for (const project of projects.values()) project.isBroken = freshness.jobFailed
  if (freshness.jobFailed && problems.length === 0 && !isExplained([...projects.values()])) {
    problems.push(...whyUnexplained([...projects.values()]))
    for (const project of projects.values()) project.isDoubtful = true
  }
  for (const { manifest, builds: made, tests: tried, sources } of projects.values()) {
    if (!NEWEST_MANIFESTS.includes(manifest.schema) && manifest.schema > 12) warnings.push(newer(manifest))
    const own = [...made, ...tried, ...sources]
    if (made.length > 0 && own.every(({ invocationId }) => invocationId !== manifest.invocationId)) {
      warnings.push(
        `${manifest.path} was written by another dbt command than the build. If models were renamed in between, some may not be found.`,
      )
    }
  }
  return { projects: link([...projects.values()]), builtAt: newest(builds), problems, warnings, notices }
}

/**
 * Whether something that dbt has written down may be why the job has failed: something that is not good yet. What is skipped is never
 * the cause.
 */
function isExplained(projects: readonly Files[]): boolean {
  const files = projects.flatMap(({ builds, tests, sources }) => [...builds, ...tests, ...sources])
  const newest = new Map<string, string>()
  for (const { rows } of files.toSorted((a, b) => a.generatedAt - b.generatedAt))
    for (const { id, status } of rows) newest.set(id, status)
  return [...newest.values()].some((status) => !GOOD.includes(status) && status !== 'skipped')
}

/**
 * A dbt that ends before its first model leaves the results of an earlier one (dbt 1), or none (dbt 2). So where a job has failed,
 * and these results neither show why nor belong to the newest command, they are not believed.
 */
function whyUnexplained(projects: readonly Files[]): string[] {
  const files = projects.flatMap(({ builds, tests }) => [...builds, ...tests])
  if (files.every(({ rows }) => rows.length === 0)) {
    return [
      `An earlier step of this job has failed, and ${files[0]?.path} holds no result: dbt has ended before its first model.`,
    ]
  }
  return projects.flatMap(({ manifest, builds, tests }) => {
    // A freshness check that came last hides what else may have written the manifest before it.
    const own = [...builds, ...tests]
    const isNewer =
      own.length > 0 &&
      own.every((file) => file.generatedAt < manifest.generatedAt && file.invocationId !== manifest.invocationId)
    return isNewer
      ? [
          `An earlier step of this job has failed, and ${manifest.path} is newer than the results beside it: a later dbt command ended before it could write its own.`,
        ]
      : []
  })
}

/** What is left where nothing that dbt did is to be believed: the lineage alone. */
export function lineageOnly(found: readonly Found[]): Project[] {
  return link([...manifestsOf(found).values()])
}

type Files = ProjectFiles & {
  builds: RunResults[]
  tests: RunResults[]
  sources: SourceResults[]
  isDoubtful?: boolean
  isBroken?: boolean
}

/** The projects that the manifests tell of, each with its newest one. */
function manifestsOf(found: readonly Found[]): Map<string, Files> {
  const projects = new Map<string, Files>()
  for (const { manifest } of found) {
    if (manifest === null) continue
    const known = projects.get(manifest.project)
    if (known === undefined) projects.set(manifest.project, { manifest, builds: [], tests: [], sources: [] })
    else if (known.manifest.generatedAt < manifest.generatedAt) known.manifest = manifest
  }
  return projects
}

/** The project whose manifest knows every row of a file that has no manifest beside it. */
function whoKnows({ rows }: RunResults | SourceResults, projects: ReadonlyMap<string, Files>): Files | undefined {
  const ids = rows.map(({ id }) => id).filter((id) => !/^(operation|exposure|saved_query)\./.test(id))
  return [...projects.values()].find(({ manifest }) => ids.every((id) => manifest.nodes.has(id)))
}

/** Why a file is not from today's dbt, in words that go on after its path; null where it is. */
function doubtAbout(
  { generatedAt, githubRunId }: RunResults | SourceResults,
  committed: boolean,
  { now, maxAgeMs, githubRunId: expected }: Freshness,
): string | null {
  const when = `${new Date(generatedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const age = now - generatedAt
  if (age < -AHEAD_MS) return `is dated ahead of this machine's clock (${when}): one of the two clocks is wrong.`
  const isOwn = expected !== null && githubRunId === expected
  if (githubRunId !== null && expected !== null && !isOwn) {
    return `was made by workflow run ${githubRunId}, not by ${expected}. Let dbt run in this workflow run, or name the other one in github-run-id.`
  }
  const limit = isOwn ? Math.max(OWN_MS, maxAgeMs) : maxAgeMs
  if (age > limit) {
    const than = isOwn ? `${limit / 3_600_000} hours` : `dbt-max-age-hours (${maxAgeMs / 3_600_000}) allows`
    return `is from ${when}, ${ago(age)} ago: older than ${than}. Did dbt run before this step, and write to this folder?`
  }
  if (committed && !isOwn) {
    return 'is committed to the repository and unchanged since: it came with the checkout, and says nothing about this build. Take it out of git (git rm --cached), or let dbt write to this folder.'
  }
  return null
}

function withoutRows(option: string): string {
  return `comes from a dbt with ${option}, which leaves rows out of the tables: no sync may run on them. Build without it.`
}

function whyNoBuild([test]: readonly RunResults[], [other]: readonly RunResults[]): string {
  if (test !== undefined) {
    return `${test.path} holds tests only: dbt test has overwritten what dbt run had written. Use dbt build; or give dbt run a folder of its own (--target-path target/run) and name both in dbt-artifacts.`
  }
  if (other === undefined) return 'There is no run_results.json, so nobody can say what dbt has built.'
  const cure =
    other.command === 'generate' ? ', or give it a folder of its own: dbt docs generate --target-path target/docs' : ''
  return `${other.path} was written by dbt ${inWords(other.command)}, which has overwritten what the build had written and says nothing about the data. Run that command after this step${cure}.`
}

function inWords(command: string): string {
  return command === 'generate' ? 'docs generate' : command || '(of an unknown command)'
}

function newer({ path, schema }: { path: string; schema: number }): string {
  return `${path} has a newer format (v${schema}) than this version of the action knows. What it needs was found in it.`
}

function newest(files: readonly { generatedAt: number }[]): number | null {
  return files.length === 0 ? null : Math.max(...files.map(({ generatedAt }) => generatedAt))
}

function ago(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} minutes`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`
}

import type { ProviderFacts } from '../core/input-values.ts'
import { type Inputs, settingsOf } from '../core/inputs.ts'
import { lineageOnly, weigh } from './evidence.ts'
import { hasUnusedResults, type Read, readArtifacts } from './reader.ts'
import { Rulings } from './rulings.ts'

/** What dbt has left for this step, read and weighed. */
export interface Dbt {
  rulings: Rulings
  /** The newest build; milliseconds since the epoch. null: nothing that can be relied on. */
  builtAt: number | null
  /** Why nothing may be triggered. */
  problems: string[]
  /** What is wrong with the names of models in the config file. */
  badNames: string[]
}

export interface Consulted {
  /** null where the step was given nothing of dbt's. */
  dbt: Dbt | null
  warnings: string[]
  notices: string[]
}

/** Reads what `dbt-artifacts` names, and decides whether it is evidence. `root` is where its paths start, `now` this machine's clock. */
export async function consultDbt(inputs: Inputs, facts: ProviderFacts, root: string, now: number): Promise<Consulted> {
  if (inputs.artifacts.length === 0) {
    // A step that waits for runs takes nothing of dbt's.
    const notices =
      inputs.mode !== 'wait' && (await hasUnusedResults(root))
        ? [
            'target/run_results.json is there and not used. With dbt-artifacts: target each sync is gated on what dbt did with its models.',
          ]
        : []
    return { dbt: null, warnings: modelsUnused(inputs), notices }
  }
  const read = await readArtifacts(inputs.artifacts, root)
  const { maxAgeMs, githubRunId } = inputs
  const evidence = weigh(read.found, { now, maxAgeMs, githubRunId, jobFailed: inputs.jobStatus === 'failure' })
  // Where nothing could be read, that nothing was built is no news.
  const problems =
    read.found.length === 0 || isBeforeBuild(inputs, read) ? read.problems : [...read.problems, ...evidence.problems]
  const isUsed = problems.length === 0 || !mayDoWithout(inputs)
  const basis = problems.length === 0 ? evidence : { projects: lineageOnly(read.found), builtAt: null }
  const rulings = new Rulings(
    basis,
    facts,
    isUsed ? undefined : 'what dbt did is not known, as its results are not used',
  )
  const badNames =
    basis.projects.length === 0
      ? []
      : [...inputs.config.keys()].flatMap((id) =>
          rulings.problemsOf(settingsOf(inputs, id)).map((problem) => `config: sync ${id}: models: ${problem}`),
        )
  return {
    dbt: { rulings, builtAt: basis.builtAt, problems: isUsed ? problems : [], badNames },
    warnings: [...(isUsed ? [] : problems.map((problem) => `Not used: ${problem}`)), ...evidence.warnings],
    notices: [...evidence.notices, ...rulings.notices],
  }
}

/** A plan whose step stands before the build: that there are no results is how it should be. */
function isBeforeBuild({ mode }: Inputs, { found }: Read): boolean {
  return mode === 'plan' && found.every(({ results, manifest }) => results === null && manifest !== null)
}

/** A plan may come before the build, and a step without a gate asks dbt for nothing but the time of its build. */
function mayDoWithout(inputs: Inputs): boolean {
  if (inputs.mode === 'plan') return true
  const gates = [inputs.gate, ...[...inputs.config.values()].map(({ gate }) => gate ?? inputs.gate)]
  return inputs.discover === 'none' && gates.every((gate) => gate === 'off')
}

function modelsUnused({ config, mode }: Inputs): string[] {
  const gated = mode !== 'wait' && [...config.values()].some(({ models }) => models !== undefined)
  return gated ? ['The config file names models, but without the input dbt-artifacts there is no gate.'] : []
}

import { CLEANUP } from './cleanup.ts'
import { DBT_FILES } from './dbt-files.ts'
import { DBT_GATE } from './dbt-gate.ts'
import { GITHUB } from './github.ts'
import { INPUTS } from './inputs.ts'
import { MINUTES, TIME } from './minutes.ts'
import { NETWORK } from './network.ts'
import { RUNS } from './runs.ts'
import type { Trouble } from './scene.ts'
import { TOKEN } from './token.ts'

/**
 * All that docs/troubleshooting.md tells of. To add a text: write its heading and what to do about it on the page, and name the heading
 * under `texts` of a scene that prints it, one that is there or a new one in the file of its topic.
 */
export const TROUBLES: readonly Trouble[] = [
  ...TOKEN,
  ...NETWORK,
  ...RUNS,
  ...MINUTES,
  ...CLEANUP,
  ...DBT_FILES,
  ...DBT_GATE,
  ...INPUTS,
  ...TIME,
  ...GITHUB,
]

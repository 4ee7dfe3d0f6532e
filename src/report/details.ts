import type { Result } from '../core/result.ts'
import { number, plural } from './format.ts'
import type { Page } from './page.ts'
import { markdown } from './safe.ts'
import { modelName, nameOf } from './wording.ts'

/** What only somebody who looks into it wants to know: which run, when, how often it was asked for, how dbt's part is known. Folded. */
export function detailsOf(results: readonly Result[], page: Page): void {
  const told = results.filter(({ runId, ruling }) => runId !== null || ruling !== null)
  const withDbt = told.some(({ ruling }) => ruling !== null)
  const columns = [
    'Sync',
    'Run',
    'Created (UTC)',
    'Ended (UTC)',
    'Triggers',
    'Looks',
    ...(withDbt ? ['Models', 'How that is known'] : []),
  ]
  const head = `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}\n`
  page.list(
    told.map((result) => ({ text: row(result, withDbt), syncs: 1 })),
    {
      share: 1,
      before: `<details><summary>${told.some(({ runId }) => runId !== null) ? 'Runs' : 'Models'} of ${plural(told.length, 'sync')}</summary>\n\n${head}`,
      after: '\n</details>\n',
    },
  )
}

function row({ sync, runId, run, adopted, attempts, polls, ruling }: Result, withDbt: boolean): string {
  const cells = [
    markdown(nameOf(sync), 200),
    runId === null ? '' : `${runId}${adopted ? ' (not started by this step)' : ''}`,
    timeOf(run?.createdAt ?? null),
    timeOf(run?.finishedAt ?? null),
    number(attempts),
    number(polls),
    ...(withDbt ? [markdown((ruling?.models ?? []).map(modelName).join(', '), 500), sourceOf(ruling)] : []),
  ]
  return `| ${cells.join(' | ')} |\n`
}

function sourceOf(ruling: Result['ruling']): string {
  return ruling === null ? '' : markdown([ruling.source, ...ruling.notes.map(({ text }) => text)].join('; '), 300)
}

function timeOf(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

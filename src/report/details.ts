import type { Result } from '../core/result.ts'
import { number, plural } from './format.ts'
import type { Page } from './page.ts'
import { markdown } from './safe.ts'
import { type Column, tableOf } from './table.ts'
import { modelName, nameOf } from './wording.ts'

/** What only somebody who looks into it wants to know: which run, when, how often it was asked for, how dbt's part is known. Folded. */
export function detailsOf(results: readonly Result[], page: Page): void {
  const told = results.filter(({ runId, ruling }) => runId !== null || ruling !== null)
  const { head, rows } = tableOf(COLUMNS, told)
  const what = told.some(({ runId }) => runId !== null) ? 'Runs' : 'Models'
  const title = `<details><summary>${what} of ${plural(told.length, 'sync')}</summary>\n\n`
  page.list(rows(told), { share: 1, before: title + head, after: '\n</details>\n' })
}

const COLUMNS: readonly Column[] = [
  { title: 'Sync', cell: ({ sync }) => markdown(nameOf(sync), 200) },
  {
    title: 'Run',
    cell: ({ runId, adopted, attempts }) => {
      const found = attempts > 0 ? ' (found: the answer to its trigger was lost)' : ' (not started by this step)'
      return runId === null ? '' : `${runId}${adopted ? found : ''}`
    },
  },
  { title: 'Created (UTC)', cell: ({ run }) => timeOf(run?.createdAt ?? null) },
  { title: 'Ended (UTC)', cell: ({ run }) => timeOf(run?.finishedAt ?? null) },
  { title: 'Triggers', cell: ({ attempts, polls }) => (attempts + polls === 0 ? '' : number(attempts)) },
  { title: 'Looks', cell: ({ attempts, polls }) => (attempts + polls === 0 ? '' : number(polls)) },
  { title: 'Models', cell: ({ ruling }) => markdown((ruling?.models ?? []).map(modelName).join(', '), 500) },
  { title: 'How that is known', cell: ({ ruling }) => sourceOf(ruling) },
]

function sourceOf(ruling: Result['ruling']): string {
  return ruling === null ? '' : markdown([ruling.source, ...ruling.notes.map(({ text }) => text)].join('; '), 300)
}

function timeOf(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

import type { Result } from '../core/result.ts'
import type { Part } from './page.ts'

/** What a table tells of a sync. */
export interface Column {
  title: string
  /** Safe text; empty where there is nothing to tell. */
  cell(result: Result): string
}

/** A table of Markdown without the columns that are empty for all these results: its head, and its rows as parts of a page. */
export function tableOf(all: readonly Column[], results: readonly Result[]) {
  const columns = all.filter(({ cell }) => results.some((result) => cell(result) !== ''))
  const rowOf = (result: Result): Part => ({ text: line(columns.map(({ cell }) => cell(result))), syncs: 1 })
  return {
    head: `${line(columns.map(({ title }) => title))}|${'---|'.repeat(columns.length)}\n`,
    rows: (some: readonly Result[]) => some.map(rowOf),
  }
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`
}

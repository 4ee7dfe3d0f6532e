import type { Change } from '../core/change.ts'
import { COLORS } from '../core/judge.ts'
import type { Result } from '../core/result.ts'
import { number, plural } from './format.ts'
import type { Report } from './outputs.ts'
import { Page } from './page.ts'
import { markdown } from './safe.ts'
import { destinationOf, endOf, modelName, modelsOf, nameOf, OUTCOMES, whyOf } from './wording.ts'

export interface PlanFacts {
  report: Report
  /** What the pull request changes, or why nobody can say. */
  touched: Change | 'no manifest' | 'too many files'
  /** The page of the workflow run, and the commit that it ran for. */
  runUrl: string
  commit: string
}

/** GitHub takes comments of up to 65,536 characters. In bytes, with room for what is around. */
const MOST_BYTES = 60_000

/** The comment on a pull request: what of its models would go where, and what would keep it from getting there. */
export function planComment(facts: PlanFacts): string {
  const { report, touched, runUrl, commit } = facts
  const rows = report.results.map((result) => rowOf(result, facts)).toSorted((a, b) => a.rank - b.rank)
  const near = rows.filter(({ isTouched }) => isTouched)
  const far = rows.filter(({ isTouched }) => !isTouched)
  const page = new Page(MOST_BYTES)
  page.add(`### 📝 What this change would ship\n\n`)
  // Where the step gave up, it knows nothing of what would be.
  if (report.problems.length > 0)
    page.add(`${['There is no plan.', ...report.problems.map((text) => `> ${markdown(text)}`)].join('\n\n')}\n\n`)
  else page.add(`${opening(facts, near, far)}\n\n`)
  const head = `| Sync | Destination | ${isUnknown(touched) ? 'Models' : 'Changed models'} | What would happen |\n|---|---|---|---|\n`
  page.list(near, { share: 0.7, before: head, after: '\n' })
  const summary = `${plural(far.length, 'sync')} that this change does not touch`
  page.list(far, { share: 0.7, before: `<details><summary>${summary}</summary>\n\n${head}`, after: '\n</details>\n\n' })
  page.add(`Planned by [this workflow run](${runUrl}) for ${markdown(commit.slice(0, 7))}. Nothing was triggered.\n`)
  return page.text
}

interface Row {
  text: string
  syncs: 1
  isTouched: boolean
  /** It is known which models feed it. */
  isSure: boolean
  isBad: boolean
  destination: string
  rank: number
}

function rowOf(result: Result, { touched }: PlanFacts): Row {
  const { sync, ruling } = result
  const end = endOf(result)
  const isBad = COLORS[end] === 'red'
  const models = ruling?.models ?? null
  const changed = isUnknown(touched) ? (models ?? []) : models === null ? touched.models : touched.feeding(models)
  const isTouched = isUnknown(touched) || changed.length > 0
  const named = changed.length > 0 ? modelsOf({ models: [...changed] }) : ''
  const cells = [
    `[${markdown(nameOf(sync), 200)}](${result.url})`,
    markdown(destinationOf(sync)),
    models === null && changed.length > 0 ? 'not known which feed it' : markdown(named, 300),
    `${isBad ? OUTCOMES[end].mark : end === 'skipped' ? OUTCOMES.skipped.mark : ''} ${markdown(whyOf(result, false), 300)}`.trim(),
  ]
  return {
    text: `| ${cells.join(' | ')} |\n`,
    syncs: 1,
    isTouched,
    isSure: models !== null,
    isBad,
    destination: destinationOf(sync),
    rank: isBad ? 0 : 1,
  }
}

function isUnknown(touched: PlanFacts['touched']): touched is Exclude<PlanFacts['touched'], Change> {
  return typeof touched === 'string'
}

const WHY_UNKNOWN = {
  'no manifest': 'Which of them this change touches is known where `dbt-artifacts` has dbt’s manifest.',
  'too many files': 'Which of them this change touches is not known: GitHub does not list all of its files.',
}

function opening({ touched, report }: PlanFacts, near: readonly Row[], far: readonly Row[]): string {
  const { length: count } = report.results
  const total = plural(count, 'sync')
  const stopped = stoppedOf(near, far)
  if (isUnknown(touched)) return `The plan for ${total}${placesOf(near)}.${stopped} ${WHY_UNKNOWN[touched]}`
  const removed = removalOf(touched)
  const { length } = touched.models
  if (length === 0 && removed !== '') return `This change removes ${removed}${stopped}`
  if (length === 0) return `This change touches the files of no model, seed or snapshot of dbt.${stopped}`
  const models = `This change touches ${plural(length, 'model')} (${listed(touched.models.map(modelName), 10)})`
  const also = removed === '' ? '' : ` It removes ${removed}`
  const sure = near.filter(({ isSure }) => isSure)
  const unsure = near.length - sure.length
  const perhaps =
    unsure === 0
      ? ''
      : ` It is not known which models feed ${plural(unsure, 'sync')}: it may be ${unsure === 1 ? 'one' : 'some'} of them.`
  const end = `${perhaps}${also}${stopped}`
  if (near.length === 0) return `${models}, which ${length === 1 ? 'feeds' : 'feed'} no sync of this step.${end}`
  if (sure.length === 0) return `${models}.${end}`
  const which =
    sure.length < count ? `${number(sure.length)} of ${total}` : count === 1 ? 'the one sync' : `all ${total}`
  return `${models}, which ${length === 1 ? 'feeds' : 'feed'} ${which}${placesOf(sure)}.${end}`
}

function placesOf(rows: readonly Row[]): string {
  const places = [...new Set(rows.map(({ destination }) => destination))].filter((place) => place !== '').sort()
  return places.length === 0 ? '' : `, to ${listed(places, 5)}`
}

function removalOf({ removed }: Change): string {
  if (removed.length === 0) return ''
  const them = removed.length === 1 ? 'it' : 'they'
  return `${plural(removed.length, 'model')} (${listed(removed, 10)}): what ${them} fed, dbt’s manifest does not know any more.`
}

/** How many of them would not ship; and how many of those that are folded away. */
function stoppedOf(near: readonly Row[], far: readonly Row[]): string {
  const bad = near.filter(({ isBad }) => isBad).length
  const others = far.filter(({ isBad }) => isBad).length
  const none = near.length === 1 ? '**It would not ship.**' : '**None of them would ship.**'
  const few = bad === near.length ? none : `**${number(bad)} of them would not ship.**`
  const elsewhere = `**${plural(others, 'other sync', 'other syncs')} would not ship.**`
  return `${bad === 0 ? '' : ` ${few}`}${others === 0 ? '' : ` ${elsewhere}`}`
}

function listed(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).map((name) => markdown(name))
  return `${shown.join(', ')}${names.length > most ? ` and ${number(names.length - most)} more` : ''}`
}

import type { Inputs } from './inputs.ts'
import { type Desk, readFlag } from './reading.ts'

/** What the step may say on GitHub, beside its log and summary. */
export interface Reporting {
  /** The token for GitHub; empty where there is none. */
  token: string
  /** Whether a plan is commented on its pull request. */
  comment: boolean
  /** The title of the issue that says what does not deliver; null: there is to be none. */
  issueTitle: string | null
}

/** As long as GitHub takes the title of an issue. Characters. */
const LONGEST_TITLE = 256

/** What is asked for; of what makes no sense in this mode nothing is left. */
export function readReporting(desk: Desk, mode: Inputs['mode']): Reporting {
  const title = desk.text('failure-issue')
  const isTitle = title.length <= LONGEST_TITLE && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(title)
  if (!isTitle)
    desk.problem('failure-issue', `Allowed: the title of an issue, one line of up to ${LONGEST_TITLE} characters.`)
  // What was meant for a switch would open an issue of that name.
  const isSwitch = /^(true|false|yes|no|on|off)$/i.test(title)
  if (isSwitch)
    desk.problem('failure-issue', 'Allowed: the title that the issue is to have, such as "Nightly sync is failing".')
  const comment = readFlag(desk, 'pr-comment')
  const isMode = ['run', 'trigger', 'wait'].includes(desk.text('mode').toLowerCase())
  if (comment && isMode) desk.problem('pr-comment', 'It needs mode: plan: what is commented is the plan.')
  const token = desk.text('github-token')
  if (!/^[\x21-\x7e]*$/.test(token)) {
    desk.problems.push(
      'github-token: holds a blank, a line break or a letter that no token has. Leave it out: the default is right.',
    )
  }
  if (!/^\d{0,5}$/.test(desk.text('job-index'))) desk.problem('job-index', 'Leave it out: the default is right.')
  if (title !== '' && mode === 'plan')
    desk.warnings.push('failure-issue: has no effect with mode: plan, which delivers nothing.')
  return {
    token,
    comment: comment && mode === 'plan',
    issueTitle: title === '' || !isTitle || isSwitch || mode === 'plan' ? null : title,
  }
}

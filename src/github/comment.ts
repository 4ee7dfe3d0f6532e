import { markerOf, readMarker } from '../report/marker.ts'
import type { GitHub, Said } from './api.ts'
import { GitHubError } from './trouble.ts'

const PLAN = 'plan'

/**
 * Keeps one comment on a pull request: the first one that this step of the workflow has written is edited, whatever page it is on, and
 * none is written beside it. `step` tells the comments of several steps apart.
 */
export async function keepComment(github: GitHub, number: number, step: string, text: string): Promise<void> {
  const login = await github.login()
  const body = `${markerOf(PLAN, { step })}\n${text}`
  const ours = async () => (await github.comments(number)).filter((said) => said.login === login && isOf(said, step))
  const before = await ours()
  if (before.length > 0) return await keepFirst(github, before, body)
  try {
    await github.createComment(number, body)
  } catch (error) {
    if (!(error instanceof GitHubError) || !error.uncertain) throw error
    // Nobody knows whether it is there: it is looked for, and never written a second time.
    if ((await ours()).length === 0) throw error
  }
  // Another run may have written one in the same moment: both look now, and both keep the older one.
  const after = await ours()
  if (after.length > 1) await keepFirst(github, after, body)
}

async function keepFirst(github: GitHub, [first, ...others]: readonly Said[], body: string): Promise<void> {
  if (first !== undefined && first.body !== body) await github.updateComment(first.id, body)
  for (const { id } of others) await github.deleteComment(id)
}

function isOf({ body }: Said, step: string): boolean {
  const marker = readMarker(PLAN, body)
  return typeof marker === 'object' && marker !== null && 'step' in marker && marker.step === step
}

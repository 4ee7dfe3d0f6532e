import * as v from 'valibot'
import type { Event } from '../core/events.ts'
import { saveState } from './runner.ts'

/** What the post step knows of a sync's run. Never anything secret: other steps can read and write the same file. */
export interface SavedRun {
  syncId: string
  runId: string | null
  /** Still going as far as main knew, and started by this step. */
  open: boolean
}

const RUN = 'run-'
const VERDICT = 'verdict'
const Saved = v.object({ syncId: v.string(), runId: v.nullable(v.string()), open: v.boolean() })

/** Keeps the post step informed: of a trigger before it is sent, of the run as soon as it is known, of its end. */
export function createStateKeeper(): (event: Event) => void {
  const runs = new Map<string, SavedRun>()
  const stopped = new Set<string>()
  const save = (run: SavedRun) => {
    runs.set(run.syncId, run)
    saveState(`${RUN}${run.syncId}`, run)
  }
  return (event) => {
    switch (event.kind) {
      case 'intent':
        return save({ syncId: event.sync.id, runId: null, open: true })
      case 'triggered':
        return event.cancellable ? save({ syncId: event.sync.id, runId: event.runId, open: true }) : undefined
      case 'cancelled':
        stopped.add(event.runId)
        return
      case 'settled': {
        const run = runs.get(event.result.sync.id)
        if (run === undefined) return
        // A run that the workflow's cancellation could not stop is left to the post step, which has more time.
        const leftOver =
          event.result.outcome === 'cancelled' &&
          run.runId !== null &&
          event.result.run?.state !== 'cancelled' &&
          !stopped.has(run.runId)
        return save({ ...run, open: leftOver })
      }
    }
  }
}

export function saveVerdict(conclusion: string): void {
  saveState(VERDICT, conclusion)
}

/** The state as main left it. What does not look like ours is left out. */
export function readState(env: NodeJS.ProcessEnv): { verdict: string | null; runs: SavedRun[] } {
  const runs = Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith(`STATE_${RUN}`)) return []
    const saved = v.safeParse(Saved, parse(value))
    return saved.success ? [saved.output] : []
  })
  const verdict = parse(env[`STATE_${VERDICT}`])
  return { verdict: typeof verdict === 'string' ? verdict : null, runs }
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return null
  }
}

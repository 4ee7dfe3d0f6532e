/**
 * Syncs and their runs over a clock that is passed in. Nothing here happens by itself: the state of a run is worked
 * out from its timeline whenever somebody asks, so a virtual clock behaves exactly like the real one.
 */
import type { CancelResult, RunReason, RunView, StartedRun, TriggerResult } from './run.ts'
import { describeSync, type SyncSettings } from './sync.ts'
import { checkTimeline, isSettled, type RunState, stateAt, type Timeline } from './timeline.ts'
import { completesAfter, skipped } from './timelines.ts'

export interface MachineOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** What `status` a cancelled run carries: only `completed` is documented (one sample), the truth is unknown. */
  readonly cancelledStatus: 'completed' | 'failed' | 'cancelled' | 'working'
  /** How long a cancellation takes to reach the run, for races with its completion: unknown, so configurable. */
  readonly cancelTakesMs: number
  /** Whether a queued run can be cancelled: unknown, so configurable. */
  readonly cancelQueued: 'cancels' | 'refuses'
}

interface Run {
  readonly id: number
  readonly syncId: number
  readonly createdAt: number
  readonly reason: RunReason
  readonly startedBy: string
  readonly fullSync: boolean
  readonly triggered: boolean
  readonly collides: boolean
  readonly planned: Timeline | undefined
  /** Decided when the run's instant has come, because only then is it known whether another one is in its way. */
  timeline: Timeline | undefined
  cancelledAt: number | undefined
}

/** Recorded: run ids are nine digits, far below the limit of exact numbers. */
const FIRST_RUN_ID = 431_000_000
/** Recorded: `updated_at` moves once more, a minute or more after completion. */
const AFTERGLOW_MS = 80_000

export class Machine {
  readonly #options: MachineOptions
  readonly #epoch: number
  readonly #syncs = new Map<number, SyncSettings>()
  readonly #scripts = new Map<number, Timeline[]>()
  readonly #runs = new Map<number, Run>()
  readonly #triggerCalls = new Map<number, number>()

  constructor(options: Partial<MachineOptions> = {}) {
    this.#options = {
      now: Date.now,
      cancelledStatus: 'completed',
      cancelTakesMs: 0,
      cancelQueued: 'cancels',
      ...options,
    }
    this.#epoch = this.#options.now()
  }

  addSync(settings: Partial<SyncSettings> & { readonly id: number }): void {
    const sync = describeSync(settings)
    checkTimeline(sync.timeline)
    this.#syncs.set(sync.id, sync)
  }

  /** Changes a sync in mid-air, as a person in the vendor's pages would. */
  changeSync(id: number, changes: Partial<Omit<SyncSettings, 'id'>>): void {
    this.addSync({ ...this.#known(id), ...changes, id })
  }

  removeSync(id: number): void {
    this.#syncs.delete(id)
  }

  sync(id: number): SyncSettings | undefined {
    return this.#syncs.get(id)
  }

  syncs(): SyncSettings[] {
    return [...this.#syncs.values()].sort((one, other) => one.id - other.id)
  }

  /** Timelines for the next triggered runs of a sync, in order. A run that is skipped uses none up. */
  script(syncId: number, ...timelines: readonly Timeline[]): void {
    this.#known(syncId)
    const script = this.#scripts.get(syncId) ?? []
    this.#scripts.set(syncId, [...script, ...timelines.map(checkTimeline)])
  }

  /** A run nobody asked this simulator for by API. Returns its id, which a future run has from now on. */
  startRun(syncId: number, started: StartedRun = {}): number {
    this.#known(syncId)
    const reason = started.reason ?? 'schedule'
    const run = this.#create({
      syncId,
      createdAt: started.createdAt ?? this.#options.now(),
      reason,
      startedBy: started.startedBy ?? 'noor.haddad@shop.example',
      fullSync: started.fullSync ?? false,
      triggered: false,
      collides: started.collides ?? reason !== 'dry-run',
      planned: started.timeline === undefined ? undefined : checkTimeline(started.timeline),
    })
    this.#arrive()
    return run.id
  }

  trigger(syncId: number, fullSync: boolean): TriggerResult {
    const sync = this.#known(syncId)
    this.#triggerCalls.set(syncId, this.triggerCalls(syncId) + 1)
    this.#arrive()
    if (sync.paused && sync.pausedTrigger === 'refuses') return { kind: 'refused', because: 'paused' }
    const unsupported = fullSync && sync.operation === 'append'
    if (unsupported && sync.unsupportedFullSync === 'refused') {
      return { kind: 'refused', because: 'full-sync-unsupported' }
    }
    const now = this.#options.now()
    if (sync.onCollision !== 'skip-run' && this.#isBusy(syncId, now)) return { kind: 'refused', because: 'running' }
    const run = this.#create({
      syncId,
      createdAt: now,
      reason: 'api',
      startedBy: '',
      fullSync: fullSync && !unsupported,
      triggered: true,
      collides: true,
      planned: undefined,
    })
    this.#arrive()
    return { kind: 'run', run: this.#view(run) }
  }

  cancel(runId: number): CancelResult {
    this.#arrive()
    const run = this.#runs.get(runId)
    if (run?.timeline === undefined) return 'missing'
    const now = this.#options.now()
    const state = this.#stateOf(run, now)
    if (state.vanished || !state.visible) return 'missing'
    if (isSettled(state)) return 'already-settled'
    if (state.status === 'queued' && this.#options.cancelQueued === 'refuses') return 'refused'
    run.cancelledAt ??= now + this.#options.cancelTakesMs
    return 'cancelled'
  }

  /** A run a client can read now. */
  run(runId: number): RunView | undefined {
    this.#arrive()
    const run = this.#runs.get(runId)
    if (run?.timeline === undefined) return undefined
    const view = this.#view(run)
    return view.state.visible && !view.state.vanished ? view : undefined
  }

  /** All runs of a sync created until now, oldest first, hidden and vanished ones too: the view of the test. */
  runs(syncId: number): RunView[] {
    this.#arrive()
    const arrived = [...this.#runs.values()].filter((run) => run.syncId === syncId && run.timeline !== undefined)
    return arrived.sort(byCreation).map((run) => this.#view(run))
  }

  /** The runs of a sync that a client sees in a list, oldest first. */
  listedRuns(syncId: number): RunView[] {
    return this.runs(syncId).filter(({ state }) => state.listed && state.visible && !state.vanished)
  }

  /** How many runs of this sync exist because of a trigger call, skipped ones included. */
  runsCreated(syncId: number): number {
    return this.runs(syncId).filter((run) => run.triggered).length
  }

  /** How many trigger calls reached this sync, refused ones included. */
  triggerCalls(syncId: number): number {
    return this.#triggerCalls.get(syncId) ?? 0
  }

  #known(syncId: number): SyncSettings {
    const sync = this.#syncs.get(syncId)
    if (sync === undefined) throw new Error(`Simulator: there is no sync ${syncId}.`)
    return sync
  }

  #create(run: Omit<Run, 'id' | 'timeline' | 'cancelledAt'>): Run {
    const created: Run = { ...run, id: this.#runIdAt(run.createdAt), timeline: undefined, cancelledAt: undefined }
    this.#runs.set(created.id, created)
    return created
  }

  /** Ids grow with the moment of creation, as real ones do; so even a run of the future can have its id today. */
  #runIdAt(createdAt: number): number {
    const elapsed = createdAt - this.#epoch
    let id = FIRST_RUN_ID + Math.floor(elapsed < 0 ? elapsed / 1000 : elapsed)
    while (this.#runs.has(id)) id += 1
    return id
  }

  /** Lets every run begin whose instant has come. Documented: one run at a time per sync, the later one is skipped. */
  #arrive(): void {
    const now = this.#options.now()
    const due = [...this.#runs.values()].filter((run) => run.timeline === undefined && run.createdAt <= now)
    for (const run of due.sort(byCreation)) {
      const blocked = run.collides && this.#isBusy(run.syncId, run.createdAt)
      run.timeline = blocked ? skipped() : this.#timelineFor(run)
    }
  }

  #timelineFor(run: Run): Timeline {
    if (run.planned !== undefined) return run.planned
    if (run.reason === 'dry-run') return completesAfter(4000)
    const scripted = run.triggered ? this.#scripts.get(run.syncId)?.shift() : undefined
    return scripted ?? this.#syncs.get(run.syncId)?.timeline ?? completesAfter(4000)
  }

  #isBusy(syncId: number, at: number): boolean {
    return [...this.#runs.values()].some(
      (run) => run.syncId === syncId && run.collides && run.createdAt <= at && this.#isActive(run, at),
    )
  }

  #isActive(run: Run, at: number): boolean {
    return run.timeline !== undefined && !isSettled(this.#stateOf(run, at))
  }

  #stateOf(run: Run, at: number): RunState {
    const timeline = run.timeline ?? []
    const state = stateAt(timeline, at - run.createdAt)
    if (run.cancelledAt === undefined || run.cancelledAt > at) return state
    const cancelledAfterMs = run.cancelledAt - run.createdAt
    const before = stateAt(timeline, cancelledAfterMs)
    if (isSettled(before)) return state
    const status = this.#options.cancelledStatus
    const completedAfterMs = status === 'completed' ? cancelledAfterMs : null
    return { ...before, status, canceled: true, completedAfterMs, changedAfterMs: cancelledAfterMs }
  }

  #view(run: Run): RunView {
    const now = this.#options.now()
    const state = this.#stateOf(run, now)
    const { id, syncId, createdAt, reason, startedBy, fullSync, triggered } = run
    const completedAt = state.completedAfterMs === null ? null : createdAt + state.completedAfterMs
    const changedAt = createdAt + state.changedAfterMs
    const updatedAt = completedAt === null ? changedAt : Math.max(changedAt, Math.min(now, completedAt + AFTERGLOW_MS))
    return { id, syncId, createdAt, updatedAt, completedAt, reason, startedBy, fullSync, triggered, state }
  }
}

function byCreation(one: Run, other: Run): number {
  return one.createdAt - other.createdAt || one.id - other.id
}

import { planOrphans, type SweepTime } from '../domain/orphans.ts'
import { WAKE_HORIZON_MS } from '../domain/wake.ts'
import type { EventsHint } from '../queue/message.ts'
import {
  advanceMark,
  dueSubscriptions,
  expireAllClaims,
  foldStatistics,
  giveRows,
  lastRunMs,
  openWorkspaces,
  reapClaims,
  recordRun,
  scanEvents,
} from '../storage/sweep.ts'

export type SweepDeps = {
  db: D1Database
  now: () => number
  sendEvents: (hints: EventsHint[]) => Promise<void>
  /** Wakes consumers for due work; answers how many wake-ups were sent. */
  wake: (dueMs: ReadonlyMap<number, number>) => Promise<number>
  /** When the oldest hint still waiting was sent; null when the queues are empty or do not say. */
  queuedSinceMs: () => Promise<number | null>
}

/** What a sweep did and what it left for the next one. */
export type SweepReport = {
  reaped: number
  scanned: number
  rehinted: number
  rowsGiven: number
  dueSubscriptions: number
  woken: number
  folded: number
  /** Whether a bound was met before the work was done. */
  truncated: boolean
}

const JOB = 'sweep'
/** Events younger than this are in good hands: their hint has only just been sent. */
const MIN_AGE_MS = 5_000
const EVENTS_PER_STEP = 2_000
const STEPS_MAX = 50
const WORKSPACES_PER_STEP = 100
const CLAIMS_PER_STEP = 100
const FOLDS_PER_STEP = 500
/** Wake-ups of one sweep; local queues break beyond 10,000 delayed messages. */
const DUE_SUBSCRIPTIONS_MAX = 2_000

/**
 * Repairs whatever was lost: hints that never arrived, consumers that died, wake-ups that went astray; and folds the
 * statistics. Bounded, and safe to run twice or side by side. `alone` says that no consumer of an earlier process is
 * alive, so that nothing has to be waited for.
 */
export async function sweep(deps: SweepDeps, { alone }: { alone: boolean }): Promise<SweepReport> {
  const report: SweepReport = {
    reaped: 0,
    scanned: 0,
    rehinted: 0,
    rowsGiven: 0,
    dueSubscriptions: 0,
    woken: 0,
    folded: 0,
    truncated: false,
  }
  const nowMs = deps.now()
  const lastSweepMs = (await lastRunMs(deps.db, JOB)) ?? 0
  if (alone) await expireAllClaims(deps.db)
  await reap(deps, report)
  const queuedSinceMs = (await deps.queuedSinceMs()) ?? nowMs
  await sweepOrphans(deps, { nowMs, lastSweepMs, alone, queuedSinceMs }, report)
  await wakeDue(deps, nowMs, report)
  await fold(deps, report)
  await recordRun(deps.db, JOB, nowMs, report)
  return report
}

async function reap(deps: SweepDeps, report: SweepReport): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    const reaped = await reapClaims(deps.db, deps.now(), CLAIMS_PER_STEP)
    report.reaped += reaped
    if (reaped < CLAIMS_PER_STEP) return
  }
  report.truncated = true
}

async function sweepOrphans(deps: SweepDeps, time: SweepTime, report: SweepReport): Promise<void> {
  let aboveNo = 0
  let stepsLeft = STEPS_MAX
  for (;;) {
    const workspaces = await openWorkspaces(deps.db, aboveNo, WORKSPACES_PER_STEP)
    for (const workspace of workspaces) {
      stepsLeft = await sweepWorkspace(deps, workspace, time, stepsLeft, report)
      aboveNo = workspace.no
    }
    if (workspaces.length < WORKSPACES_PER_STEP) return
  }
}

/** Sweeps one workspace from its mark upwards; answers how many steps are left for the others. */
async function sweepWorkspace(
  deps: SweepDeps,
  workspace: { no: number; sweptSeq: number },
  time: SweepTime,
  stepsLeft: number,
  report: SweepReport,
): Promise<number> {
  const workspaceNo = workspace.no
  const acceptedUntilMs = time.alone ? time.nowMs : time.nowMs - MIN_AGE_MS
  let aboveSeq = workspace.sweptSeq
  let markMayRise = true
  for (let left = stepsLeft; ; left--) {
    if (left <= 0) {
      report.truncated = true
      return 1
    }
    const scanned = await scanEvents(deps.db, {
      workspaceNo,
      aboveSeq,
      acceptedUntilMs,
      limit: EVENTS_PER_STEP,
    })
    const plan = planOrphans(scanned, time)
    report.scanned += scanned.length
    report.rehinted += plan.rehint.length
    report.rowsGiven += plan.giveRows.length
    // Rows come before the mark: were it the other way round, a crash between them would hide the events for good.
    const writes = plan.giveRows.map((range) =>
      giveRows(deps.db, { workspaceNo, ...range, subscriptions: null }, time.nowMs),
    )
    if (markMayRise && plan.markSeq !== null) writes.push(advanceMark(deps.db, workspaceNo, plan.markSeq))
    if (writes.length > 0) await deps.db.batch(writes)
    await deps.sendEvents(plan.rehint.map((range) => ({ v: 1, kind: 'events', workspaceNo, ...range })))
    const last = scanned.at(-1)
    if (last === undefined || scanned.length < EVENTS_PER_STEP) return left
    markMayRise &&= plan.markSeq === last.seq
    aboveSeq = last.seq
  }
}

async function wakeDue(deps: SweepDeps, nowMs: number, report: SweepReport): Promise<void> {
  const due = await dueSubscriptions(deps.db, nowMs + WAKE_HORIZON_MS, DUE_SUBSCRIPTIONS_MAX)
  report.dueSubscriptions = due.length
  report.truncated ||= due.length === DUE_SUBSCRIPTIONS_MAX
  report.woken = await deps.wake(new Map(due.map(({ no, dueMs }) => [no, dueMs])))
}

async function fold(deps: SweepDeps, report: SweepReport): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    const folded = await foldStatistics(deps.db, FOLDS_PER_STEP)
    report.folded += folded
    if (folded < FOLDS_PER_STEP) return
  }
}

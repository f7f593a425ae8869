import { z } from 'zod'
import { CLAIM_LEASE_MS } from '../deliver/first-attempts.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import { WAKE_HORIZON_MS } from '../hints/wake.ts'
import { rollUpStatistics } from '../history/statistics.sql.ts'
import { PACING_LEVELS } from '../pacing/settings.ts'
import { dueReplays } from '../replay/replays.sql.ts'
import { lastRun, recordRun } from '../store/jobs.sql.ts'
import { addDueRows } from './dead-letters.sql.ts'
import { planOrphans, type SweepTime } from './orphans.ts'
import {
  advanceWatermark,
  dueSubscriptions,
  expireClaims,
  openWorkspaces,
  reapClaims,
  scanEvents,
  waitingSubscriptions,
} from './sweep.sql.ts'

export type SweepDeps = {
  db: D1Database
  now: () => number
  hints: HintSender
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
  replays: number
  /** Paced subscriptions with deliveries waiting. */
  waiting: number
  /** Whether a bound was met before the work was done. */
  truncated: boolean
  /** Workspaces up to this number have had their turn; the next sweep goes on with those above it. */
  resumeAboveNo: number
}

const JOB = 'sweep'
/** Events younger than this are in good hands: their hint has only just been sent. */
const MIN_AGE_MS = 5_000
/** Small steps: while one runs, D1 answers no publish. */
const EVENTS_PER_STEP = 500
/** Steps of one sweep: each is up to three of the thousand queries that D1 allows an invocation. */
const ORPHAN_STEPS_MAX = 200
const STEPS_MAX = 50
const WORKSPACES_PER_STEP = 100
const CLAIMS_PER_STEP = 50
const CLAIMS_ROLLED_UP_PER_STEP = 100
/** Wake-ups of one sweep; local queues break beyond 10,000 delayed messages. */
const DUE_SUBSCRIPTIONS_MAX = 2_000
const REPLAYS_MAX = 100
const WAITING_PER_STEP = 500
const ORDERED = PACING_LEVELS.indexOf('ordered')

/**
 * Repairs whatever was lost: hints that never arrived, consumers that died, wake-ups that went astray; and folds the
 * statistics. Bounded, and safe to run twice or side by side. `aloneSinceMs` is when this process began, if no consumer of
 * an earlier one can be alive: then nothing has to be waited for.
 */
export async function sweep(
  deps: SweepDeps,
  { aloneSinceMs }: { aloneSinceMs: number | null },
): Promise<SweepReport> {
  const alone = aloneSinceMs !== null
  const report: SweepReport = {
    reaped: 0,
    scanned: 0,
    rehinted: 0,
    rowsGiven: 0,
    dueSubscriptions: 0,
    woken: 0,
    folded: 0,
    replays: 0,
    waiting: 0,
    truncated: false,
    resumeAboveNo: 0,
  }
  const nowMs = deps.now()
  const last = await lastRun(deps.db, JOB)
  const lastSweepMs = last?.ranAtMs ?? 0
  // What this process has claimed itself since, by a wake-up that was stored, say, is none of theirs.
  if (alone) await expireClaims(deps.db, aloneSinceMs + CLAIM_LEASE_MS)
  await reap(deps, report)
  const queuedSinceMs = (await deps.queuedSinceMs()) ?? nowMs
  const resumeAboveNo = resumeSchema.parse(last?.report ?? {}).resumeAboveNo ?? 0
  await sweepOrphans(deps, { nowMs, lastSweepMs, alone, queuedSinceMs }, resumeAboveNo, report)
  await wakeDue(deps, nowMs, report)
  await wakeWaiting(deps, nowMs, report)
  await wakeReplays(deps, nowMs, alone, report)
  await rollUp(deps, report)
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

const resumeSchema = z.object({ resumeAboveNo: z.number().optional() })

/** Sweeps workspaces from where the last sweep ran out of steps, then those before, while there are steps left. */
async function sweepOrphans(
  deps: SweepDeps,
  time: SweepTime,
  resumeAboveNo: number,
  report: SweepReport,
): Promise<void> {
  const stepsLeft = await sweepWorkspaces(deps, time, resumeAboveNo, ORPHAN_STEPS_MAX, report)
  if (resumeAboveNo > 0 && stepsLeft > 0) await sweepWorkspaces(deps, time, 0, stepsLeft, report)
}

async function sweepWorkspaces(
  deps: SweepDeps,
  time: SweepTime,
  startAboveNo: number,
  stepsMax: number,
  report: SweepReport,
): Promise<number> {
  let aboveNo = startAboveNo
  let stepsLeft = stepsMax
  for (;;) {
    const workspaces = await openWorkspaces(deps.db, aboveNo, WORKSPACES_PER_STEP)
    for (const workspace of workspaces) {
      stepsLeft = await sweepWorkspace(deps, workspace, time, stepsLeft, report)
      aboveNo = workspace.no
      if (stepsLeft > 0) continue
      report.truncated = true
      report.resumeAboveNo = aboveNo
      return 0
    }
    if (workspaces.length < WORKSPACES_PER_STEP) return stepsLeft
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
  for (let left = stepsLeft - 1; ; left--) {
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
      addDueRows(deps.db, { workspaceNo, ...range, subscriptions: null }, time.nowMs),
    )
    if (markMayRise && plan.markSeq !== null)
      writes.push(advanceWatermark(deps.db, workspaceNo, plan.markSeq))
    if (writes.length > 0) await deps.db.batch(writes)
    await deps.hints.firstAttempts(
      plan.rehint.map((range) => ({ v: 1, kind: 'events', workspaceNo, ...range })),
    )
    const last = scanned.at(-1)
    if (left === 0 || last === undefined || scanned.length < EVENTS_PER_STEP) return left
    markMayRise &&= plan.markSeq === last.seq
    aboveSeq = last.seq
  }
}

async function wakeDue(deps: SweepDeps, nowMs: number, report: SweepReport): Promise<void> {
  const due = await dueSubscriptions(deps.db, nowMs + WAKE_HORIZON_MS, DUE_SUBSCRIPTIONS_MAX)
  report.dueSubscriptions = due.length
  report.truncated ||= due.length === DUE_SUBSCRIPTIONS_MAX
  report.woken = await deps.hints.dueAt(new Map(due.map(({ no, dueMs }) => [no, dueMs])))
}

/** What waits without anybody's knowing: its hint was lost, or its pacer has forgotten it. */
async function wakeWaiting(deps: SweepDeps, nowMs: number, report: SweepReport): Promise<void> {
  let aboveNo = 0
  for (let step = 0; step < STEPS_MAX; step++) {
    const waiting = await waitingSubscriptions(deps.db, nowMs, aboveNo, WAITING_PER_STEP)
    await deps.hints.paced(
      waiting.map(({ no, pacing_level: level }) => (level === ORDERED ? { no, ordered: true } : { no })),
    )
    report.waiting += waiting.length
    aboveNo = waiting.at(-1)?.no ?? 0
    if (waiting.length < WAITING_PER_STEP) return
  }
  report.truncated = true
}

/** Replays whose hint was lost; after a start of the only consumer there is, all that run. */
async function wakeReplays(
  deps: SweepDeps,
  nowMs: number,
  alone: boolean,
  report: SweepReport,
): Promise<void> {
  const replays = await dueReplays(deps.db, nowMs, REPLAYS_MAX, alone ? 0 : undefined)
  report.replays = replays.length
  await deps.hints.replays(replays)
}

async function rollUp(deps: SweepDeps, report: SweepReport): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    const folded = await rollUpStatistics(deps.db, CLAIMS_ROLLED_UP_PER_STEP)
    report.folded += folded
    if (folded < CLAIMS_ROLLED_UP_PER_STEP) return
  }
}

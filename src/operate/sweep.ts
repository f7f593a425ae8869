import * as z from 'zod'
import { inTurn } from '../base/concurrency/in-turn.ts'
import { CLAIM_LEASE_MS } from '../deliver/first-attempts.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import { WAKE_HORIZON_MS } from '../hints/wake.ts'
import { rollUpStatistics } from '../history/statistics.sql.ts'
import { dueReplays } from '../replay/replays.sql.ts'
import { lastRun, recordRun } from '../store/jobs.sql.ts'
import { setTimesBack } from './clock.sql.ts'
import { clockSetBackMs } from './clock.ts'
import type { SweepTime } from './orphans.ts'
import { dueSubscriptions, expireClaims, reapClaims, waitingSubscriptions } from './sweep.sql.ts'
import { type OrphanReport, sweepOrphans } from './sweep-orphans.ts'

export type SweepDeps = {
  db: D1Database
  now: () => number
  hints: HintSender
  /** Reads when the oldest waiting hint was sent; null when the queues are empty or do not tell. */
  queuedSinceMs: () => Promise<number | null>
}

/** The work that a sweep did, and the place where the next one goes on. */
type SweepReport = OrphanReport & {
  reaped: number
  dueSubscriptions: number
  woken: number
  /** Claims whose statistics were rolled up; the status calls them so. */
  folded: number
  replays: number
  /** Paced subscriptions with deliveries waiting. */
  waiting: number
}

const JOB = 'sweep'
/** Steps of one kind in a sweep: D1 allows an invocation a thousand queries. */
const STEPS_MAX = 50
const CLAIMS_PER_STEP = 50
/** Claims of up to 100 deliveries each: D1 answers no publish meanwhile. */
const CLAIMS_ROLLED_UP_PER_STEP = 20
const ROLL_UP_STEPS_MAX = 200
/** Wake-ups of one sweep; local queues break beyond 10,000 delayed messages. */
const DUE_SUBSCRIPTIONS_MAX = 2_000
const REPLAYS_MAX = 100
const WAITING_PER_STEP = 500

/**
 * Repairs lost hints, dead consumers and missed wake-ups, and rolls the statistics up. Bounded, and
 * safe to run twice or side by side. `aloneSinceMs` is the start of this process if no consumer of
 * an earlier one can be alive: then nothing has to be waited for.
 */
export async function sweep(
  deps: SweepDeps,
  { aloneSinceMs }: { aloneSinceMs: number | null },
): Promise<SweepReport> {
  const { db } = deps
  const nowMs = deps.now()
  const last = await lastRun(db, JOB)
  const setBackMs = clockSetBackMs(last?.ranAtMs ?? null, nowMs)
  if (setBackMs > 0) await setTimesBack(db, setBackMs, nowMs)
  // Claims of this process itself, which a stored wake-up may have caused by now, are left alone.
  if (aloneSinceMs !== null) await expireClaims(db, aloneSinceMs + CLAIM_LEASE_MS)
  const reaped = await repeat(deps, CLAIMS_PER_STEP, () => reapClaims(db, deps.now(), CLAIMS_PER_STEP))
  const time: SweepTime = {
    nowMs,
    lastSweepMs: last?.ranAtMs ?? 0,
    isAlone: aloneSinceMs !== null,
    queuedSinceMs: (await deps.queuedSinceMs()) ?? nowMs,
  }
  const orphans = await sweepOrphans(deps, time, resumeSchema.parse(last?.report ?? {}).resumeAboveNo)
  const due = await wakeDue(deps, nowMs)
  const waiting = await hintWaiting(deps, nowMs)
  const replays = await wakeReplays(deps, time)
  const rolledUp = await repeat(
    deps,
    CLAIMS_ROLLED_UP_PER_STEP,
    () => rollUpStatistics(db, CLAIMS_ROLLED_UP_PER_STEP),
    ROLL_UP_STEPS_MAX,
  )
  const report: SweepReport = {
    ...orphans,
    reaped: reaped.count,
    dueSubscriptions: due.subscriptions,
    woken: due.woken,
    folded: rolledUp.count,
    replays,
    waiting: waiting.count,
    truncated: reaped.isCut || orphans.truncated || due.isCut || waiting.isCut,
  }
  await recordRun(db, JOB, { ranAtMs: nowMs, report })
  return report
}

const resumeSchema = z.object({ resumeAboveNo: z.number().default(0) })

/**
 * Repeats a step that handles up to `sizeMax` things until there are fewer, or the steps run out.
 */
async function repeat(
  { now }: Pick<SweepDeps, 'now'>,
  sizeMax: number,
  step: () => Promise<number>,
  stepsMax = STEPS_MAX,
): Promise<{ count: number; isCut: boolean }> {
  let count = 0
  for (let steps = 0; steps < stepsMax; steps++) {
    const handled = await inTurn(now, step)
    count += handled
    if (handled < sizeMax) return { count, isCut: false }
  }
  return { count, isCut: true }
}

async function wakeDue({ db, hints }: SweepDeps, nowMs: number) {
  const due = await dueSubscriptions(db, nowMs + WAKE_HORIZON_MS, DUE_SUBSCRIPTIONS_MAX)
  const woken = await hints.dueAt(new Map(due.map(({ no, dueMs }) => [no, dueMs])))
  return { subscriptions: due.length, woken, isCut: due.length === DUE_SUBSCRIPTIONS_MAX }
}

/**
 * Hints at deliveries that wait unknown: their hint was lost, or their pacer has forgotten them.
 */
async function hintWaiting(deps: SweepDeps, nowMs: number) {
  const { db, hints } = deps
  let aboveNo = 0
  return await repeat(deps, WAITING_PER_STEP, async () => {
    const waiting = await waitingSubscriptions(db, nowMs, { aboveNo, limit: WAITING_PER_STEP })
    await hints.paced(waiting.map(({ no, level }) => (level === 'ordered' ? { no, ordered: true } : { no })))
    aboveNo = waiting.at(-1)?.no ?? 0
    return waiting.length
  })
}

/** Wakes replays whose hint was lost; a relay that has just started wakes all that run. */
async function wakeReplays({ db, hints }: SweepDeps, { nowMs, isAlone }: SweepTime): Promise<number> {
  const replays = await dueReplays(db, nowMs, { limit: REPLAYS_MAX, isAlone })
  await hints.replays(replays)
  return replays.length
}

import { seqFloor } from '../base/ids/seq.ts'
import { DAY_MS, HOUR_MS } from '../base/time.ts'
import { rollUpHours } from '../history/statistics.sql.ts'
import { deleteBodies } from '../store/bodies.ts'
import {
  forgetSubscriptions,
  removeEndedBatches,
  removeExpiredKeys,
  subscriptionPage,
  unnamedKeys,
} from './leftovers.sql.ts'
import { type AgedWorkspace, agedWorkspaces } from './purge.sql.ts'
import { firstHourKept } from './retention.ts'

export type TidyDeps = { db: D1Database; bodies: R2Bucket }

/** Where the daily rounds over workspaces and over R2 are, and when they began. `subscriptionNo` null: keys come next. */
export type TidyPosition = {
  workspaceNo: number
  subscriptionNo: number | null
  key: string
  roundAtMs: number
  bodiesAfter: string
  bodiesRoundAtMs: number
}

/** What was removed, and where the next run goes on. */
export type TidyReport = TidyPosition & {
  subscriptions: number
  hours: number
  keys: number
  objects: number
  batches: number
}

const SUBSCRIPTIONS_PER_STEP = 100
const KEYS_PER_STEP = 500
const OBJECTS_PER_STEP = 1_000
const BATCHES_PER_STEP = 1_000
/** A key of the day is still asked for; an hour more for clocks that are apart. */
const KEY_MS = 25 * HOUR_MS
/** A younger object may belong to a publish that has not committed yet. */
const OBJECT_AGE_MIN_MS = DAY_MS
/** Objects of this relay: texts under random ids, and archives. Others have other owners. */
const OWN_KEY = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|archive\/.+)$/

/**
 * Removes what outlives its events: subscriptions deleted long ago, idle dispatch targets, expired Idempotency-Keys,
 * objects that no row names; and folds old statistics. A round of each a day, as far as the steps go.
 */
export async function tidy(
  deps: TidyDeps,
  position: TidyPosition,
  budget: { steps: number },
  nowMs: number,
): Promise<TidyReport> {
  const report: TidyReport = { ...position, subscriptions: 0, hours: 0, keys: 0, objects: 0, batches: 0 }
  await tidyBatches(deps, report, budget, nowMs)
  await tidyObjects(deps, report, budget, nowMs)
  await tidyWorkspaces(deps, report, budget, nowMs)
  return report
}

async function tidyWorkspaces(
  { db }: TidyDeps,
  report: TidyReport,
  budget: { steps: number },
  nowMs: number,
): Promise<void> {
  const isBegun = report.workspaceNo > 0 || report.subscriptionNo !== 0
  if (!isBegun && nowMs - report.roundAtMs < DAY_MS) return
  if (!isBegun) report.roundAtMs = nowMs
  while (budget.steps > 0) {
    budget.steps--
    const [workspace] = await agedWorkspaces(db, report.workspaceNo, 1)
    if (workspace === undefined) {
      Object.assign(report, { workspaceNo: 0, subscriptionNo: 0, key: '' })
      return
    }
    if (report.subscriptionNo !== null) await tidySubscriptions(db, workspace, report, nowMs)
    else await tidyKeys(db, workspace, report, nowMs)
  }
}

async function tidySubscriptions(
  db: D1Database,
  { no: workspaceNo, settings }: AgedWorkspace,
  report: TidyReport,
  nowMs: number,
): Promise<void> {
  const nos = await subscriptionPage(db, workspaceNo, report.subscriptionNo ?? 0, SUBSCRIPTIONS_PER_STEP)
  if (nos.length > 0) {
    const beforeMs = nowMs - settings.retentionDays * DAY_MS
    report.subscriptions += await forgetSubscriptions(db, workspaceNo, nos, beforeMs)
    report.hours += await rollUpHours(db, nos, firstHourKept(settings, nowMs))
  }
  report.subscriptionNo = nos.length < SUBSCRIPTIONS_PER_STEP ? null : (nos.at(-1) ?? null)
  report.key = 'k:'
}

/** An ended batch says nothing that its members do not say, once nobody can come back with an outcome of it. */
async function tidyBatches(
  { db }: TidyDeps,
  report: TidyReport,
  budget: { steps: number },
  nowMs: number,
): Promise<void> {
  while (budget.steps > 0) {
    budget.steps--
    const removed = await removeEndedBatches(db, seqFloor(nowMs - DAY_MS), BATCHES_PER_STEP)
    report.batches += removed
    if (removed < BATCHES_PER_STEP) return
  }
}

async function tidyKeys(
  db: D1Database,
  { no: workspaceNo }: AgedWorkspace,
  report: TidyReport,
  nowMs: number,
): Promise<void> {
  const keyFloor = seqFloor(nowMs - KEY_MS)
  const page = { workspaceNo, aboveKey: report.key, keyFloor, limit: KEYS_PER_STEP }
  const { lastKey, removed } = await removeExpiredKeys(db, page)
  report.keys += removed
  if (lastKey === null) Object.assign(report, { workspaceNo, subscriptionNo: 0, key: '' })
  else report.key = lastKey
}

/** One page of the bucket's list, and what of it no row names. */
async function tidyObjects(
  { db, bodies }: TidyDeps,
  report: TidyReport,
  budget: { steps: number },
  nowMs: number,
): Promise<void> {
  if (budget.steps === 0) return
  if (report.bodiesAfter === '' && nowMs - report.bodiesRoundAtMs < DAY_MS) return
  if (report.bodiesAfter === '') report.bodiesRoundAtMs = nowMs
  budget.steps--
  const { objects, truncated } = await bodies.list({
    limit: OBJECTS_PER_STEP,
    ...(report.bodiesAfter !== '' && { startAfter: report.bodiesAfter }),
  })
  const keys = objects
    .filter(({ key, uploaded }) => OWN_KEY.test(key) && nowMs - uploaded.getTime() > OBJECT_AGE_MIN_MS)
    .map(({ key }) => key)
  if (keys.length > 0) {
    const unnamed = await unnamedKeys(db, keys)
    await deleteBodies(bodies, unnamed)
    report.objects += unnamed.length
  }
  report.bodiesAfter = truncated ? (objects.at(-1)?.key ?? '') : ''
}

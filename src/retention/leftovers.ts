import { seqFloor } from '../base/ids/seq.ts'
import { DAY_MS, HOUR_MS, hourOf } from '../base/time.ts'
import { rollUpDays, rollUpHours } from '../history/statistics.sql.ts'
import { rollUpWorkspace } from '../history/workspace-statistics/roll-up.sql.ts'
import { deleteBodies } from '../store/bodies.ts'
import { rollUpEventCounts } from '../store/event-counts.sql.ts'
import { type AgedWorkspace, agedWorkspaces } from './aged-events.sql.ts'
import {
  forgetSubscriptions,
  removeEndedBatches,
  removeExpiredKeys,
  subscriptionPage,
  unnamedKeys,
} from './leftovers.sql.ts'
import { firstHourKept, firstHourKeptApart } from './retention.ts'
import type { StepsLeft } from './steps-left.ts'

type LeftoversDeps = { db: D1Database; bodies: R2Bucket }

/** The places of the daily rounds over workspaces and over R2, and their beginnings. */
type LeftoversPosition = {
  workspaceNo: number
  /** Null once the workspace's keys come next. */
  subscriptionNo: number | null
  key: string
  roundAtMs: number
  bodiesAfter: string
  bodiesRoundAtMs: number
}

/** The number of things removed, and the places where the next run goes on. */
export type LeftoversReport = LeftoversPosition & {
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
/** A key of the last day is still asked for; one hour more is for clocks that are apart. */
const KEY_MS = 25 * HOUR_MS
/** A younger object may belong to a publish that has not committed yet. */
const OBJECT_AGE_MIN_MS = DAY_MS
/** Objects of this relay: texts under random ids, and archives. Others have other owners. */
const OWN_KEY = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|archive\/.+)$/

/**
 * Removes what outlives its events: subscriptions deleted long ago, idle dispatch targets, expired
 * Idempotency-Keys, objects without a row; and rolls old statistics up. A round of each a day.
 */
export async function removeLeftovers(
  deps: LeftoversDeps,
  position: LeftoversPosition,
  { steps, nowMs }: { steps: StepsLeft; nowMs: number },
): Promise<LeftoversReport> {
  const run = new LeftoversRun(deps, { steps, nowMs, position })
  await run.removeBatches()
  await run.removeObjects()
  await run.visitWorkspaces()
  return run.report
}

class LeftoversRun {
  readonly report: LeftoversReport
  readonly #deps: LeftoversDeps
  readonly #steps: StepsLeft
  readonly #nowMs: number

  constructor(
    deps: LeftoversDeps,
    { steps, nowMs, position }: { steps: StepsLeft; nowMs: number; position: LeftoversPosition },
  ) {
    this.#deps = deps
    this.#steps = steps
    this.#nowMs = nowMs
    this.report = { ...position, subscriptions: 0, hours: 0, keys: 0, objects: 0, batches: 0 }
  }

  /** Ended batches say no more than their members once no outcome of theirs can come. */
  async removeBatches(): Promise<void> {
    while (this.#steps.take()) {
      const belowNo = seqFloor(this.#nowMs - DAY_MS)
      const removed = await removeEndedBatches(this.#deps.db, belowNo, BATCHES_PER_STEP)
      this.report.batches += removed
      if (removed < BATCHES_PER_STEP) return
    }
  }

  /** Looks at one page of the bucket, and removes its objects that no row names. */
  async removeObjects(): Promise<void> {
    const { report } = this
    const { db, bodies } = this.#deps
    if (report.bodiesAfter === '' && this.#isYoungRound(report.bodiesRoundAtMs)) return
    if (!this.#steps.take()) return
    if (report.bodiesAfter === '') report.bodiesRoundAtMs = this.#nowMs
    const { objects, truncated } = await bodies.list({
      limit: OBJECTS_PER_STEP,
      ...(report.bodiesAfter !== '' && { startAfter: report.bodiesAfter }),
    })
    const keys = objects.filter((object) => this.#mayBeLeft(object)).map(({ key }) => key)
    const unnamed = keys.length === 0 ? [] : await unnamedKeys(db, keys)
    await deleteBodies(bodies, unnamed)
    report.objects += unnamed.length
    report.bodiesAfter = truncated ? (objects.at(-1)?.key ?? '') : ''
  }

  /** Visits workspaces: first their own figures, then their subscriptions, then their keys. */
  async visitWorkspaces(): Promise<void> {
    const { report } = this
    const isBegun = report.workspaceNo > 0 || report.subscriptionNo !== 0
    if (!isBegun && this.#isYoungRound(report.roundAtMs)) return
    if (!isBegun) report.roundAtMs = this.#nowMs
    while (this.#steps.take()) {
      const [workspace] = await agedWorkspaces(this.#deps.db, report.workspaceNo, 1)
      if (workspace === undefined) {
        Object.assign(report, { workspaceNo: 0, subscriptionNo: 0, key: '' })
        return
      }
      if (report.subscriptionNo !== null) await this.#removeSubscriptions(workspace, report.subscriptionNo)
      else await this.#removeKeys(workspace)
    }
  }

  async #removeSubscriptions({ no, settings }: AgedWorkspace, aboveNo: number): Promise<void> {
    const { report } = this
    const { db } = this.#deps
    if (aboveNo === 0) await this.#rollUpWorkspace(no, settings)
    const nos = await subscriptionPage(db, no, { aboveNo, limit: SUBSCRIPTIONS_PER_STEP })
    if (nos.length > 0) {
      const beforeMs = this.#nowMs - settings.retentionDays * DAY_MS
      report.subscriptions += await forgetSubscriptions(db, no, { nos, beforeMs })
      report.hours += await rollUpHours(db, nos, firstHourKept(settings, this.#nowMs))
      report.hours += await rollUpDays(db, nos, firstHourKeptApart(this.#nowMs))
    }
    report.subscriptionNo = nos.length < SUBSCRIPTIONS_PER_STEP ? null : (nos.at(-1) ?? null)
    report.key = 'k:'
  }

  async #removeKeys({ no: workspaceNo }: AgedWorkspace): Promise<void> {
    const { report } = this
    const page = { workspaceNo, aboveKey: report.key, limit: KEYS_PER_STEP }
    const keyFloor = seqFloor(this.#nowMs - KEY_MS)
    const { lastKey, removed } = await removeExpiredKeys(this.#deps.db, { ...page, keyFloor })
    report.keys += removed
    if (lastKey !== null) {
      report.key = lastKey
      return
    }
    Object.assign(report, { workspaceNo, subscriptionNo: 0, key: '' })
  }

  async #rollUpWorkspace(workspaceNo: number, settings: AgedWorkspace['settings']): Promise<void> {
    const { db } = this.#deps
    const hours = {
      belowHour: hourOf(this.#nowMs - DAY_MS),
      daysBelowHour: firstHourKeptApart(this.#nowMs),
      removedBelowHour: firstHourKept(settings, this.#nowMs),
    }
    await db.batch([...rollUpEventCounts(db, workspaceNo, hours), ...rollUpWorkspace(db, workspaceNo, hours)])
  }

  #isYoungRound(beganAtMs: number): boolean {
    return this.#nowMs - beganAtMs < DAY_MS
  }

  #mayBeLeft({ key, uploaded }: R2Object): boolean {
    return OWN_KEY.test(key) && this.#nowMs - uploaded.getTime() > OBJECT_AGE_MIN_MS
  }
}

import { inTurn } from '../base/concurrency/in-turn.ts'
import { hourOf } from '../base/time.ts'
import type { HintSender } from '../hints/hint-sender.ts'
import { rollOutEventCounts } from '../store/event-counts.sql.ts'
import { addDueRows } from './dead-letters/dead-letters.sql.ts'
import { type OrphanPlan, planOrphans, type SweepTime } from './orphans.ts'
import {
  advanceWatermark,
  type OpenWorkspace,
  openWorkspaces,
  type ScannedEvent,
  scanEvents,
} from './sweep.sql.ts'

type OrphanDeps = { db: D1Database; now: () => number; hints: Pick<HintSender, 'firstAttempts'> }

export type OrphanReport = {
  scanned: number
  rehinted: number
  rowsGiven: number
  /** True if the steps ran out before the work was done. */
  truncated: boolean
  /** The last workspace that had its turn; the next sweep goes on with those above it. */
  resumeAboveNo: number
}

/** Younger events are left alone: their hint has only just been sent. */
const MIN_AGE_MS = 5_000
/** Events of a workspace's first step, and the most of a later one; while it runs, D1 answers no publish. */
const EVENTS_PER_STEP = { first: 20, max: 500 } as const
/** Characters of fan-outs that a step may look through: some 10,000 deliveries. */
const FANOUT_CHARS_PER_STEP = 70_000
/** Steps of one sweep, each up to three of the thousand queries that D1 allows an invocation. */
const STEPS_MAX = 200
const WORKSPACES_PER_PAGE = 100

/**
 * Finds deliveries whose hint was lost: hints at their events again, gives old ones rows, and moves
 * the watermarks up. It goes on where the last sweep ran out of steps, then begins anew while steps
 * are left.
 */
export async function sweepOrphans(
  deps: OrphanDeps,
  time: SweepTime,
  resumeAboveNo: number,
): Promise<OrphanReport> {
  const sweep = new OrphanSweep(deps, time)
  await sweep.runAbove(resumeAboveNo)
  if (resumeAboveNo > 0 && sweep.hasSteps) await sweep.runAbove(0)
  return sweep.report
}

/**
 * A stretch of one workspace's events; the watermark stays once an event below the stretch has no
 * row.
 */
type Stretch = { workspaceNo: number; aboveSeq: number; mayRise: boolean; events: number }

/** Events of the next step, by what the last one found. */
export function eventsOfStep(events: number, fanoutChars: number): number {
  const affordable = Math.floor((events * FANOUT_CHARS_PER_STEP) / Math.max(1, fanoutChars))
  return Math.max(1, Math.min(EVENTS_PER_STEP.max, 5 * events, affordable))
}

type StepResult = { lastSeq: number; hasMore: boolean; fanoutChars: number; watermark: number | null }

class OrphanSweep {
  readonly report: OrphanReport = {
    scanned: 0,
    rehinted: 0,
    rowsGiven: 0,
    truncated: false,
    resumeAboveNo: 0,
  }
  readonly #deps: OrphanDeps
  readonly #time: SweepTime
  #stepsLeft = STEPS_MAX

  constructor(deps: OrphanDeps, time: SweepTime) {
    this.#deps = deps
    this.#time = time
  }

  get hasSteps(): boolean {
    return this.#stepsLeft > 0
  }

  /** Sweeps the workspaces above a number, as far as the steps go. */
  async runAbove(startAboveNo: number): Promise<void> {
    let aboveNo = startAboveNo
    for (;;) {
      const workspaces = await openWorkspaces(this.#deps.db, aboveNo, WORKSPACES_PER_PAGE)
      for (const workspace of workspaces) {
        await this.#sweepWorkspace(workspace)
        aboveNo = workspace.no
        if (this.hasSteps) continue
        this.report.truncated = true
        this.report.resumeAboveNo = aboveNo
        return
      }
      if (workspaces.length < WORKSPACES_PER_PAGE) return
    }
  }

  /** Sweeps one workspace from its watermark upwards. */
  async #sweepWorkspace({ no, sweptSeq }: OpenWorkspace): Promise<void> {
    const stretch: Stretch = {
      ...{ workspaceNo: no, aboveSeq: sweptSeq, mayRise: true },
      events: EVENTS_PER_STEP.first,
    }
    do {
      const { lastSeq, hasMore, watermark, fanoutChars } = await inTurn(this.#deps.now, () =>
        this.#step(stretch),
      )
      if (!hasMore) return
      stretch.mayRise &&= watermark === lastSeq
      stretch.aboveSeq = lastSeq
      stretch.events = eventsOfStep(stretch.events, fanoutChars)
    } while (this.hasSteps)
  }

  async #step(stretch: Stretch): Promise<StepResult> {
    this.#stepsLeft--
    const { workspaceNo, aboveSeq } = stretch
    const { nowMs, isAlone } = this.#time
    const acceptedUntilMs = isAlone ? nowMs : nowMs - MIN_AGE_MS
    const scan = { workspaceNo, aboveSeq, acceptedUntilMs, limit: stretch.events }
    const { events: scanned, hasMore, fanoutChars } = await scanEvents(this.#deps.db, scan)
    const plan = planOrphans(scanned, this.#time)
    await this.#carryOut(plan, scanned, stretch)
    this.report.scanned += scanned.length
    this.report.rehinted += plan.rehint.length
    this.report.rowsGiven += plan.giveRows.length
    const lastSeq = scanned.at(-1)?.seq ?? aboveSeq
    return { lastSeq, hasMore, fanoutChars, watermark: plan.watermark }
  }

  /**
   * Rows come before the watermark: a crash between them would otherwise hide the events for good.
   */
  async #carryOut(
    plan: OrphanPlan,
    scanned: readonly ScannedEvent[],
    { workspaceNo, aboveSeq, mayRise }: Stretch,
  ): Promise<void> {
    const { db, hints } = this.#deps
    const writes = plan.giveRows.map((range) =>
      addDueRows(db, { workspaceNo, ...range, subscriptions: null }, this.#time.nowMs),
    )
    if (mayRise && plan.watermark !== null) {
      writes.push(...rollOutEventCounts(db, workspaceNo, hourOf(this.#time.nowMs)))
      writes.push(advanceWatermark(db, { workspaceNo, seq: plan.watermark }, { aboveSeq, events: scanned }))
    }
    if (writes.length > 0) await db.batch(writes)
    await hints.firstAttempts(plan.rehint.map((range) => ({ v: 1, kind: 'events', workspaceNo, ...range })))
  }
}

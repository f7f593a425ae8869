import type { AuditPurge } from '../audit/purge-entries.ts'
import { describeError } from '../base/log.ts'
import {
  type AgedWorkspace,
  agedEvents,
  agedWorkspaces,
  type EventRange,
  subscriptionNos,
} from './aged-events.sql.ts'
import { endRestored, insertArchive, restoredBefore } from './archive/archives.sql.ts'
import { type ArchiveDeps, archiveEvents } from './archive/write-archive.ts'
import type { LeftoversReport } from './leftovers.ts'
import { expireDeliveries, removalStatements, resetStoredBytes } from './purge.sql.ts'
import { type PurgeStep, readStep, removeObjects } from './purge-step.ts'
import {
  type AgedDelivery,
  type AgedEvent,
  chooseEvents,
  planPurge,
  RESTORED_KEPT_MS,
  type Retention,
  retentionOf,
  type StepBounds,
  watermarkAfter,
} from './retention.ts'
import type { StepsLeft } from './steps-left.ts'

export type PurgeDeps = ArchiveDeps & { sleep: (ms: number) => Promise<void> }

/** The work that a purge did, and the place where the next one goes on. */
export type PurgeReport = {
  events: number
  deliveries: number
  /** Outstanding deliveries that ended as `skipped: expired`. */
  expired: number
  archives: number
  /** The leftovers that were removed; stored reports call them so. */
  tidied: LeftoversReport
  /** The rows of audit logs that were removed because of their age. */
  audited: AuditPurge
  /** Workspaces whose purge failed, to be tried again by the next run. */
  failed: number
  /** The failure of the first of them. */
  error: string | null
  /** True if the steps ran out before the work was done. */
  truncated: boolean
  /** The last workspace that had its turn; the next purge goes on with those above it. */
  resumeAboveNo: number
}

/** Events of a step, while which D1 answers no publish; twice as many show in a publish's p99. */
const EVENTS_PER_STEP = 250
/** Pause between steps: back to back, a publish would wait for one after the other. */
const STEP_PAUSE_MS = 50
/** Bounds of events with their deliveries; an event with more goes in a step of its own. */
const STEP_BOUNDS: StepBounds = { rowsMax: 1_000, bytesMax: Number.POSITIVE_INFINITY }
/** Archived events are read as a whole, so the texts of their step are bounded too. */
const ARCHIVE_STEP_BOUNDS: StepBounds = { rowsMax: 1_000, bytesMax: 2_000_000 }
const WORKSPACES_PER_PAGE = 100
const PAGES_MAX = 20
/** A retention that keeps nothing. */
const NONE_KEPT: Retention = { acceptedBeforeMs: Number.POSITIVE_INFINITY, excessBytes: 0, sizeBeforeMs: 0 }

/** Events to be purged; `archiveAs` is the workspace's id where they are archived first. */
type PurgeRange = EventRange & { retention: Retention; archiveAs: string | null }

/** One run of the purge over workspaces and restored archives. */
export class PurgeRun {
  readonly report: Omit<PurgeReport, 'tidied' | 'audited'> = {
    events: 0,
    deliveries: 0,
    expired: 0,
    archives: 0,
    failed: 0,
    error: null,
    truncated: false,
    resumeAboveNo: 0,
  }
  readonly #deps: PurgeDeps
  readonly #steps: StepsLeft
  readonly #nowMs: number

  constructor(deps: PurgeDeps, { steps, nowMs }: { steps: StepsLeft; nowMs: number }) {
    this.#deps = deps
    this.#steps = steps
    this.#nowMs = nowMs
  }

  /**
   * Purges workspaces above a number, up to another. False when the steps ran out before the end.
   */
  async purgeWorkspaces(range: { aboveNo: number; untilNo: number }): Promise<boolean> {
    let { aboveNo } = range
    for (let page = 0; page < PAGES_MAX; page++) {
      const workspaces = await agedWorkspaces(this.#deps.db, aboveNo, WORKSPACES_PER_PAGE)
      for (const workspace of workspaces.filter(({ no }) => no <= range.untilNo)) {
        await this.#purgeWorkspace(workspace)
        aboveNo = workspace.no
        if (!this.#steps.isSpent) continue
        this.report.truncated = true
        this.report.resumeAboveNo = aboveNo
        return false
      }
      if (workspaces.length < WORKSPACES_PER_PAGE || aboveNo >= range.untilNo) return true
    }
    this.report.resumeAboveNo = aboveNo
    return false
  }

  /** Takes events of restored archives away again, without archiving them anew. */
  async purgeRestored(): Promise<void> {
    const { db } = this.#deps
    while (!this.#steps.isSpent) {
      const archive = await restoredBefore(db, this.#nowMs - RESTORED_KEPT_MS)
      if (archive === null) return
      const { workspaceNo, firstSeq, lastSeq } = archive
      const range = { workspaceNo, aboveSeq: firstSeq - 1, untilSeq: lastSeq, restored: true }
      if (!(await this.#purgeRange({ ...range, retention: NONE_KEPT, archiveAs: null }))) return
      await endRestored(db, archive)
    }
  }

  /** A failure in one workspace does not hold the others up. */
  async #purgeWorkspace(workspace: AgedWorkspace): Promise<void> {
    const { no: workspaceNo, id, settings, oldestMs, storedBytes } = workspace
    try {
      if (oldestMs === null) {
        if (storedBytes > 0) await resetStoredBytes(this.#deps.db, workspaceNo)
        return
      }
      const retention = retentionOf(settings, storedBytes, this.#nowMs)
      if (oldestMs >= retention.acceptedBeforeMs && retention.excessBytes === 0) return
      await this.#purgeRange({
        workspaceNo,
        aboveSeq: workspace.purgedSeq,
        untilSeq: workspace.sweptSeq,
        restored: false,
        retention,
        archiveAs: settings.archive ? id : null,
      })
    } catch (error) {
      this.report.failed++
      this.report.error ??= describeError(error)
    }
  }

  /** Purges a range of events step by step. True when nothing that may go is left in it. */
  async #purgeRange(range: PurgeRange): Promise<boolean> {
    const { db, sleep } = this.#deps
    const bounds = range.archiveAs === null ? STEP_BOUNDS : ARCHIVE_STEP_BOUNDS
    const subscriptions = await subscriptionNos(db, range.workspaceNo)
    let { aboveSeq, retention } = range
    let mayRise = !range.restored
    while (this.#steps.take()) {
      const events = await agedEvents(db, { ...range, aboveSeq }, EVENTS_PER_STEP)
      const chosen = chooseEvents(events, retention, bounds)
      if (chosen.length === 0) return true
      const step = await readStep(db, chosen, subscriptions)
      const { gone, held } = await this.#purgeStep(range, step, { mayRise })
      // Waiting events are passed over, but not searched for the few that do not wait.
      if (gone.length === 0) return false
      await sleep(STEP_PAUSE_MS)
      mayRise &&= held === 0
      aboveSeq = step.events.at(-1)?.seq ?? aboveSeq
      const goneBytes = gone.reduce((sum, { bytes }) => sum + bytes, 0)
      retention = { ...retention, excessBytes: retention.excessBytes - goneBytes }
    }
    return false
  }

  /** Purges one step. `mayRise`: no event below it is left, so the purge's watermark may rise. */
  async #purgeStep(
    { workspaceNo, restored, archiveAs }: PurgeRange,
    step: PurgeStep,
    { mayRise }: { mayRise: boolean },
  ): Promise<{ gone: AgedEvent[]; held: number }> {
    const { db, bodies } = this.#deps
    const { go, held, expire } = planPurge(step.events, step.deliveries, this.#nowMs)
    for (const seq of await this.#expire(workspaceNo, step, expire)) held.add(seq)
    const events = go.filter(({ seq }) => !held.has(seq))
    if (events.length === 0) return { gone: [], held: held.size }
    const seqs = new Set(events.map(({ seq }) => seq))
    const gone: PurgeStep = { events, deliveries: step.deliveries.filter(({ seq }) => seqs.has(seq)) }
    const workspace = archiveAs === null ? null : { no: workspaceNo, id: archiveAs }
    const archive = workspace === null ? null : await archiveEvents(this.#deps, workspace, gone)
    const watermark = mayRise ? (watermarkAfter(step.events, held) ?? 0) : 0
    await db.batch([
      ...(archive === null ? [] : [insertArchive(db, archive, [...seqs])]),
      ...removalStatements(db, { workspaceNo, ...gone, counted: !restored, watermark }),
    ])
    this.report.events += events.length
    this.report.deliveries += gone.deliveries.length
    if (archive !== null) this.report.archives++
    await removeObjects(bodies, gone)
    return { gone: events, held: held.size }
  }

  /**
   * Ends deliveries. Returns the events that a consumer has in hand, whose rows must stay for now.
   */
  async #expire(
    workspaceNo: number,
    { events, deliveries }: PurgeStep,
    expire: readonly AgedDelivery[],
  ): Promise<Iterable<number>> {
    if (expire.length === 0 && !deliveries.some(({ endedEarly }) => endedEarly)) return []
    const range = { workspaceNo, firstSeq: events[0]?.seq ?? 0, lastSeq: events.at(-1)?.seq ?? 0 }
    const inHand = await expireDeliveries(this.#deps.db, { ...range, deliveries: expire }, this.#nowMs)
    this.report.expired += expire.length
    return inHand
  }
}

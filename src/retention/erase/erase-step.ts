import { chunksOf } from '../../base/chunks.ts'
import { deleteBodies } from '../../store/bodies.ts'
import { type DeletedWorkspace, endDeletion } from '../../workspace/deletion.sql.ts'
import { type Deletion, type Erased, nextPhase, withErased } from '../../workspace/deletion.ts'
import { archivePrefix } from '../archive/archive-format.ts'
import {
  batchesBetween,
  firstEvents,
  lastBatchNo,
  objectKeys,
  type Rows,
  removeRows,
  rowsOfSubscriptions,
  rowsOfWorkspace,
  SUBSCRIPTION_TABLES,
  WORKSPACE_TABLES,
} from './erased-rows.sql.ts'
import {
  claimsOf,
  firstSubscriptions,
  removeSubscriptions,
  stopSubscriptions,
} from './erased-subscriptions.sql.ts'

export type EraseDeps = {
  db: D1Database
  bodies: R2Bucket
  now: () => number
  /** Makes the pacers of a subscription forget all they store. */
  forgetPacers: (subscriptionNo: number) => Promise<void>
  /** Makes the limiter of a workspace forget all it stores. */
  forgetLimiter: (workspaceNo: number) => Promise<void>
}

/** Rows of one table that a step removes: while it runs, D1 answers no publish. */
const ROWS_PER_STEP = 250
const SUBSCRIPTIONS_STOPPED_PER_STEP = 100
const SUBSCRIPTIONS_PER_STEP = 20
const PACERS_IN_FLIGHT = 5
const BATCHES_PER_STEP = 1_000
const CLAIMS_PER_STEP = 200
const OBJECTS_PER_STEP = 1_000
/**
 * No consumer that has read an event writes its outcome after this time: a claim's lease, as long again for an outcome
 * that has to be written anew, and a restore or a replay's step that was under way.
 */
const SETTLED_AFTER_MS = 180_000

/** The deletion after a step, and whether another one may follow at once. */
type StepResult = { state: Deletion; next: 'go_on' | 'wait' | 'end' }

/** One step of a workspace's deletion. Running it twice changes nothing. */
export class EraseStep {
  readonly #deps: EraseDeps
  readonly #workspace: DeletedWorkspace

  constructor(deps: EraseDeps, workspace: DeletedWorkspace) {
    this.#deps = deps
    this.#workspace = workspace
  }

  async run(): Promise<StepResult> {
    const { phase } = this.#workspace.deletion
    switch (phase) {
      case 'stopping':
        return await this.#stop()
      case 'events':
        return await this.#eraseEvents()
      case 'batches':
        return await this.#eraseBatches()
      case 'settling':
        return await this.#awaitOutcomes()
      case 'subscriptions':
        return await this.#eraseSubscriptions()
      case 'rest':
        return await this.#eraseRest()
      case 'done':
        return this.#after({}, 'wait')
    }
  }

  /** Ends replays, which would make deliveries due again, and deletes the subscriptions. */
  async #stop(): Promise<StepResult> {
    const { db, now } = this.#deps
    const { no, deletion } = this.#workspace
    const replays = WORKSPACE_TABLES.filter(({ name }) => name === 'replay')
    const ofReplays = replays.map((table) => rowsOfWorkspace(table, this.#workspace, ROWS_PER_STEP))
    const [removed = 0] = await removeRows(db, ofReplays)
    if (removed >= ROWS_PER_STEP) return this.#after({}, 'same')
    const page = { aboveNo: Number(deletion.cursor), limit: SUBSCRIPTIONS_STOPPED_PER_STEP }
    const stopped = await stopSubscriptions(db, no, { ...page, nowMs: now() })
    return this.#after({}, stopped.length < page.limit ? 'next' : { cursor: String(Math.max(...stopped)) })
  }

  async #eraseEvents(): Promise<StepResult> {
    const events = firstEvents(this.#workspace.no, ROWS_PER_STEP)
    const { erased, isFull } = await this.#erase([events])
    return this.#after(erased, isFull ? 'same' : 'next')
  }

  async #eraseBatches(): Promise<StepResult> {
    const { no, deletion } = this.#workspace
    const aboveNo = Number(deletion.cursor)
    const untilNo = await lastBatchNo(this.#deps.db, aboveNo, BATCHES_PER_STEP)
    if (untilNo === null) return this.#after({}, 'next')
    const { erased } = await this.#erase([batchesBetween(no, { aboveNo, untilNo })])
    return this.#after(erased, { cursor: String(untilNo) })
  }

  /** Waits until no claim names the workspace: then no row of it can come any more. */
  async #awaitOutcomes(): Promise<StepResult> {
    const { db, now } = this.#deps
    const { no, deletion } = this.#workspace
    if (now() - deletion.phaseAtMs < SETTLED_AFTER_MS) return this.#after({}, 'wait')
    const page = { aboveId: deletion.cursor, limit: CLAIMS_PER_STEP }
    const { lastId, seen, isNamed } = await claimsOf(db, no, page)
    if (isNamed) return this.#after({}, 'wait')
    return this.#after({}, seen < CLAIMS_PER_STEP || lastId === null ? 'next' : { cursor: lastId })
  }

  /** Erases all rows of some subscriptions, then what their pacers store, then themselves. */
  async #eraseSubscriptions(): Promise<StepResult> {
    const { db, forgetPacers } = this.#deps
    const nos = await firstSubscriptions(db, this.#workspace.no, SUBSCRIPTIONS_PER_STEP)
    if (nos.length === 0) return this.#after({}, 'next')
    const parts = SUBSCRIPTION_TABLES.map((table) => rowsOfSubscriptions(table, nos, ROWS_PER_STEP))
    const { erased, isFull } = await this.#erase(parts)
    if (isFull) return this.#after(erased, 'same')
    for (const some of chunksOf(nos, PACERS_IN_FLIGHT)) await Promise.all(some.map(forgetPacers))
    await removeSubscriptions(db, nos)
    return this.#after({ ...erased, subscriptions: nos.length }, 'same')
  }

  async #eraseRest(): Promise<StepResult> {
    const { db, bodies, forgetLimiter } = this.#deps
    const { no, id, deletion } = this.#workspace
    const parts = WORKSPACE_TABLES.map((table) => rowsOfWorkspace(table, this.#workspace, ROWS_PER_STEP))
    const { erased, isFull } = await this.#erase(parts)
    if (isFull) return this.#after(erased, 'same')
    // A purge that was killed leaves an archive that no row names.
    const { objects, truncated } = await bodies.list({ prefix: archivePrefix(id), limit: OBJECTS_PER_STEP })
    await deleteBodies(
      bodies,
      objects.map(({ key }) => key),
    )
    const all = { ...erased, objects: (erased.objects ?? 0) + objects.length }
    if (truncated) return this.#after(all, 'same')
    // Another workspace may be given its number.
    await forgetLimiter(no)
    await endDeletion(db, no, deletion)
    return { state: withErased(deletion, all), next: 'end' }
  }

  /** Removes objects and then the rows that name them. `isFull`: a table may have more of them. */
  async #erase(parts: readonly Rows[]): Promise<{ erased: Partial<Erased>; isFull: boolean }> {
    const { db, bodies } = this.#deps
    const keys: string[] = []
    for (const rows of parts) keys.push(...(await objectKeys(db, rows)))
    await deleteBodies(bodies, keys)
    const counts = await removeRows(db, parts)
    const erased: Partial<Erased> = { objects: keys.length }
    for (const [i, { table }] of parts.entries()) {
      if (table.counted !== undefined) erased[table.counted] = counts[i] ?? 0
    }
    return { erased, isFull: counts.some((count) => count >= ROWS_PER_STEP) }
  }

  #after(more: Partial<Erased>, then: 'same' | 'next' | 'wait' | { cursor: string }): StepResult {
    const state = withErased(this.#workspace.deletion, more)
    if (then === 'wait') return { state: { ...state, cursor: '' }, next: 'wait' }
    if (then === 'same') return { state, next: 'go_on' }
    if (then === 'next') return { state: nextPhase(state, this.#deps.now()), next: 'go_on' }
    return { state: { ...state, ...then }, next: 'go_on' }
  }
}

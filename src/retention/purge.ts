import { z } from 'zod'
import { chunksOf } from '../base/chunks.ts'
import { describeError } from '../base/log.ts'
import { deleteBodies } from '../store/bodies.ts'
import { lastRun, recordRun } from '../store/jobs.sql.ts'
import { endRestored, insertArchive, restoredBefore } from './archives.sql.ts'
import { type TidyReport, tidy } from './leftovers.ts'
import {
  type AgedWorkspace,
  agedDeliveries,
  agedEvents,
  agedWorkspaces,
  type EventRange,
  expireDeliveries,
  removalStatements,
  resetStoredBytes,
  subscriptionNos,
} from './purge.sql.ts'
import {
  type AgedDelivery,
  type AgedEvent,
  chooseEvents,
  markAfter,
  planPurge,
  RESTORED_KEPT_MS,
  type Retention,
  retentionOf,
  type StepBounds,
} from './retention.ts'
import { type ArchiveDeps, archiveEvents } from './write-archive.ts'

export type PurgeDeps = ArchiveDeps & { sleep: (ms: number) => Promise<void> }

/** What a purge did and what it left for the next one. */
export type PurgeReport = {
  events: number
  deliveries: number
  /** Deliveries that were still outstanding and ended as `skipped: expired`. */
  expired: number
  archives: number
  tidied: TidyReport
  /** Workspaces whose purge failed, to be tried again by the next run, and what the first of them failed of. */
  failed: number
  error: string | null
  /** Whether the steps ran out before the work was done. */
  truncated: boolean
  /** Workspaces up to this number have had their turn; the next purge goes on with those above it. */
  resumeAboveNo: number
}

const JOB = 'purge'
/** Small steps, for while one runs D1 answers no publish: twice as many events show in a publish's p99. */
const EVENTS_PER_STEP = 250
/** Back to back, steps would make whoever publishes wait for one after the other. */
const STEP_PAUSE_MS = 50
/** Events with their deliveries. An event with more deliveries than this goes in a step of its own. */
const STEP_BOUNDS: StepBounds = { rowsMax: 1_000, bytesMax: Number.POSITIVE_INFINITY }
/** What is archived is read as a whole, so the texts of a step are bounded too. */
const ARCHIVE_STEP_BOUNDS: StepBounds = { rowsMax: 1_000, bytesMax: 2_000_000 }
const DELIVERIES_PER_STEP = 1_000
const WORKSPACES_PER_PAGE = 100
const PAGES_MAX = 20
const R2_KEYS_PER_CALL = 1_000
/** One step in four is for what outlives its events, so that a backlog of events does not keep it waiting. */
const TIDY_SHARE = 4

/**
 * Removes what is past its retention: events with their deliveries, in at most `stepsMax` steps of up to 12 D1 statements
 * each (about 20 where they are archived); then what outlives its events. Never above the sweeper's mark. Safe to run
 * twice or side by side, and to be killed anywhere: rows go in one transaction a step, objects in R2 after the rows that
 * named them; one that is then left is found by the walk over the bucket.
 */
export async function purge(deps: PurgeDeps, { stepsMax }: { stepsMax: number }): Promise<PurgeReport> {
  const last = resumeSchema.parse((await lastRun(deps.db, JOB))?.report ?? {})
  const report: PurgeReport = {
    events: 0,
    deliveries: 0,
    expired: 0,
    archives: 0,
    tidied: last.tidied,
    failed: 0,
    error: null,
    truncated: false,
    resumeAboveNo: 0,
  }
  const nowMs = deps.now()
  const budget = { steps: stepsMax - Math.floor(stepsMax / TIDY_SHARE) }
  const run: Run = { deps, report, budget, nowMs }
  const ended = await purgeWorkspaces(run, last.resumeAboveNo, Number.POSITIVE_INFINITY)
  if (ended && last.resumeAboveNo > 0) await purgeWorkspaces(run, 0, last.resumeAboveNo)
  await purgeRestored(run)
  budget.steps += Math.floor(stepsMax / TIDY_SHARE)
  report.tidied = await tidy(deps, last.tidied, budget, nowMs)
  await recordRun(deps.db, JOB, { ranAtMs: nowMs, report })
  return report
}

const tidiedSchema = z.object({
  workspaceNo: z.number().default(0),
  subscriptionNo: z.number().nullable().default(0),
  key: z.string().default(''),
  roundAtMs: z.number().default(0),
  bodiesAfter: z.string().default(''),
  bodiesRoundAtMs: z.number().default(0),
})
const resumeSchema = z.object({
  resumeAboveNo: z.number().default(0),
  tidied: tidiedSchema.prefault({}).transform((position) => ({ ...position, ...NOTHING_TIDIED })),
})
const NOTHING_TIDIED = { subscriptions: 0, hours: 0, keys: 0, objects: 0, batches: 0 }

type Run = { deps: PurgeDeps; report: PurgeReport; budget: { steps: number }; nowMs: number }

/** Purges workspaces above a number, up to another one. False when the steps ran out before the end. */
async function purgeWorkspaces(run: Run, startAboveNo: number, untilNo: number): Promise<boolean> {
  const { deps, report, budget } = run
  let aboveNo = startAboveNo
  for (let page = 0; page < PAGES_MAX; page++) {
    const workspaces = await agedWorkspaces(deps.db, aboveNo, WORKSPACES_PER_PAGE)
    for (const workspace of workspaces.filter(({ no }) => no <= untilNo)) {
      await purgeWorkspace(run, workspace)
      aboveNo = workspace.no
      if (budget.steps > 0) continue
      report.truncated = true
      report.resumeAboveNo = aboveNo
      return false
    }
    if (workspaces.length < WORKSPACES_PER_PAGE || aboveNo >= untilNo) return true
  }
  report.resumeAboveNo = aboveNo
  return false
}

/** What fails in one workspace does not keep the others waiting. */
async function purgeWorkspace(run: Run, workspace: AgedWorkspace): Promise<void> {
  const { deps, report, nowMs } = run
  const { settings, oldestMs, storedBytes } = workspace
  try {
    if (oldestMs === null) {
      if (storedBytes > 0) await resetStoredBytes(deps.db, workspace.no)
      return
    }
    const retention = retentionOf(settings, storedBytes, nowMs)
    if (oldestMs >= retention.acceptedBeforeMs && retention.excessBytes === 0) return
    const range = {
      workspaceNo: workspace.no,
      aboveSeq: workspace.purgedSeq,
      untilSeq: workspace.sweptSeq,
      restored: false,
    }
    await purgeRange(run, workspace, range, { retention, archived: settings.archive })
  } catch (error) {
    report.failed++
    report.error ??= describeError(error)
  }
}

/** Takes events of restored archives away again; what was archived once is not archived anew. */
async function purgeRestored(run: Run): Promise<void> {
  const { deps, budget, nowMs } = run
  const everything = { acceptedBeforeMs: Number.POSITIVE_INFINITY, excessBytes: 0, sizeBeforeMs: 0 }
  while (budget.steps > 0) {
    const archive = await restoredBefore(deps.db, nowMs - RESTORED_KEPT_MS)
    if (archive === null) return
    const { workspaceNo, firstSeq, lastSeq } = archive
    const range = { workspaceNo, aboveSeq: firstSeq - 1, untilSeq: lastSeq, restored: true }
    const terms = { retention: everything, archived: false }
    if (!(await purgeRange(run, { no: workspaceNo, id: '' }, range, terms))) return
    await endRestored(deps.db, archive)
  }
}

type Terms = { retention: Retention; archived: boolean }

/** Purges a range of events step by step. True when nothing that may go is left in it. */
async function purgeRange(
  run: Run,
  workspace: { no: number; id: string },
  range: EventRange,
  terms: Terms,
): Promise<boolean> {
  const { deps, budget } = run
  const bounds = terms.archived ? ARCHIVE_STEP_BOUNDS : STEP_BOUNDS
  const subscriptions = await subscriptionNos(deps.db, workspace.no)
  const { retention } = terms
  let { excessBytes } = retention
  let { aboveSeq } = range
  let nothingBelow = true
  while (budget.steps > 0) {
    budget.steps--
    const events = await agedEvents(deps.db, { ...range, aboveSeq }, EVENTS_PER_STEP)
    const { chosen } = chooseEvents(events, { ...retention, excessBytes }, bounds)
    if (chosen.length === 0) return true
    const step = await takeStep(deps.db, chosen, subscriptions)
    const { gone, held } = await purgeStep(run, workspace, step, {
      archived: terms.archived,
      counted: !range.restored,
      nothingBelow: nothingBelow && !range.restored,
    })
    // What waits for its receiver is passed over, but not searched through for the few that do not wait.
    if (gone.length === 0) return false
    await deps.sleep(STEP_PAUSE_MS)
    nothingBelow &&= held === 0
    aboveSeq = step.events.at(-1)?.seq ?? aboveSeq
    excessBytes -= gone.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  return false
}

type Step = { events: AgedEvent[]; deliveries: AgedDelivery[] }

/** The events of a step with all their deliveries: fewer events where back-fills have given them too many. */
async function takeStep(
  db: D1Database,
  chosen: readonly AgedEvent[],
  subscriptions: readonly number[],
): Promise<Step> {
  let events = [...chosen]
  while (events.length > 1) {
    const deliveries = await agedDeliveries(db, events, subscriptions, DELIVERIES_PER_STEP + 1)
    if (deliveries.length <= DELIVERIES_PER_STEP) return { events, deliveries }
    events = events.slice(0, Math.ceil(events.length / 4))
  }
  return { events, deliveries: await agedDeliveries(db, events, subscriptions, Number.MAX_SAFE_INTEGER) }
}

type StepTerms = { archived: boolean; counted: boolean; nothingBelow: boolean }

async function purgeStep(
  { deps, report, nowMs }: Run,
  workspace: { no: number; id: string },
  step: Step,
  { archived, counted, nothingBelow }: StepTerms,
): Promise<{ gone: AgedEvent[]; held: number }> {
  const { go, held, expire } = planPurge(step.events, step.deliveries, nowMs)
  if (expire.length > 0 || step.deliveries.some(({ endedEarly }) => endedEarly)) {
    const range = { firstSeq: step.events[0]?.seq ?? 0, lastSeq: step.events.at(-1)?.seq ?? 0 }
    const inHand = await expireDeliveries(deps.db, expire, { workspaceNo: workspace.no, ...range }, nowMs)
    for (const seq of inHand) held.add(seq)
    report.expired += expire.length
  }
  const events = go.filter(({ seq }) => !held.has(seq))
  if (events.length === 0) return { gone: [], held: held.size }
  const seqs = new Set(events.map(({ seq }) => seq))
  const deliveries = step.deliveries.filter(({ seq }) => seqs.has(seq))
  const archive = archived ? await archiveEvents(deps, workspace, events, deliveries) : null
  const markSeq = nothingBelow ? (markAfter(step.events, held) ?? 0) : 0
  await deps.db.batch([
    ...(archive === null ? [] : [insertArchive(deps.db, archive, [...seqs])]),
    ...removalStatements(deps.db, { workspaceNo: workspace.no, events, deliveries, counted, markSeq }),
  ])
  report.events += events.length
  report.deliveries += deliveries.length
  if (archive !== null) report.archives++
  await removeObjects(deps.bodies, events, deliveries)
  return { gone: events, held: held.size }
}

/** Removes the objects that rows named which are gone now. */
async function removeObjects(
  bodies: R2Bucket,
  events: readonly AgedEvent[],
  deliveries: readonly AgedDelivery[],
): Promise<void> {
  const named = [...events.map(({ bodyKey }) => bodyKey), ...deliveries.map(({ keptKey }) => keptKey)]
  const keys = named.filter((key) => key !== null)
  for (const chunk of chunksOf(keys, R2_KEYS_PER_CALL)) await deleteBodies(bodies, chunk)
}

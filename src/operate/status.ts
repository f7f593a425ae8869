import * as z from 'zod'
import { type Capacity, capacityOf } from '../store/capacity.ts'
import { lastRun } from '../store/jobs.sql.ts'
import { migratedAtMs } from './readiness.sql.ts'
import { isJobOverdue } from './readiness.ts'
import { type Counts, readCounts, readDatabase, readTotals, type Totals } from './status.sql.ts'
import { readWorstSubscriptions, type WorstSubscriptions } from './worst-subscriptions.sql.ts'

/** A queue with a backlog that can be read. */
type WatchedQueue = { name: string; metrics: () => Promise<QueueMetrics> }

export type StatusDeps = {
  db: D1Database
  now: () => number
  /** Size at which the database counts as full. */
  maxDatabaseBytes: number
  queues: readonly WatchedQueue[]
}

/** The backlog of a queue; `metrics` is null where the platform does not tell. */
export type QueueStatus = {
  name: string
  metrics: { messages: number; bytes: number; oldestAtMs: number | null } | null
}

/** A periodic job's last run with its figures; `failed` counts workspaces it could not do. */
export type JobStatus = {
  /** Null where it has never run. */
  ranAtMs: number | null
  /** Since its last run, or since it could have run first; null where that is not known. */
  ageMs: number | null
  /** It should have run again by now. */
  isOverdue: boolean
  truncated: boolean
  failed: number
  error: string | null
  figures: Record<string, number>
}

/** The state of the whole relay. */
export type RelayStatus = {
  migration: string | null
  database: Capacity & { bytes: number | null; maxBytes: number }
  sweep: JobStatus
  purge: JobStatus | null
  queues: QueueStatus[]
}

const FIGURES = {
  sweep: ['reaped', 'scanned', 'rehinted', 'rowsGiven', 'dueSubscriptions', 'woken', 'folded', 'replays'],
  purge: ['events', 'deliveries', 'expired', 'archives'],
} as const

/**
 * Reports of earlier versions may lack members. A job's place is left out: it may name a tenant's
 * key.
 */
const reportSchema = z
  .looseObject({
    truncated: z.boolean().catch(false),
    failed: z.number().catch(0),
    error: z.string().nullable().catch(null),
  })
  .catch({ truncated: false, failed: 0, error: null })

/** Reads the work of a workspace. */
export async function workspaceStatus(deps: StatusDeps, workspaceId: string): Promise<Counts> {
  return await readCounts(deps.db, workspaceId, deps.now())
}

/** Reads the state of the whole relay, for its operator only. */
export async function relayStatus(deps: StatusDeps): Promise<RelayStatus> {
  const nowMs = deps.now()
  const [database, sweep, purge, queues] = await Promise.all([
    readDatabase(deps.db),
    sweepStatus(deps.db, nowMs),
    jobStatus(deps.db, 'purge', nowMs),
    Promise.all(deps.queues.map(queueStatus)),
  ])
  const { bytes, migration } = database
  const maxBytes = deps.maxDatabaseBytes
  return {
    migration,
    database: { ...capacityOf(bytes ?? 0, maxBytes), bytes, maxBytes },
    sweep,
    purge,
    queues,
  }
}

/** Everything that the metrics show. */
export type RelayFigures = { status: RelayStatus; counts: Counts; totals: Totals; worst: WorstSubscriptions }

/** Reads everything that the metrics show. */
export async function relayFigures(deps: StatusDeps): Promise<RelayFigures> {
  const nowMs = deps.now()
  const [status, counts, totals, worst] = await Promise.all([
    relayStatus(deps),
    readCounts(deps.db, null, nowMs),
    readTotals(deps.db, nowMs),
    readWorstSubscriptions(deps.db, nowMs),
  ])
  return { status, counts, totals, worst }
}

/** The sweep's, also where none has run: without it much waits, and nothing else says so. */
async function sweepStatus(db: D1Database, nowMs: number): Promise<JobStatus> {
  const status = await jobStatus(db, 'sweep', nowMs)
  if (status !== null) return status
  const sinceMs = await migratedAtMs(db)
  const age = ageOf('sweep', sinceMs, nowMs)
  return { ...age, ranAtMs: null, truncated: false, failed: 0, error: null, figures: {} }
}

function ageOf(
  name: keyof typeof FIGURES,
  sinceMs: number | null,
  nowMs: number,
): { ageMs: number | null; isOverdue: boolean } {
  const ageMs = sinceMs === null ? null : Math.max(0, nowMs - sinceMs)
  return { ageMs, isOverdue: isJobOverdue(name, ageMs) }
}

async function jobStatus(
  db: D1Database,
  name: keyof typeof FIGURES,
  nowMs: number,
): Promise<JobStatus | null> {
  const run = await lastRun(db, name)
  if (run === null) return null
  const { truncated, failed, error, ...rest } = reportSchema.parse(run.report)
  const figures = FIGURES[name].flatMap((key) => {
    const value = rest[key]
    return typeof value === 'number' ? [[key, value] as const] : []
  })
  const { ranAtMs } = run
  return {
    ranAtMs,
    ...ageOf(name, ranAtMs, nowMs),
    truncated,
    failed,
    error,
    figures: Object.fromEntries(figures),
  }
}

const metricsSchema = z.object({
  backlogCount: z.number(),
  backlogBytes: z.number(),
  oldestMessageTimestamp: z.date().optional(),
})

/** Without the metrics, which the platform need not give, the status is still an answer. */
async function queueStatus({ name, metrics }: WatchedQueue): Promise<QueueStatus> {
  try {
    const { backlogCount, backlogBytes, oldestMessageTimestamp } = metricsSchema.parse(await metrics())
    const oldestAtMs = oldestMessageTimestamp?.getTime() ?? 0
    return {
      name,
      metrics: {
        messages: backlogCount,
        bytes: backlogBytes,
        oldestAtMs: oldestAtMs > 0 ? oldestAtMs : null,
      },
    }
  } catch {
    return { name, metrics: null }
  }
}

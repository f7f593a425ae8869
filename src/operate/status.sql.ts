import { HOUR_MS } from '../base/time.ts'
import { LATENCY_COLUMNS } from '../history/statistics.sql.ts'
import { BREAKER_FAULTS_MIN } from '../receiver/breaker.ts'
import { IS_RUNNING } from '../replay/replays.sql.ts'
import { type OrderedCounts, orderedSql } from './ordered-heads.sql.ts'
import { dueWalk } from './sweep.sql.ts'

/** Most subscriptions and most deliveries that are counted; a count above it is a minimum. */
export const COUNTED_MAX = 10_000
/**
 * Hours, from midnight UTC, after which the relay's counters begin anew: totals over all hours
 * would read them all.
 */
const COUNTER_HOURS = 6

/**
 * Subscriptions by state. Disabled, paused and active exclude each other; breakers are of active
 * ones.
 */
type SubscriptionCounts = {
  active: number
  paused: number
  disabledManual: number
  disabledGone: number
  disabledFailing: number
  disabledUnverified: number
  open: number
  halfOpen: number
  throttled: number
  failing: number
  /** Subscriptions and dispatch targets that were looked at; above `COUNTED_MAX` there are more. */
  examined: number
}

/**
 * Due deliveries: `due` may be made, `held` wait with their subscription. Counted to one above the
 * bound.
 */
type BacklogCounts = { due: number; held: number; oldestDueMs: number | null }

/** The work in a workspace, or in the whole relay. */
export type Counts = {
  subscriptions: SubscriptionCounts
  backlog: BacklogCounts
  ordered: OrderedCounts
  runningReplays: number
}

/** Outcomes since the counters began anew, without those the sweeper has not rolled up yet. */
export type Totals = {
  delivered: number
  failed: number
  attempts: number
  latencySumMs: number
  histogram: number[]
}

/** A count of one more says that there are more. */
const LIMIT = COUNTED_MAX + 1

/** `s` is a subscription whose deliveries wait with it at ?1. */
export const IS_HELD = `(s.paused_at_ms IS NOT NULL OR s.held_until_ms > ?1 OR s.throttled_until_ms > ?1)`
const IS_WORKING = 's.active = 1 AND s.paused_at_ms IS NULL'
const OF_WORKSPACE = 's.workspace_no = (SELECT no FROM workspace WHERE id = ?2)'
/** `d` is a delivery of `s` that is due at ?1. */
export const DUE = 'd.subscription_no = s.no AND d.due_at_ms IS NOT NULL AND d.due_at_ms <= ?1'

/**
 * Reads the work of a workspace, or with null of the whole relay, in one call. Counts are bounded:
 * they stop at `COUNTED_MAX` and one.
 */
export async function readCounts(db: D1Database, workspaceId: string | null, nowMs: number): Promise<Counts> {
  const [subscriptions, backlog, ordered, replays] = await db.batch(countStatements(db, workspaceId, nowMs))
  return {
    subscriptions: subscriptions?.results[0] as SubscriptionCounts,
    backlog: backlog?.results[0] as BacklogCounts,
    ordered: ordered?.results[0] as OrderedCounts,
    runningReplays: (replays?.results as { running: number }[] | undefined)?.[0]?.running ?? 0,
  }
}

function countStatements(db: D1Database, workspaceId: string | null, nowMs: number): D1PreparedStatement[] {
  const scope = workspaceId === null ? [] : [workspaceId]
  const replays = workspaceId === null ? '' : 'AND workspace_no = (SELECT no FROM workspace WHERE id = ?1)'
  return [
    db.prepare(subscriptionsSql(workspaceId === null)).bind(nowMs, ...scope),
    db.prepare(backlogSql(workspaceId === null)).bind(nowMs, ...scope),
    db.prepare(orderedSql(workspaceId === null, LIMIT)).bind(...scope),
    db
      .prepare(
        `SELECT count(*) AS running FROM (SELECT 1 FROM replay INDEXED BY replay_running WHERE ${IS_RUNNING} ${replays} LIMIT ${LIMIT})`,
      )
      .bind(...scope),
  ]
}

function subscriptionsSql(everywhere: boolean): string {
  const from = everywhere ? 'subscription s' : 'subscription s INDEXED BY subscription_workspace'
  const sum = (condition: string) => `coalesce(sum(live AND ${condition}), 0)`
  return `SELECT count(*) AS examined, ${sum(IS_WORKING)} AS active,
      ${sum('s.active = 1 AND s.paused_at_ms IS NOT NULL')} AS paused,
      ${sum(`s.active = 0 AND coalesce(s.disabled_reason, 'manual') = 'manual'`)} AS disabledManual,
      ${sum(`s.active = 0 AND s.disabled_reason IS 'gone'`)} AS disabledGone,
      ${sum(`s.active = 0 AND s.disabled_reason IS 'failing'`)} AS disabledFailing,
      ${sum(`s.active = 0 AND s.disabled_reason IS 'unverified'`)} AS disabledUnverified,
      ${sum(`${IS_WORKING} AND s.held_until_ms > ?1`)} AS open,
      ${sum(`${IS_WORKING} AND s.held_until_ms <= ?1 AND s.throttled_until_ms > ?1`)} AS throttled,
      ${sum(`${IS_WORKING} AND s.faults_in_row >= ${BREAKER_FAULTS_MIN} AND max(s.held_until_ms, s.throttled_until_ms) <= ?1`)} AS halfOpen,
      ${sum(`${IS_WORKING} AND s.failing_since_ms IS NOT NULL`)} AS failing
    FROM (SELECT s.active, s.paused_at_ms, s.disabled_reason, s.held_until_ms, s.throttled_until_ms, s.faults_in_row,
        s.failing_since_ms, s.kind = 0 AND s.deleted_at_ms IS NULL AS live
      FROM ${from} WHERE ${everywhere ? 'true' : OF_WORKSPACE} ORDER BY s.no LIMIT ${LIMIT}) s`
}

/**
 * Counts held deliveries apart: a subscription that is paused for a week is no backlog of the
 * relay.
 */
function backlogSql(everywhere: boolean): string {
  const from = everywhere
    ? 'FROM walk CROSS JOIN subscription s ON s.no = walk.no WHERE true'
    : `FROM subscription s INDEXED BY subscription_workspace WHERE ${OF_WORKSPACE}`
  const some = (condition: string) => `(SELECT s.no ${from} AND ${condition} LIMIT ${LIMIT}) s`
  const count = (condition: string) =>
    `(SELECT count(*) FROM (SELECT 1 FROM ${some(condition)} CROSS JOIN delivery d INDEXED BY delivery_due ON ${DUE} LIMIT ${LIMIT}))`
  const oldest = `(SELECT min(d.due_at_ms) FROM delivery d INDEXED BY delivery_due WHERE ${DUE})`
  return `${everywhere ? `WITH RECURSIVE ${dueWalk(LIMIT)}` : ''} SELECT ${count(`NOT ${IS_HELD}`)} AS due, ${count(IS_HELD)} AS held,
    (SELECT min(${oldest}) FROM ${some(`NOT ${IS_HELD}`)}) AS oldestDueMs`
}

/**
 * Reads the relay's outcomes since `firstCountedHour`, of the first `COUNTED_MAX` subscriptions.
 */
export async function readTotals(db: D1Database, nowMs: number): Promise<Totals> {
  const sum = (column: string) => `coalesce(sum(t.${column}), 0)`
  const row = await db
    .prepare(
      `SELECT ${sum('delivered')} AS delivered, ${sum('failed')} AS failed, ${sum('attempts')} AS attempts,
         ${sum('latency_sum_ms')} AS latencySumMs, json_array(${LATENCY_COLUMNS.map(sum).join(', ')}) AS histogram
       FROM (SELECT no FROM subscription ORDER BY no LIMIT ${COUNTED_MAX}) s
       CROSS JOIN statistic t ON t.subscription_no = s.no AND t.hour >= ?1`,
    )
    .bind(firstCountedHour(nowMs))
    .first<Omit<Totals, 'histogram'> & { histogram: string }>()
  const { histogram, ...totals } = row ?? {
    delivered: 0,
    failed: 0,
    attempts: 0,
    latencySumMs: 0,
    histogram: '[]',
  }
  return { ...totals, histogram: JSON.parse(histogram) as number[] }
}

/** The hour (since 1970, UTC) at which the relay's counters began anew last. */
function firstCountedHour(nowMs: number): number {
  return Math.floor(nowMs / (COUNTER_HOURS * HOUR_MS)) * COUNTER_HOURS
}

/**
 * Reads the newest applied migration and the database's size in bytes; null where they are unknown.
 */
export async function readDatabase(
  db: D1Database,
): Promise<{ migration: string | null; bytes: number | null }> {
  try {
    const { results, meta } = await db
      .prepare('SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1')
      .all<{ name: string }>()
    return { migration: results[0]?.name ?? null, bytes: meta.size_after }
  } catch {
    // A database that was set up by other means has no such table.
    const { meta } = await db.prepare('SELECT 1').run()
    return { migration: null, bytes: meta.size_after }
  }
}

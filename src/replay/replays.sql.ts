import { newestSeqOf } from '../store/event-row.sql.ts'
import { type SubscriptionRow, toSubscription } from '../subscription/row.ts'
import type { Subscription } from '../subscription/subscription.ts'
import { SUBSCRIPTION_COLUMNS, WITH_WORKSPACE } from '../subscription/subscriptions.sql.ts'
import {
  REPLAY_STATES,
  type ReplayScope,
  type ReplayState,
  replayScopeSchema,
  replayStateNumber,
} from './replay.ts'

/** A replay as it stands. */
export type Replay = {
  no: number
  id: string
  workspaceNo: number
  /** Null for a replay of one event. */
  subscriptionNo: number | null
  subscriptionId: string | null
  scope: ReplayScope
  state: ReplayState
  /** The progress of its walk, and its end. */
  cursor: number
  until: number
  examined: number
  replayed: number
  /** The reason why it failed. */
  error: string | null
  nextStepAtMs: number
  createdAtMs: number
  finishedAtMs: number | null
}

export type ReplayRow = {
  no: number
  id: string
  workspace_no: number
  subscription_no: number | null
  subscription_id: string | null
  config: string
  state: number
  cursor: number
  until_seq: number
  examined: number
  replayed: number
  error: string | null
  next_step_at_ms: number
  created_at_ms: number
  finished_at_ms: number | null
}

/** The columns of a replay `r`. */
export const COLUMNS = `r.no, r.id, r.workspace_no, r.subscription_no, s.id AS subscription_id, r.config, r.state, r.cursor, r.until_seq,
  r.examined, r.replayed, r.error, r.next_step_at_ms, r.created_at_ms, r.finished_at_ms`
export const WITH_SUBSCRIPTION = 'LEFT JOIN subscription s ON s.no = r.subscription_no'

export function toReplay(row: ReplayRow): Replay {
  return {
    no: row.no,
    id: row.id,
    workspaceNo: row.workspace_no,
    subscriptionNo: row.subscription_no,
    subscriptionId: row.subscription_id,
    scope: replayScopeSchema.parse(JSON.parse(row.config)),
    state: REPLAY_STATES[row.state] ?? 'failed',
    cursor: row.cursor,
    until: row.until_seq,
    examined: row.examined,
    replayed: row.replayed,
    error: row.error,
    nextStepAtMs: row.next_step_at_ms,
    createdAtMs: row.created_at_ms,
    finishedAtMs: row.finished_at_ms,
  }
}

/** SQL for what `isReplayOf` says of a replay `r`; the parameter is a list of subscriptions' numbers. */
export function isOwnReplay(parameter: string): string {
  const own = `SELECT value FROM json_each(${parameter})`
  return `(r.subscription_no IN (${own}) OR (r.subscription_no IS NULL AND coalesce(json_array_length(r.config, '$.webhooks'), 0) > 0
  AND NOT EXISTS (SELECT 1 FROM json_each(r.config, '$.webhooks') n WHERE n.value ->> 'no' NOT IN (${own}))))`
}

/** SQL for a replay that has steps to make. */
export const IS_RUNNING = `state = ${replayStateNumber('running')}`

/** The stretch of a replay's walk: everything above `after`, up to `until`. */
export type ReplaySpan = { after: number; until: number }

/** Reads the number of a workspace's newest event; 0 when it has none. */
export async function newestSeq(db: D1Database, workspaceNo: number): Promise<number> {
  const seq = await db
    .prepare(`SELECT ${newestSeqOf('?1')} AS seq`)
    .bind(workspaceNo)
    .first<number>('seq')
  return seq ?? 0
}

/** Reads the number of a workspace's newest subscription; 0 when it has none. */
export async function newestSubscriptionNo(db: D1Database, workspaceNo: number): Promise<number> {
  const no = await db
    .prepare(
      'SELECT max(no) AS no FROM subscription INDEXED BY subscription_workspace WHERE workspace_no = ?1',
    )
    .bind(workspaceNo)
    .first<number>('no')
  return no ?? 0
}

/** Finds a replay by its number, with its subscription where it is of one. */
export async function findReplayByNo(
  db: D1Database,
  no: number,
): Promise<{ replay: Replay; subscription: Subscription | null } | null> {
  const [replays, subscriptions] = await db.batch([
    db.prepare(`SELECT ${COLUMNS} FROM replay r ${WITH_SUBSCRIPTION} WHERE r.no = ?1`).bind(no),
    db
      .prepare(
        `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s ${WITH_WORKSPACE} WHERE s.no = (SELECT subscription_no FROM replay WHERE no = ?1)`,
      )
      .bind(no),
  ])
  const [row] = (replays?.results ?? []) as ReplayRow[]
  const [subscription] = (subscriptions?.results ?? []) as SubscriptionRow[]
  if (row === undefined) return null
  return {
    replay: toReplay(row),
    subscription: subscription === undefined ? null : toSubscription(subscription),
  }
}

/** Finds a workspace's replay by its public id. */
export async function findReplay(db: D1Database, workspaceId: string, id: string): Promise<Replay | null> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS} FROM replay r JOIN workspace w ON w.no = r.workspace_no ${WITH_SUBSCRIPTION} WHERE w.id = ?1 AND r.id = ?2`,
    )
    .bind(workspaceId, id)
    .first<ReplayRow>()
  return row === null ? null : toReplay(row)
}

/** Reads a page of a workspace's replays, newest first, below a number. */
export async function listReplays(
  db: D1Database,
  workspaceId: string,
  page: { belowNo: number; limit: number },
): Promise<Replay[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM replay r INDEXED BY replay_workspace ${WITH_SUBSCRIPTION}
       WHERE r.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND r.no < ?2 ORDER BY r.no DESC LIMIT ?3`,
    )
    .bind(workspaceId, page.belowNo, page.limit)
    .all<ReplayRow>()
  return results.map(toReplay)
}

/**
 * Ends a running replay early; deliveries it has made due stay so. False when it was not running.
 */
export async function cancelReplay(db: D1Database, no: number, nowMs: number): Promise<boolean> {
  const cancelled = await db
    .prepare(
      `UPDATE replay SET state = ${replayStateNumber('cancelled')}, finished_at_ms = ?2 WHERE no = ?1 AND ${IS_RUNNING} RETURNING no`,
    )
    .bind(no, nowMs)
    .first()
  return cancelled !== null
}

/** Ends a running replay that cannot go on. */
export async function failReplay(
  db: D1Database,
  no: number,
  { error, nowMs }: { error: string; nowMs: number },
): Promise<void> {
  await db
    .prepare(
      `UPDATE replay SET state = ${replayStateNumber('failed')}, error = ?2, finished_at_ms = ?3 WHERE no = ?1 AND ${IS_RUNNING}`,
    )
    .bind(no, error, nowMs)
    .run()
}

/** A replay whose next step is this late has lost its hint. */
const HINT_LOST_AFTER_MS = 15_000

/**
 * Reads running replays whose hint was lost, the longest due first. `isAlone`: no hint is alive.
 */
export async function dueReplays(
  db: D1Database,
  nowMs: number,
  { limit, isAlone = false }: { limit: number; isAlone?: boolean },
): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT no FROM replay INDEXED BY replay_running WHERE ${IS_RUNNING} AND next_step_at_ms <= ?1 ORDER BY next_step_at_ms LIMIT ?2`,
    )
    .bind(isAlone ? nowMs : nowMs - HINT_LOST_AFTER_MS, limit)
    .all<{ no: number }>()
  return results.map(({ no }) => no)
}

/** A subscription that a replay of one event names, and whether it has a delivery of it. */
export type NamedSubscription = { id: string; no: number; isOpen: boolean; hasRow: boolean }

/** Finds the subscriptions, or dispatch targets, of a workspace among some public ids. */
export async function findNamed(
  db: D1Database,
  event: { workspaceNo: number; seq: number },
  ids: readonly string[],
): Promise<NamedSubscription[]> {
  const { results } = await db
    .prepare(
      `SELECT s.id, s.no, s.active = 1 AND s.deleted_at_ms IS NULL AS isOpen,
         EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = s.no AND d.seq = ?2) AS hasRow
       FROM json_each(?3) i CROSS JOIN subscription s ON s.id = i.value WHERE s.workspace_no = ?1`,
    )
    .bind(event.workspaceNo, event.seq, JSON.stringify(ids))
    .all<{ id: string; no: number; isOpen: number; hasRow: number }>()
  return results.map((row) => ({ ...row, isOpen: row.isOpen === 1, hasRow: row.hasRow === 1 }))
}

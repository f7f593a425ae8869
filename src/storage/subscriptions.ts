import {
  type Health,
  type Subscription,
  type SubscriptionSettings,
  storedSettingsSchema,
} from '../domain/subscription.ts'
import { bumpConfigVersion } from './workspaces.ts'

/** Health as stored; the order is part of the schema. */
const HEALTHS: readonly Health[] = ['unproven', 'healthy', 'suspect']

/** The stored number of a health. */
export function healthNumber(health: Health): number {
  return HEALTHS.indexOf(health)
}

export const SUBSCRIPTION_COLUMNS =
  's.no, s.workspace_no, s.id, s.version, s.active, s.health, s.config, s.secret_cipher, s.created_at_ms, s.updated_at_ms, s.deleted_at_ms'

/** A row of `SUBSCRIPTION_COLUMNS`. */
export type SubscriptionRow = {
  no: number
  workspace_no: number
  id: string
  version: number
  active: number
  health: number
  config: string
  secret_cipher: string | null
  created_at_ms: number
  updated_at_ms: number
  deleted_at_ms: number | null
}

/** Reads a stored row; throws when it is not what this relay writes. */
export function toSubscription(row: SubscriptionRow): Subscription {
  return {
    no: row.no,
    workspaceNo: row.workspace_no,
    id: row.id,
    version: row.version,
    active: row.active === 1,
    health: HEALTHS[row.health] ?? 'unproven',
    settings: storedSettingsSchema.parse(JSON.parse(row.config)),
    secretCipher: row.secret_cipher,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    deletedAtMs: row.deleted_at_ms,
  }
}

/** A new subscription; in one transaction with the bump that makes every isolate see it. Answers its number. */
export async function insertSubscription(
  db: D1Database,
  row: {
    workspaceNo: number
    id: string
    active: boolean
    settings: SubscriptionSettings
    secretCipher: string
  },
  nowMs: number,
): Promise<void> {
  await db.batch([
    db
      .prepare(
        'INSERT INTO subscription (workspace_no, id, active, config, secret_cipher, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)',
      )
      .bind(
        row.workspaceNo,
        row.id,
        row.active ? 1 : 0,
        JSON.stringify(row.settings),
        row.secretCipher,
        nowMs,
      ),
    bumpConfigVersion(db, row.workspaceNo),
  ])
}

/**
 * Replaces a subscription's settings if nobody changed it since it was read; false when somebody did, or it has been
 * deleted. `matchingChanged` says whether publishes must match afresh.
 */
export async function updateSubscription(
  db: D1Database,
  current: Subscription,
  next: {
    active: boolean
    settings: SubscriptionSettings
    secretCipher: string | null
    matchingChanged: boolean
  },
  nowMs: number,
): Promise<boolean> {
  const [updated] = await db.batch([
    db
      .prepare(
        'UPDATE subscription SET active = ?3, config = ?4, secret_cipher = ?5, updated_at_ms = ?6, version = version + 1 WHERE no = ?1 AND version = ?2 AND deleted_at_ms IS NULL RETURNING no',
      )
      .bind(
        current.no,
        current.version,
        next.active ? 1 : 0,
        JSON.stringify(next.settings),
        next.secretCipher,
        nowMs,
      ),
    ...(next.matchingChanged ? [bumpConfigVersion(db, current.workspaceNo)] : []),
  ])
  return (updated?.results.length ?? 0) > 0
}

/** Marks a subscription deleted and wipes its secret and custom headers; its log stays readable. False when it was already gone. */
export async function deleteSubscription(
  db: D1Database,
  current: Subscription,
  nowMs: number,
): Promise<boolean> {
  const [deleted] = await db.batch([
    db
      .prepare(
        `UPDATE subscription SET deleted_at_ms = ?2, updated_at_ms = ?2, secret_cipher = NULL, config = json_set(config, '$.headersCipher', NULL), active = 0, version = version + 1 WHERE no = ?1 AND deleted_at_ms IS NULL RETURNING no`,
      )
      .bind(current.no, nowMs),
    bumpConfigVersion(db, current.workspaceNo),
  ])
  return (deleted?.results.length ?? 0) > 0
}

const IN_WORKSPACE = `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s JOIN workspace w ON w.no = s.workspace_no WHERE w.id = ?1`

/** A workspace's subscription by its public id, deleted ones included; null if there is none. */
export async function findSubscription(
  db: D1Database,
  workspaceId: string,
  id: string,
): Promise<Subscription | null> {
  const row = await db.prepare(`${IN_WORKSPACE} AND s.id = ?2`).bind(workspaceId, id).first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/** A workspace's subscription by its number, deleted ones included; null if there is none. */
export async function findSubscriptionByNo(
  db: D1Database,
  workspaceId: string,
  no: number,
): Promise<Subscription | null> {
  const row = await db.prepare(`${IN_WORKSPACE} AND s.no = ?2`).bind(workspaceId, no).first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/** A page of a workspace's live subscriptions, newest first, below a number; `withDeleted` adds deleted ones. */
export async function listSubscriptions(
  db: D1Database,
  workspaceId: string,
  page: { belowNo: number; limit: number; withDeleted: boolean },
): Promise<Subscription[]> {
  const { results } = await db
    .prepare(
      `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s INDEXED BY subscription_workspace
       WHERE s.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND s.no < ?2 AND (?4 OR s.deleted_at_ms IS NULL)
       ORDER BY s.no DESC LIMIT ?3`,
    )
    .bind(workspaceId, page.belowNo, page.limit, page.withDeleted ? 1 : 0)
    .all<SubscriptionRow>()
  return results.map(toSubscription)
}

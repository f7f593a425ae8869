import type { Binding } from '../access/binding.ts'
import { deleteAccessToken } from '../destination/access-tokens.sql.ts'
import { DESTINATION_NAMES } from '../destination/rules.ts'
import { PACING_LEVELS, pacingLevelOf } from '../pacing/settings.ts'
import { newestSeqOf } from '../store/event-row.sql.ts'
import { bumpConfigVersion } from '../workspace/workspaces.sql.ts'
import { releaseBlocked } from './blocked.sql.ts'
import { boundParameter, boundSource } from './bound.sql.ts'
import { TEMPORARY_COUNT } from './checks/temporary.sql.ts'
import { DISPATCH, SUBSCRIPTION_ID_PREFIX, type SubscriptionRow, toSubscription } from './row.ts'
import type { SubscriptionSettings } from './settings.ts'
import type { SealedParts, Subscription } from './subscription.ts'

/** The rules of workspace `w` for destinations, as `readDestinations` reads them. */
const DESTINATIONS = `json_extract(w.settings, ${DESTINATION_NAMES.map((name) => `'$.${name}'`).join(', ')})`

/**
 * The columns that every reader of a subscription `s` of a workspace `w` needs;
 * `workspaceId` is SQL for its public id.
 */
function columns(workspaceId: string): string {
  return `s.no, s.workspace_no, ${workspaceId} AS workspace_id, ${DESTINATIONS} AS destinations, s.id, s.uid, s.kind, s.version, s.active, s.disabled_reason, s.paused_at_ms, s.challenged_at_ms, s.challenge_problem, s.health, s.faults_in_row, s.held_until_ms, s.throttled_until_ms,
s.failing_since_ms, s.failed_attempts, s.announced_percent, s.pacing_level, s.flush_until_seq, s.config, s.secret_cipher,
s.previous_secret_cipher, s.previous_secret_until_ms, s.auth_cipher, s.signing_keys_cipher, s.created_at_ms, s.updated_at_ms, s.deleted_at_ms, w.streamed_until_ms`
}

/** The columns for readers that do not know the workspace's public id; they read `WITH_WORKSPACE`. */
export const SUBSCRIPTION_COLUMNS = columns('w.id')
/** Joined to a subscription `s`, and looked up for each: it is one row more. */
export const WITH_WORKSPACE = 'CROSS JOIN workspace w ON w.no = s.workspace_no'
/** The columns for readers that select by the workspace's public id, their first parameter. */
export const OWN_COLUMNS = columns('?1')
/** A subscription to be written. */
export type NewSubscription = {
  workspaceNo: number
  id: string
  uid: string | null
  active: boolean
  /** Why it is not active; null for its owner's wish. */
  disabledReason: 'unverified' | null
  settings: SubscriptionSettings
  sealed: SealedParts
}

const INSERT = `INSERT INTO subscription (workspace_no, id, kind, active, config, secret_cipher, previous_secret_cipher, previous_secret_until_ms, auth_cipher, signing_keys_cipher, pacing_level, created_at_ms, updated_at_ms, uid, disabled_reason)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13, ?14
WHERE (?15 IS NULL OR (SELECT count(*) FROM subscription WHERE workspace_no = ?1 AND kind = 0 AND deleted_at_ms IS NULL) < ?15)
  AND (?16 IS NULL OR (${TEMPORARY_COUNT}) < ?16)
ON CONFLICT DO NOTHING`

/**
 * Inserts a subscription, in one transaction with the bump that makes every isolate see it; unless its id is there, a
 * live one of the workspace has its uid, or it has `max` already, or as many that end with their listeners: of two at
 * once for the last place, one is inserted.
 */
export async function insertSubscription(
  db: D1Database,
  row: NewSubscription,
  {
    nowMs,
    max = null,
    temporaryMax = null,
  }: { nowMs: number; max?: number | null; temporaryMax?: number | null },
): Promise<void> {
  await db.batch([
    insertStatement(db, { ...row, kind: 0 }, { nowMs, max, temporaryMax }),
    bumpConfigVersion(db, row.workspaceNo),
  ])
}

/** Counts a workspace's subscriptions that are not deleted. */
export async function countSubscriptions(db: D1Database, workspaceNo: number): Promise<number> {
  const count = await db
    .prepare(
      'SELECT count(*) AS n FROM subscription WHERE workspace_no = ?1 AND kind = 0 AND deleted_at_ms IS NULL',
    )
    .bind(workspaceNo)
    .first<number>('n')
  return count ?? 0
}

/** Inserts a target of dispatches, once. No publish has to know of it. */
export async function ensureDispatchTarget(
  db: D1Database,
  row: NewSubscription,
  nowMs: number,
): Promise<void> {
  await insertStatement(db, { ...row, kind: DISPATCH }, { nowMs, max: null, temporaryMax: null }).run()
}

function insertStatement(
  db: D1Database,
  row: NewSubscription & { kind: number },
  { nowMs, max, temporaryMax }: { nowMs: number; max: number | null; temporaryMax: number | null },
): D1PreparedStatement {
  const { workspaceNo, id, uid, kind, active, settings } = row
  const values = [workspaceNo, id, kind, active ? 1 : 0, JSON.stringify(settings)]
  const state = [pacingLevelNumber(settings), nowMs, uid, row.disabledReason]
  const rest = [...sealedValues(row.sealed), ...state, max, temporaryMax]
  return db.prepare(INSERT).bind(...values, ...rest)
}

/** The stored number of how a subscription with these settings is held back. */
function pacingLevelNumber(settings: SubscriptionSettings): number {
  return PACING_LEVELS.indexOf(pacingLevelOf(settings))
}

function sealedValues(sealed: SealedParts): (string | number | null)[] {
  const { secretCipher, previousSecretCipher, previousSecretUntilMs, authCipher, signingKeysCipher } = sealed
  return [secretCipher, previousSecretCipher, previousSecretUntilMs, authCipher, signingKeysCipher]
}

// Enabling a subscription, or pointing it elsewhere, gives its receiver a new start.
const RESETS = `(?3 > active OR ?4 ->> 'url' <> config ->> 'url')`
const forgiven = (column: string, value: string) => `${column} = iif(${RESETS}, ${value}, ${column})`
// Deliveries that wait for a batch were gathered under the settings before, and leave at once.
const LAST_SEQ = newestSeqOf('subscription.workspace_no')
const BATCHED = `config ->> '$.batchSettings.enabled'`
const FLUSHED = `flush_until_seq = iif(${BATCHED}, max(flush_until_seq, coalesce(${LAST_SEQ}, 0)), flush_until_seq), flush_cause = iif(${BATCHED}, 'change', flush_cause)`
// The pacing level stays at 1, without settings that hold anything back, until nothing waits.
const UPDATE = `UPDATE subscription SET active = ?3, disabled_reason = iif(?3 = 1, NULL, coalesce(?12, iif(active = 1 OR disabled_reason = 'unverified', 'manual', disabled_reason))),
${['faults_in_row', 'held_until_ms', 'throttled_until_ms', 'failed_attempts', 'announced_percent'].map((name) => forgiven(name, '0')).join(', ')}, ${['failing_since_ms', 'challenged_at_ms', 'challenge_problem'].map((name) => forgiven(name, 'NULL')).join(', ')}, config = ?4, secret_cipher = ?5, previous_secret_cipher = ?6, previous_secret_until_ms = ?7,
auth_cipher = ?8, signing_keys_cipher = ?9, updated_at_ms = ?10, pacing_level = max(?11, min(pacing_level, 1)), ${FLUSHED}, version = version + 1
WHERE no = ?1 AND version = ?2 AND deleted_at_ms IS NULL RETURNING no`

/** A subscription's new settings; `matchingChanged` says that publishes must match afresh. */
export type SubscriptionUpdate = Omit<NewSubscription, 'workspaceNo' | 'id' | 'uid'> & {
  matchingChanged: boolean
  nowMs: number
}

/** Replaces a subscription's settings. False when it was changed since it was read, or deleted. */
export async function updateSubscription(
  db: D1Database,
  current: Subscription,
  { active, disabledReason, settings, sealed, matchingChanged, nowMs }: SubscriptionUpdate,
): Promise<boolean> {
  const values = [
    current.no,
    current.version,
    active ? 1 : 0,
    JSON.stringify(settings),
    ...sealedValues(sealed),
    nowMs,
    pacingLevelNumber(settings),
    disabledReason,
  ]
  const [updated] = await db.batch([
    db.prepare(UPDATE).bind(...values),
    ...(current.pacingLevel === 'none' ? [] : releaseBlocked(db, current.no, nowMs)),
    ...(matchingChanged ? [bumpConfigVersion(db, current.workspaceNo)] : []),
  ])
  return (updated?.results.length ?? 0) > 0
}

/**
 * Marks a subscription deleted and wipes all that is sealed;
 * its log stays readable. False when it was already.
 */
export async function deleteSubscription(
  db: D1Database,
  current: Subscription,
  nowMs: number,
): Promise<boolean> {
  const [deleted] = await db.batch([
    db
      .prepare(
        `UPDATE subscription SET deleted_at_ms = ?2, updated_at_ms = ?2, secret_cipher = NULL, previous_secret_cipher = NULL, auth_cipher = NULL,
         signing_keys_cipher = NULL, config = json_set(config, '$.headersCipher', NULL), active = 0, version = version + 1
         WHERE no = ?1 AND deleted_at_ms IS NULL RETURNING no`,
      )
      .bind(current.no, nowMs),
    deleteAccessToken(db, current.no),
    bumpConfigVersion(db, current.workspaceNo),
  ])
  return (deleted?.results.length ?? 0) > 0
}

const IN_WORKSPACE = `SELECT ${OWN_COLUMNS} FROM subscription s JOIN workspace w ON w.no = s.workspace_no WHERE w.id = ?1`

/** Finds a workspace's subscription or dispatch target by its public id, deleted ones included. */
export async function findSubscription(
  db: D1Database,
  workspaceId: string,
  id: string,
): Promise<Subscription | null> {
  const row = await db.prepare(`${IN_WORKSPACE} AND s.id = ?2`).bind(workspaceId, id).first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/** Finds a workspace's live subscription by the id that its creator chose. */
export async function findSubscriptionByUid(
  db: D1Database,
  workspaceId: string,
  uid: string,
): Promise<Subscription | null> {
  const row = await db
    .prepare(
      `SELECT ${OWN_COLUMNS} FROM workspace w CROSS JOIN subscription s INDEXED BY subscription_uid ON s.workspace_no = w.no
       WHERE w.id = ?1 AND s.uid = ?2 AND s.deleted_at_ms IS NULL`,
    )
    .bind(workspaceId, uid)
    .first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/**
 * Finds a workspace's subscription as callers name it: by its generated id, deleted ones included, or by its uid,
 * which a deleted one has no more.
 */
export async function findNamedSubscription(
  db: D1Database,
  workspaceId: string,
  name: string,
): Promise<Subscription | null> {
  return name.startsWith(SUBSCRIPTION_ID_PREFIX)
    ? await findSubscription(db, workspaceId, name)
    : await findSubscriptionByUid(db, workspaceId, name)
}

/** Finds a live subscription of any workspace that has public keys. */
export async function findPublicKeyOwner(db: D1Database, id: string): Promise<Subscription | null> {
  const row = await db
    .prepare(
      `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s ${WITH_WORKSPACE} WHERE s.id = ?1 AND s.deleted_at_ms IS NULL AND s.signing_keys_cipher IS NOT NULL`,
    )
    .bind(id)
    .first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/** Finds a subscription of any workspace by its number, for consumers that are to serve it. */
export async function readSubscription(db: D1Database, no: number): Promise<Subscription | null> {
  const row = await db
    .prepare(`SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s ${WITH_WORKSPACE} WHERE s.no = ?1`)
    .bind(no)
    .first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/** Finds a workspace's subscription by its number, deleted ones included. */
export async function findSubscriptionByNo(
  db: D1Database,
  workspaceId: string,
  no: number,
): Promise<Subscription | null> {
  const row = await db.prepare(`${IN_WORKSPACE} AND s.no = ?2`).bind(workspaceId, no).first<SubscriptionRow>()
  return row === null ? null : toSubscription(row)
}

/** Subscriptions that an event is owed to: those of its fan-out, and those that a replay has given it; or all others. */
export type OwedFilter = { seq: number; fanoutNos: readonly number[]; isOwed: boolean }

const IS_OWED = `(s.no IN (SELECT value FROM json_each(?5)) OR EXISTS (
  SELECT 1 FROM delivery d WHERE d.subscription_no = s.no AND d.seq = ?6))`

/** The subscriptions below a number, of a caller who is bound or, without a binding, of the whole workspace. */
export type SubscriptionPage = {
  belowNo: number
  limit: number
  withDeleted: boolean
  owed?: OwedFilter | null
  binding: Binding | null
}

const OF_WORKSPACE = 'JOIN subscription s INDEXED BY subscription_workspace ON s.workspace_no = w.no'
const OF_BINDING = `${boundSource('?8')} CROSS JOIN subscription s ON s.no = m.subscription_no`

/**
 * A page of a workspace's subscriptions, newest first;
 * `withDeleted` adds deleted ones to the live ones.
 */
export async function listSubscriptions(
  db: D1Database,
  workspaceId: string,
  page: SubscriptionPage,
): Promise<Subscription[]> {
  const { owed = null, binding } = page
  const no = binding === null ? 's.no' : 'm.subscription_no'
  const { results } = await db
    .prepare(
      `SELECT ${OWN_COLUMNS} FROM workspace w CROSS ${binding === null ? OF_WORKSPACE : OF_BINDING}
       WHERE w.id = ?1 AND ${no} < ?2 AND s.kind = 0 AND (?4 OR s.deleted_at_ms IS NULL)
         AND (?5 IS NULL OR ${IS_OWED} = ?7)
       ORDER BY ${no} DESC LIMIT ?3`,
    )
    .bind(
      ...[workspaceId, page.belowNo, page.limit, page.withDeleted ? 1 : 0, ...owedParameters(owed)],
      ...(binding === null ? [] : [boundParameter(binding)]),
    )
    .all<SubscriptionRow>()
  return results.map(toSubscription)
}

function owedParameters(owed: OwedFilter | null): (string | number | null)[] {
  return owed === null ? [null, null, null] : [JSON.stringify(owed.fanoutNos), owed.seq, owed.isOwed ? 1 : 0]
}

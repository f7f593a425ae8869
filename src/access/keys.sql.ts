import type { LimitsChange } from '../limits/limits.ts'
import { bumpConfigVersion } from '../workspace/workspaces.sql.ts'
import { type ApiKey, KEYS_MAX } from './key.ts'
import { KEY_COLUMNS, type KeyRow, NO_KEY_COLUMNS, toApiKey } from './key-row.sql.ts'
import type { Grant } from './scopes.ts'

const OF_WORKSPACE = 'k.workspace_no = (SELECT no FROM workspace WHERE id = ?1)'
const SELECT_WITH_WORKSPACE = `SELECT ${KEY_COLUMNS}, w.id AS workspace_id FROM api_key k JOIN workspace w ON w.no = k.workspace_no
WHERE k.id = ?1 AND w.deletion IS NULL
UNION ALL SELECT ${NO_KEY_COLUMNS}, w.id FROM revoked_key r JOIN workspace w ON w.no = r.workspace_no WHERE r.id = ?1 AND w.deletion IS NULL`

/** A key with the public id of its workspace; its key is null once it is revoked. */
type KeyOfWorkspace = { key: ApiKey | null; workspaceId: string }

/** Finds a key, in one indexed read; null for an id that no key has had of a workspace that stays. */
export async function findKeyById(db: D1Database, id: string): Promise<KeyOfWorkspace | null> {
  const row = await db
    .prepare(SELECT_WITH_WORKSPACE)
    .bind(id)
    .first<(KeyRow | Record<keyof KeyRow, null>) & { workspace_id: string }>()
  if (row === null) return null
  return { key: row.id === null ? null : toApiKey(row), workspaceId: row.workspace_id }
}

/** A key of a workspace, or null. */
export async function findKey(db: D1Database, workspaceId: string, id: string): Promise<ApiKey | null> {
  const sql = `SELECT ${KEY_COLUMNS} FROM api_key k WHERE k.id = ?2 AND ${OF_WORKSPACE}`
  const row = await db.prepare(sql).bind(workspaceId, id).first<KeyRow>()
  return row === null ? null : toApiKey(row)
}

/** Keys of a workspace, newest first. */
export async function listKeys(
  db: D1Database,
  workspaceId: string,
  { belowNo, limit }: { belowNo: number; limit: number },
): Promise<ApiKey[]> {
  const sql = `SELECT ${KEY_COLUMNS} FROM api_key k WHERE ${OF_WORKSPACE} AND k.no < ?2 ORDER BY k.no DESC LIMIT ?3`
  const { results } = await db.prepare(sql).bind(workspaceId, belowNo, limit).all<KeyRow>()
  return results.map(toApiKey)
}

const INSERT = `INSERT INTO api_key (workspace_no, id, name, grant_json, allowed_ips, limits, expires_at_ms, hash, created_by, created_at_ms)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE (SELECT count(*) FROM api_key WHERE workspace_no = ?1) < ${KEYS_MAX}`

export type NewKey = Pick<
  ApiKey,
  'workspaceNo' | 'id' | 'name' | 'grant' | 'allowedIps' | 'limits' | 'expiresAtMs' | 'hash' | 'createdBy'
> & { createdAtMs: number }

/** Writes a new key; false where the workspace has as many as it may. */
export async function insertKey(db: D1Database, key: NewKey): Promise<boolean> {
  const { workspaceNo, id, name, grant, allowedIps, limits, expiresAtMs, hash, createdBy, createdAtMs } = key
  const values = [name, JSON.stringify(grant), jsonOrNull(allowedIps), limits, expiresAtMs, hash, createdBy]
  const [inserted] = await db.batch([
    db.prepare(INSERT).bind(workspaceNo, id, ...values, createdAtMs),
    bumpConfigVersion(db, workspaceNo),
  ])
  return inserted?.meta.changes === 1
}

/** Fields of a key that a change may name; what it does not name stays, also against another change at once. */
export type KeyChange = {
  name?: string | undefined
  grant?: Grant | undefined
  allowedIps?: readonly string[] | null | undefined
  limits?: LimitsChange | undefined
  expiresAtMs?: number | null | undefined
}

const PATCH_LIMITS = `UPDATE api_key SET limits = json_patch(coalesce(limits, '{}'), ?2) WHERE id = ?1`

/** Changes the named fields; every isolate sees them with its next publish. */
export async function updateKey(
  db: D1Database,
  { id, workspaceNo }: ApiKey,
  change: KeyChange,
): Promise<void> {
  const { name, grant, allowedIps, limits, expiresAtMs } = change
  const columns: Record<string, string | number | null | undefined> = {
    name,
    grant_json: grant && JSON.stringify(grant),
    allowed_ips: allowedIps === undefined ? undefined : jsonOrNull(allowedIps),
    expires_at_ms: expiresAtMs,
  }
  const updates = Object.entries(columns).flatMap(([column, value]) =>
    value === undefined
      ? []
      : [db.prepare(`UPDATE api_key SET ${column} = ?2 WHERE id = ?1`).bind(id, value)],
  )
  if (limits !== undefined) updates.push(db.prepare(PATCH_LIMITS).bind(id, JSON.stringify(limits)))
  if (updates.length > 0) await db.batch([...updates, bumpConfigVersion(db, workspaceNo)])
}

// Whoever rotates a key holds it then: the grant must still be the one that they were found to have themselves.
const ROTATE = `UPDATE api_key SET hash_before = hash, before_until_ms = ?3, hash = ?2 WHERE id = ?1 AND grant_json = ?4`

/** Gives a key another secret; the one before is valid for a while. False where the key has changed or gone meanwhile. */
export async function rotateKey(
  db: D1Database,
  { id, workspaceNo, grant }: ApiKey,
  { hash, previousUntilMs }: { hash: string; previousUntilMs: number },
): Promise<boolean> {
  const [rotated] = await db.batch([
    db.prepare(ROTATE).bind(id, hash, previousUntilMs, JSON.stringify(grant)),
    bumpConfigVersion(db, workspaceNo),
  ])
  return rotated?.meta.changes === 1
}

const REMEMBER_REVOKED = `INSERT INTO revoked_key (id, workspace_no, revoked_at_ms)
SELECT id, workspace_no, ?2 FROM api_key WHERE id = ?1 ON CONFLICT (id) DO NOTHING`
const FORGET_REVOKED = 'DELETE FROM revoked_key WHERE workspace_no = ?1 AND revoked_at_ms < ?2'

/**
 * Ends a key for good: once this has resolved, no publish by it is accepted on any isolate. Its id is remembered; those of
 * the workspace that were revoked before a time are forgotten.
 */
export async function deleteKey(
  db: D1Database,
  { id, workspaceNo }: ApiKey,
  { nowMs, forgetBeforeMs }: { nowMs: number; forgetBeforeMs: number },
): Promise<void> {
  await db.batch([
    db.prepare(REMEMBER_REVOKED).bind(id, nowMs),
    db.prepare(FORGET_REVOKED).bind(workspaceNo, forgetBeforeMs),
    db.prepare('DELETE FROM api_key WHERE id = ?1').bind(id),
    bumpConfigVersion(db, workspaceNo),
  ])
}

const MARK_USED =
  'UPDATE api_key SET last_used_hour = ?2 WHERE id = ?1 AND (last_used_hour IS NULL OR last_used_hour < ?2)'

/** Records the hour of a key's use. No publish has to know of it. */
export async function markKeyUsed(db: D1Database, id: string, hour: number): Promise<void> {
  await db.prepare(MARK_USED).bind(id, hour).run()
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}

import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { bumpConfigVersion } from '../workspace/workspaces.sql.ts'

/** Rows that outlive their events: subscriptions, expired keys, ended batches; and texts in R2. */

/** Reads a part of a workspace's subscriptions, dispatch targets included, by number. */
export async function subscriptionPage(
  db: D1Database,
  workspaceNo: number,
  { aboveNo, limit }: { aboveNo: number; limit: number },
): Promise<number[]> {
  const { results } = await db
    .prepare(
      'SELECT s.no FROM subscription s INDEXED BY subscription_workspace WHERE s.workspace_no = ?1 AND s.no > ?2 ORDER BY s.no LIMIT ?3',
    )
    .bind(workspaceNo, aboveNo, limit)
    .all<{ no: number }>()
  return results.map(({ no }) => no)
}

// The newest subscription stays: its number would be given out again, and old ids name numbers. An
// event above the watermark may have no row yet, so its dispatch target stays too.
const FORGOTTEN = `SELECT s.no FROM json_each(?1) l JOIN subscription s ON s.no = l.value
WHERE (s.deleted_at_ms < ?2 OR (s.kind = 1 AND s.updated_at_ms < ?2)) AND s.no < (SELECT max(no) FROM subscription)
  AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = s.no)
  AND s.no NOT IN (
    SELECT f.value FROM workspace w JOIN event e ON e.pk > (w.no << ${SEQ_BITS}) | w.swept_seq AND e.pk <= (w.no << ${SEQ_BITS}) | ${SEQ_MAX}, json_each(e.fanout) f
    WHERE w.no = ?3 AND e.is_test = ${ORIGIN.dispatch})`

/**
 * Removes subscriptions deleted before a time, and dispatch targets last written before it, once no
 * delivery of theirs is left. A dispatch that has just found its target looks again, since the
 * configuration's version changes. Returns their number.
 */
export async function forgetSubscriptions(
  db: D1Database,
  workspaceNo: number,
  { nos, beforeMs }: { nos: readonly number[]; beforeMs: number },
): Promise<number> {
  const bound = (list: readonly number[]) => [JSON.stringify(list), beforeMs, workspaceNo] as const
  const { results } = await db
    .prepare(FORGOTTEN)
    .bind(...bound(nos))
    .all<{ no: number }>()
  if (results.length === 0) return 0
  const found = bound(results.map(({ no }) => no))
  const remove = (sql: string) =>
    db.prepare(`DELETE FROM ${sql} IN (${FORGOTTEN}) RETURNING 1`).bind(...found)
  const [, , , removed] = await db.batch([
    remove('statistic WHERE subscription_no'),
    remove('access_token WHERE subscription_no'),
    bumpConfigVersion(db, workspaceNo),
    remove('subscription WHERE no'),
  ])
  return removed?.results.length ?? 0
}

/**
 * Removes batches that have ended and were formed before a number. Returns how many, at most
 * `limit`.
 */
export async function removeEndedBatches(db: D1Database, belowNo: number, limit: number): Promise<number> {
  const { results } = await db
    .prepare(
      'DELETE FROM batch WHERE no IN (SELECT no FROM batch WHERE no < ?1 AND due_at_ms IS NULL ORDER BY no LIMIT ?2) RETURNING 1',
    )
    .bind(belowNo, limit)
    .all()
  return results.length
}

const KEY_PAGE = `SELECT key FROM event_key WHERE workspace_no = ?1 AND key > ?2 AND key < 'k;' ORDER BY key LIMIT ?3`

/**
 * Removes expired Idempotency-Keys among the next ones of a workspace. The walk reads a row for
 * each; an index by number would write two for each. Returns the last key it saw, null at the end.
 */
export async function removeExpiredKeys(
  db: D1Database,
  page: { workspaceNo: number; aboveKey: string; keyFloor: number; limit: number },
): Promise<{ lastKey: string | null; removed: number }> {
  const { workspaceNo, aboveKey, keyFloor, limit } = page
  const [looked, removed] = await db.batch<{ last: string | null; count: number }>([
    db
      .prepare(`SELECT max(key) AS last, count(*) AS count FROM (${KEY_PAGE})`)
      .bind(workspaceNo, aboveKey, limit),
    db
      .prepare(
        `DELETE FROM event_key WHERE workspace_no = ?1 AND key > ?2 AND key <= (SELECT max(key) FROM (${KEY_PAGE})) AND seq < ?4 RETURNING 1`,
      )
      .bind(workspaceNo, aboveKey, limit, keyFloor),
  ])
  const { last = null, count = 0 } = looked?.results[0] ?? {}
  return { lastKey: count < limit ? null : last, removed: removed?.results.length ?? 0 }
}

/** Finds those of some objects that no row names. */
export async function unnamedKeys(db: D1Database, keys: readonly string[]): Promise<string[]> {
  const list = JSON.stringify(keys)
  const ours = 'IN (SELECT value FROM json_each(?1))'
  const { results } = await db
    .prepare(
      `SELECT e.body_key AS key FROM event e INDEXED BY event_body_key WHERE e.body_key IS NOT NULL AND e.body_key ${ours}
       UNION ALL SELECT k.body_key FROM kept_body k INDEXED BY kept_body_key WHERE k.body_key IS NOT NULL AND k.body_key ${ours}
       UNION ALL SELECT b.body_key FROM batch b INDEXED BY batch_body_key WHERE b.body_key IS NOT NULL AND b.body_key ${ours}
       UNION ALL SELECT a.key FROM archive a WHERE a.key ${ours}`,
    )
    .bind(list)
    .all<{ key: string }>()
  const named = new Set(results.map(({ key }) => key))
  return keys.filter((key) => !named.has(key))
}

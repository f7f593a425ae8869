import { bumpConfigVersion } from '../../workspace/workspaces.sql.ts'

/** A bare row has this id; no other has one with a slash. */
const BARE_ID = "'deleted/' || no"

/** The settings of a bare row: those of a subscription that wants nothing and goes nowhere. */
const BARE_CONFIG = JSON.stringify({
  url: 'https://deleted.invalid/',
  events: [],
  description: null,
  metadata: {},
  headersCipher: null,
  retryPolicy: null,
  timeoutSeconds: 30,
  profile: 'standard',
})

const LIVE =
  'SELECT no FROM subscription INDEXED BY subscription_workspace WHERE workspace_no = ?1 AND no > ?3 AND deleted_at_ms IS NULL ORDER BY no LIMIT ?4'

/**
 * Deletes the next subscriptions and dispatch targets of a workspace above a number, as a caller would, so that no attempt
 * of theirs starts any more. Answers their numbers.
 */
export async function stopSubscriptions(
  db: D1Database,
  workspaceNo: number,
  { aboveNo, nowMs, limit }: { aboveNo: number; nowMs: number; limit: number },
): Promise<number[]> {
  const [stopped] = await db.batch<{ no: number }>([
    db
      .prepare(
        `UPDATE subscription SET deleted_at_ms = ?2, updated_at_ms = ?2, secret_cipher = NULL, previous_secret_cipher = NULL, auth_cipher = NULL,
         signing_keys_cipher = NULL, config = json_set(config, '$.headersCipher', NULL), active = 0, disabled_reason = 'manual', version = version + 1
         WHERE no IN (${LIVE}) RETURNING no`,
      )
      .bind(workspaceNo, nowMs, aboveNo, limit),
    bumpConfigVersion(db, workspaceNo),
  ])
  return (stopped?.results ?? []).map(({ no }) => no)
}

/** Reads the first subscriptions of a workspace that are not erased yet. */
export async function firstSubscriptions(
  db: D1Database,
  workspaceNo: number,
  limit: number,
): Promise<number[]> {
  const { results } = await db
    .prepare(
      `SELECT no FROM subscription INDEXED BY subscription_workspace WHERE workspace_no = ?1 AND id <> ${BARE_ID} ORDER BY no LIMIT ?2`,
    )
    .bind(workspaceNo, limit)
    .all<{ no: number }>()
  return results.map(({ no }) => no)
}

/** Removes subscriptions; of the newest one a bare row stays, or the next one would be given its number. */
export async function removeSubscriptions(db: D1Database, nos: readonly number[]): Promise<void> {
  const list = JSON.stringify(nos)
  const among = 'no IN (SELECT value FROM json_each(?1))'
  await db.batch([
    db
      .prepare(`DELETE FROM subscription WHERE ${among} AND no < (SELECT max(no) FROM subscription)`)
      .bind(list),
    db
      .prepare(
        `UPDATE subscription SET id = ${BARE_ID}, uid = NULL, challenge_problem = NULL, config = ?2, health = 0, pacing_level = 0, paused_at_ms = NULL, faults_in_row = 0, held_until_ms = 0,
         throttled_until_ms = 0, failing_since_ms = NULL, failed_attempts = 0, announced_percent = 0, flush_until_seq = 0, flush_cause = NULL WHERE ${among}`,
      )
      .bind(list, BARE_CONFIG),
  ])
}

/** Part of the claims of all consumers, and whether one of them is of the workspace. */
export type ClaimsPage = { lastId: string | null; seen: number; isNamed: boolean }

/**
 * Looks through some claims for deliveries of a workspace, and for counts of its subscriptions that are not rolled up yet.
 * It reads all claims, since none has an index by workspace; a page at a time.
 */
export async function claimsOf(
  db: D1Database,
  workspaceNo: number,
  page: { aboveId: string; limit: number },
): Promise<ClaimsPage> {
  const row = await db
    .prepare(
      `SELECT max(c.id) AS lastId, count(*) AS seen, coalesce(max(
         EXISTS (SELECT 1 FROM json_each(c.pairs) p WHERE p.value ->> 2 = ?1)
         OR EXISTS (SELECT 1 FROM json_each(c.settled) t CROSS JOIN subscription s ON s.no = t.value ->> 0 WHERE s.workspace_no = ?1)), 0) AS named
       FROM (SELECT id, pairs, settled FROM claim WHERE id > ?2 ORDER BY id LIMIT ?3) c`,
    )
    .bind(workspaceNo, page.aboveId, page.limit)
    .first<{ lastId: string | null; seen: number; named: number }>()
  return { lastId: row?.lastId ?? null, seen: row?.seen ?? 0, isNamed: row?.named === 1 }
}

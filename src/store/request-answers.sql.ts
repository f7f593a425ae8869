/** A request that is to be answered once: its key, and a hash of all that it says. */
export type KeyedRequest = { workspaceId: string; key: string; hash: string }

/** The times of a request's lease and of the end of what is kept of it. */
type LeaseTimes = { nowMs: number; leasedUntilMs: number; expiresAtMs: number }

/** The state in which a keyed request finds its key. */
export type TakenKey =
  | { kind: 'taken'; seed: string }
  | { kind: 'leased' }
  | { kind: 'other_request' }
  | { kind: 'answered'; status: number; answerCipher: string | null }

/** Expired rows that one request removes: more than one, so that they become fewer. */
const REMOVED_PER_REQUEST = 10

const REMOVE_EXPIRED = `DELETE FROM request_answer WHERE rowid IN (
  SELECT rowid FROM request_answer INDEXED BY request_answer_expiry WHERE expires_at_ms <= ?1 ORDER BY expires_at_ms LIMIT ${REMOVED_PER_REQUEST})`

// A request that was cut off is taken up again under its seed, and by the same request only.
const TAKE = `INSERT INTO request_answer (workspace_id, key, hash, seed, leased_until_ms, expires_at_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (workspace_id, key) DO UPDATE SET
  hash = excluded.hash, seed = iif(expires_at_ms <= ?7, excluded.seed, seed), status = NULL, answer_cipher = NULL,
  leased_until_ms = excluded.leased_until_ms, expires_at_ms = excluded.expires_at_ms
  WHERE expires_at_ms <= ?7 OR (status IS NULL AND leased_until_ms <= ?7 AND hash = excluded.hash)
RETURNING seed`

type Row = { hash: string; status: number | null; answer_cipher: string | null }

/** Takes a key for a request, unless it is in use, and removes some that have expired. */
export async function takeKey(
  db: D1Database,
  { workspaceId, key, hash }: KeyedRequest,
  { seed, nowMs, leasedUntilMs, expiresAtMs }: LeaseTimes & { seed: string },
): Promise<TakenKey> {
  const [, taken, found] = await db.batch([
    db.prepare(REMOVE_EXPIRED).bind(nowMs),
    db.prepare(TAKE).bind(workspaceId, key, hash, seed, leasedUntilMs, expiresAtMs, nowMs),
    db
      .prepare('SELECT hash, status, answer_cipher FROM request_answer WHERE workspace_id = ?1 AND key = ?2')
      .bind(workspaceId, key),
  ])
  const [own] = (taken?.results ?? []) as { seed: string }[]
  if (own !== undefined) return { kind: 'taken', seed: own.seed }
  const [row] = (found?.results ?? []) as Row[]
  if (row === undefined) throw new Error('a key was neither taken nor found')
  if (row.hash !== hash) return { kind: 'other_request' }
  if (row.status === null) return { kind: 'leased' }
  return { kind: 'answered', status: row.status, answerCipher: row.answer_cipher }
}

/** Keeps the answer to a request. */
export async function keepAnswer(
  db: D1Database,
  { workspaceId, key, hash }: KeyedRequest,
  { status, answerCipher }: { status: number; answerCipher: string | null },
): Promise<void> {
  await db
    .prepare(
      'UPDATE request_answer SET status = ?4, answer_cipher = ?5 WHERE workspace_id = ?1 AND key = ?2 AND hash = ?3 AND status IS NULL',
    )
    .bind(workspaceId, key, hash, status, answerCipher)
    .run()
}

/** Gives the key of a request back that did nothing. */
export async function freeKey(db: D1Database, { workspaceId, key, hash }: KeyedRequest): Promise<void> {
  await db
    .prepare(
      'DELETE FROM request_answer WHERE workspace_id = ?1 AND key = ?2 AND hash = ?3 AND status IS NULL',
    )
    .bind(workspaceId, key, hash)
    .run()
}

/** Ends the lease of a request that may have done a part of its work: it may be sent again at once. */
export async function endLease(db: D1Database, { workspaceId, key, hash }: KeyedRequest): Promise<void> {
  await db
    .prepare(
      'UPDATE request_answer SET leased_until_ms = 0 WHERE workspace_id = ?1 AND key = ?2 AND hash = ?3 AND status IS NULL',
    )
    .bind(workspaceId, key, hash)
    .run()
}

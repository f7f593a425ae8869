import { PAYLOAD_KINDS, type PayloadKind } from '../../model/delivery.ts'
import type { KeptBody } from '../attempt/claimed-delivery.ts'

/** The outcome of a request for a batch. */
export type BatchRecord = {
  no: number
  /** The request's number, from 1: an outcome that comes twice counts once. */
  n: number
  /** When it is to be sent again; null when it is over, or goes on as `parts`. */
  dueAtMs: number | null
  payload: PayloadKind
  kept: KeptBody | null
  /** The batches that it is split into, due at once, or at the time given. */
  parts: BatchPart[]
  /** Members that were carried, where others could not be rendered; null for all. */
  carried: readonly number[] | null
}

/** One of the batches that another one is split into. */
export type BatchPart = {
  members: readonly number[]
  orderKeys: readonly string[]
  dueAtMs: number
  /** Requests that count for it already. */
  attempts: number
}
/** The content of a batch. */
export type BatchContent = Pick<BatchPart, 'members' | 'orderKeys'>

const INSERT_PARTS = `INSERT INTO batch (no, subscription_no, members, order_keys, cause, bound_at_ms, due_at_ms, fresh, attempts)
SELECT (SELECT max(no) FROM batch) + 1 + p.key, b.subscription_no, p.value -> 0, p.value -> 1, 'split', ?3, p.value ->> 2, ?5, p.value ->> 3
FROM batch b, json_each(?4) p WHERE b.no = ?1 AND b.attempts = ?2 - 1 AND b.due_at_ms IS NOT NULL ORDER BY p.key`
// The bytes kept first are those that were sent, so later ones never replace them.
const RECORD = `UPDATE batch SET attempts = ?2, fresh = 0, due_at_ms = ?3, payload = max(payload, ?4),
  content_type = iif(?3 IS NULL, NULL, coalesce(content_type, ?5)), body = iif(?3 IS NULL, NULL, coalesce(body, ?6)), body_key = iif(?3 IS NULL, NULL, coalesce(body_key, ?7)), members = coalesce(?8, members)
WHERE no = ?1 AND attempts = ?2 - 1 AND due_at_ms IS NOT NULL`
const SHRINK = `UPDATE batch SET members = ?2, order_keys = ?3 WHERE no = ?1 AND attempts = 0 AND due_at_ms IS NOT NULL`
const FLUSH = `UPDATE subscription SET flush_until_seq = ?2, flush_cause = 'split'
WHERE no = (SELECT subscription_no FROM batch WHERE no = ?1 AND attempts = 0 AND due_at_ms IS NOT NULL) AND flush_until_seq < ?2`
const CLOSE = `UPDATE batch SET due_at_ms = NULL, fresh = 0, body = NULL, body_key = NULL WHERE no = ?1 AND attempts = ?2 AND due_at_ms IS NOT NULL`

/** Records an outcome; running it twice changes nothing. */
export function batchStatements(db: D1Database, record: BatchRecord, nowMs: number): D1PreparedStatement[] {
  const { no, n, dueAtMs, payload, kept, parts, carried } = record
  return [
    ...(parts.length > 0 ? [partsStatement(db, { no, attempts: n - 1 }, parts, nowMs, false)] : []),
    db
      .prepare(RECORD)
      .bind(
        no,
        n,
        dueAtMs,
        PAYLOAD_KINDS.indexOf(payload),
        kept?.contentType ?? null,
        kept?.body ?? null,
        kept?.bodyKey ?? null,
        carried === null ? null : JSON.stringify(carried),
      ),
  ]
}

function partsStatement(
  db: D1Database,
  { no, attempts }: { no: number; attempts: number },
  parts: readonly BatchPart[],
  nowMs: number,
  isFresh: boolean,
): D1PreparedStatement {
  const rows = parts.map((part) => [part.members, part.orderKeys, part.dueAtMs, part.attempts])
  return db.prepare(INSERT_PARTS).bind(no, attempts + 1, nowMs, JSON.stringify(rows), isFresh ? 1 : 0)
}

/** Shrinks a batch before its first request to the members that fit; the others form a new batch. */
export async function shrinkBatch(
  db: D1Database,
  no: number,
  kept: BatchContent,
  rest: BatchContent,
  nowMs: number,
): Promise<void> {
  await db.batch([
    partsStatement(db, { no, attempts: 0 }, [{ ...rest, dueAtMs: nowMs, attempts: 0 }], nowMs, true),
    shrinkStatement(db, no, kept),
  ])
}

/** Shrinks a batch of an ordered subscription: the other members wait again, and leave as soon as their order allows. */
export async function cutBatch(
  db: D1Database,
  no: number,
  kept: BatchContent,
  lastSeq: number,
): Promise<void> {
  await db.batch([db.prepare(FLUSH).bind(no, lastSeq), shrinkStatement(db, no, kept)])
}

function shrinkStatement(db: D1Database, no: number, kept: BatchContent): D1PreparedStatement {
  return db.prepare(SHRINK).bind(no, JSON.stringify(kept.members), JSON.stringify(kept.orderKeys))
}

/** Replaces a batch, without a request, by smaller ones that are due at once. */
export async function splitBatch(
  db: D1Database,
  batch: { no: number; attempts: number },
  parts: readonly BatchContent[],
  nowMs: number,
): Promise<void> {
  const due = parts.map((part) => ({ ...part, dueAtMs: nowMs, attempts: 0 }))
  await db.batch([
    partsStatement(db, batch, due, nowMs, batch.attempts === 0),
    db.prepare(CLOSE).bind(batch.no, batch.attempts),
  ])
}

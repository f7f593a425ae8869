import { chunksOf } from '../../base/chunks.ts'
import { SEQ_BITS } from '../../base/ids/seq.ts'
import { hourOf } from '../../base/time.ts'
import { LATENCY_BUCKETS } from '../../history/counters.ts'
import type { Pair, SkipReason } from '../../model/delivery.ts'
import { isLongResponse } from '../../store/response-text.sql.ts'
import { isOutstanding, STATE } from '../../store/states.sql.ts'
import type { AttemptRecord } from '../attempt/attempt.ts'
import { type BatchRecord, batchStatements } from './batch-outcomes.sql.ts'
import { EACH_OUTCOME, OUTCOMES, outcomesText } from './outcomes.sql.ts'
import { type ReceiverStateChange, receiverStateStatements } from './receiver-state.sql.ts'

/** A delivery that was not attempted: it waits until it is due, or will never be made. */
export type WaitingRecord = {
  subscriptionNo: number
  seq: number
  type: string
  isTest: boolean
  /** Null: until its pacing lets it go. */
  dueAtMs: number | null
  orderKey?: string | null
}
export type SkipRecord = {
  subscriptionNo: number
  seq: number
  type: string
  isTest: boolean
  reason: SkipReason
}

/** A delivery with a row that is due later than the row says. */
export type DeferRecord = { subscriptionNo: number; seq: number; dueAtMs: number }

/** One part of a claim's outcomes. `part` counts from 0; with the last part the claim ends. */
export type Settlement = {
  claimId: string
  part: number
  last: boolean
  /** The pairs that the claim goes on with; null where they stay as they are. */
  kept: readonly Pair[] | null
  attempts: AttemptRecord[]
  waiting: WaitingRecord[]
  defers: DeferRecord[]
  skips: SkipRecord[]
  batches: BatchRecord[]
  receiverChanges: ReceiverStateChange[]
}

// An outcome counts once: the first attempt of a delivery without a row, or the attempt after the one recorded.
const APPLIES = `((d.seq IS NULL AND o.n = 1) OR (d.attempts = o.n - 1 AND ${isOutstanding('d')}))`
const WITH_ROWS = `${EACH_OUTCOME} LEFT JOIN delivery d ON d.subscription_no = o.sub AND d.seq = m.value`
const COUNTED = `iif(m.key = 0, o.bucket, NULL)`
const BUCKETS = Array.from({ length: LATENCY_BUCKETS }, (_, i) => `count(nullif(${COUNTED} = ${i}, 0))`).join(
  ', ',
)

// A claim that was reaped and rolled up before its consumer came back has lost its row: its counts get one again.
const SETTLE_CLAIM = `WITH ${OUTCOMES} INSERT INTO claim (id, expires_at_ms, pairs, parts, live, settled)
SELECT ?2, 0, '[]', ?3 + 1, 0, (SELECT json_group_array(json(value)) FROM (
  SELECT json_array(o.sub, ?5, sum(o.state = ${STATE.success}), sum(o.state = ${STATE.failed} AND o.due IS NULL), count(${COUNTED}),
    sum(iif(${COUNTED} IS NULL, 0, o.latency)), max(iif(o.state = ${STATE.success}, o.at, 0)), ${BUCKETS}) AS value
  FROM ${WITH_ROWS} WHERE ${APPLIES} AND o.is_test = 0 GROUP BY o.sub))
WHERE true ON CONFLICT (id) DO UPDATE SET parts = parts + 1, live = ?4, pairs = CASE WHEN ?4 AND live THEN coalesce(?6, pairs) ELSE '[]' END,
settled = (SELECT json_group_array(json(value)) FROM (
  SELECT value FROM json_each(claim.settled) UNION ALL SELECT value FROM json_each(excluded.settled)))
WHERE parts = ?3`

// Joined in this order, or all deliveries of the subscription would be walked over.
const KEEP_PREVIOUS = `WITH ${OUTCOMES} INSERT INTO attempt (subscription_no, seq, n, at_ms, status, error, latency_ms, response, detail)
SELECT d.subscription_no, d.seq, d.attempts, d.last_at_ms, d.status, d.error, d.latency_ms, d.response, d.detail
FROM ${EACH_OUTCOME} CROSS JOIN delivery d ON d.subscription_no = o.sub AND d.seq = m.value
WHERE o.n > 1 AND d.attempts > 0 AND ${APPLIES} ON CONFLICT DO NOTHING`

// Only a first attempt may make a row: a later one without its row is of a delivery that was purged meanwhile.
const RECORD = `WITH ${OUTCOMES} INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, attempts, last_at_ms, status, error, latency_ms, response, detail, is_test, payload, batch_no)
SELECT o.sub, m.value, o.type, o.state, o.due, o.n, o.at, o.status, o.error, o.latency, o.response, o.detail, o.is_test, o.payload, o.batch
FROM ${EACH_OUTCOME} WHERE o.n = 1 OR EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = o.sub AND d.seq = m.value)
ON CONFLICT (subscription_no, seq) DO UPDATE SET state = excluded.state, due_at_ms = excluded.due_at_ms, attempts = excluded.attempts,
  last_at_ms = excluded.last_at_ms, status = excluded.status, error = excluded.error, latency_ms = excluded.latency_ms,
  response = excluded.response, detail = excluded.detail, crashes = 0, payload = excluded.payload, batch_no = excluded.batch_no
WHERE delivery.attempts = excluded.attempts - 1 AND ${isOutstanding('delivery')}`

// A failure after a failure leaves the state alone, and with it the index that names it: one row written less.
const RECORD_FAILED_AGAIN = `WITH ${OUTCOMES}, again AS MATERIALIZED (SELECT o.*, m.value AS seq FROM ${EACH_OUTCOME} WHERE o.n > 1 AND o.state = ${STATE.failed})
UPDATE delivery SET due_at_ms = again.due, attempts = again.n, last_at_ms = again.at, status = again.status,
  error = again.error, latency_ms = again.latency, response = again.response, detail = again.detail, crashes = 0, payload = again.payload, batch_no = again.batch
FROM again WHERE delivery.subscription_no = again.sub AND delivery.seq = again.seq
  AND delivery.state = ${STATE.failed} AND delivery.due_at_ms IS NOT NULL AND delivery.attempts = again.n - 1`

// An event can be erased while an attempt of it is under way: nothing of its content may come back then.
const NOT_ERASED = `NOT EXISTS (SELECT 1 FROM subscription s CROSS JOIN event e ON e.pk = (s.workspace_no << ${SEQ_BITS}) | (o.value ->> 1)
  WHERE s.no = o.value ->> 0 AND e.erased_at_ms IS NOT NULL)`

const RECORD_TEXTS = `INSERT INTO response_text (subscription_no, seq, n, text)
SELECT o.value ->> 0, o.value ->> 1, o.value ->> 2, o.value ->> 3 FROM json_each(?1) o WHERE ${NOT_ERASED} ON CONFLICT DO NOTHING`

// The first bytes kept are the ones: an outcome that comes twice must not replace them.
const KEEP_BODIES = `INSERT INTO kept_body (subscription_no, seq, content_type, body, body_key)
SELECT o.value ->> 0, o.value ->> 1, o.value ->> 2, o.value ->> 3, o.value ->> 4 FROM json_each(?1) o WHERE ${NOT_ERASED} ON CONFLICT DO NOTHING`

const INSERT_WAITING = `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, is_test, order_key)
SELECT o.value ->> 0, o.value ->> 1, o.value ->> 2, ${STATE.pending}, o.value ->> 3, o.value ->> 4, o.value ->> 5 FROM json_each(?1) o WHERE true ON CONFLICT DO NOTHING`

const DEFER = `UPDATE delivery SET due_at_ms = o.value ->> 2 FROM json_each(?1) o
WHERE delivery.subscription_no = o.value ->> 0 AND delivery.seq = o.value ->> 1 AND delivery.due_at_ms IS NOT NULL`

const SKIP = `INSERT INTO delivery (subscription_no, seq, type, state, error, is_test)
SELECT o.value ->> 0, o.value ->> 1, o.value ->> 2, ${STATE.skipped}, o.value ->> 3, o.value ->> 4 FROM json_each(?1) o WHERE true
ON CONFLICT (subscription_no, seq) DO UPDATE SET state = ${STATE.skipped}, due_at_ms = NULL, error = excluded.error
WHERE ${isOutstanding('delivery')}`

/**
 * Records one part of a consumer's outcomes in one transaction: statistics (counted in SQL from deliveries not yet
 * final, so that a doubled outcome counts once), history, rows. Running it twice changes nothing.
 */
export async function settle(db: D1Database, settlement: Settlement, nowMs: number): Promise<void> {
  await db.batch(settlementStatements(db, settlement, nowMs))
}

/** Pairs as statements are bound to them, and as a claim's row holds them. */
export function pairsText(pairs: readonly Pair[]): string {
  return JSON.stringify(pairs.map((pair) => [pair.subscriptionNo, pair.seq, pair.workspaceNo]))
}

/** The receivers' changes come first: they count only as long as the claim's part has not been counted. */
function settlementStatements(db: D1Database, s: Settlement, nowMs: number): D1PreparedStatement[] {
  const outcomes = outcomesText(s.attempts)
  const claim = { id: s.claimId, part: s.part }
  const statements = [
    ...s.receiverChanges.flatMap((change) => receiverStateStatements(db, change, claim, nowMs)),
    db
      .prepare(SETTLE_CLAIM)
      .bind(outcomes, s.claimId, s.part, s.last ? 0 : 1, hourOf(nowMs), s.kept && pairsText(s.kept)),
    ...attemptStatements(db, s.attempts, outcomes),
    ...s.batches.flatMap((batch) => batchStatements(db, batch, nowMs)),
  ]
  if (s.waiting.length > 0) statements.push(waitingStatement(db, s.waiting))
  if (s.defers.length > 0) {
    const rows = s.defers.map((r) => [r.subscriptionNo, r.seq, r.dueAtMs])
    statements.push(db.prepare(DEFER).bind(JSON.stringify(rows)))
  }
  if (s.skips.length > 0) {
    const rows = s.skips.map((r) => [r.subscriptionNo, r.seq, r.type, r.reason, r.isTest ? 1 : 0])
    statements.push(db.prepare(SKIP).bind(JSON.stringify(rows)))
  }
  return statements
}

/** The rows of attempts, with the texts and bodies that are too long for them. */
function attemptStatements(
  db: D1Database,
  attempts: readonly AttemptRecord[],
  outcomes: string,
): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = []
  if (attempts.some((attempt) => attempt.attemptNo > 1)) {
    statements.push(db.prepare(KEEP_PREVIOUS).bind(outcomes), db.prepare(RECORD_FAILED_AGAIN).bind(outcomes))
  }
  if (attempts.length > 0) statements.push(db.prepare(RECORD).bind(outcomes))
  for (const chunk of chunksOf(textRows(attempts), TEXTS_PER_STATEMENT)) {
    statements.push(db.prepare(RECORD_TEXTS).bind(JSON.stringify(chunk)))
  }
  for (const chunk of chunksOf(keptRows(attempts), KEPT_PER_STATEMENT)) {
    statements.push(db.prepare(KEEP_BODIES).bind(JSON.stringify(chunk)))
  }
  return statements
}

function textRows(attempts: readonly AttemptRecord[]): (string | number | null)[][] {
  return attempts.flatMap(({ subscriptionNo, seq, attemptNo, response }) =>
    isLongResponse(response) ? [[subscriptionNo, seq, attemptNo, response]] : [],
  )
}

/** Gives deliveries without a row one that is due at a time; those that have one keep it. */
export function waitingStatement(db: D1Database, waiting: readonly WaitingRecord[]): D1PreparedStatement {
  const rows = waiting.map((r) => [
    r.subscriptionNo,
    r.seq,
    r.type,
    r.dueAtMs,
    r.isTest ? 1 : 0,
    r.orderKey ?? null,
  ])
  return db.prepare(INSERT_WAITING).bind(JSON.stringify(rows))
}

/** 16 KB each: a statement's bound value stays below D1's 2 MB even when every character is escaped. */
const TEXTS_PER_STATEMENT = 15
/** 60 KB each at most, for the same reason. */
const KEPT_PER_STATEMENT = 5

function keptRows(attempts: readonly AttemptRecord[]): (string | number | null)[][] {
  return attempts.flatMap(({ subscriptionNo, seq, kept }) =>
    kept === null ? [] : [[subscriptionNo, seq, kept.contentType, kept.body, kept.bodyKey]],
  )
}

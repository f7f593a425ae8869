import { PAYLOAD_KINDS } from '../../model/delivery.ts'
import { PACING_LEVELS, type PacingLevel } from '../../pacing/settings.ts'
import { heldUntil, isOutstanding, isUnhappy, PAYLOAD } from '../../store/states.sql.ts'
import { releaseBlocked } from '../../subscription/blocked.sql.ts'
import { SUBSCRIPTION_COLUMNS, WITH_WORKSPACE } from '../../subscription/subscriptions.sql.ts'
import type { ClaimedBatch, ClaimedRow } from '../attempt/claimed-delivery.ts'
import {
  type Claim,
  type ClaimTerms,
  orGiveUp,
  plannedOnce,
  READ_EVENTS,
  READ_PAIRS,
  READ_ROWS,
  toClaim,
} from '../claims.sql.ts'
import {
  type BatchTerms,
  formBatchesStatement,
  toWaiting,
  type Waiting,
  waitingStatement,
} from './batches.sql.ts'
import { dueBatches, dueRows, FRESH, KEYS, LIVE, SUBJECT, waitingRows } from './fragments.sql.ts'

/** The claim of one paced subscription; pairs that are in none of its batches go alone. */
export type PacedClaim = { claim: Claim; batches: ClaimedBatch[] }

/** A claim takes up to `batchesMax` batches, or `pairsMax` single deliveries. */
export type PacedTerms = ClaimTerms & {
  subscriptionNo: number
  /** Nothing is claimed when the subscription has another level by now. */
  level: PacingLevel
  batchesMax: number
  /** Deliveries that are scheduled until then are taken too: they wait for their time in hand. */
  scheduledUntilMs: number
}

/** Batches of one claim are read together, and are in memory twice when they are sent. */
const CLAIM_BYTES_MAX = 10_000_000
/** Requests that hang hold their payloads for long: unproven receivers get smaller claims. */
const UNPROVEN_CLAIM_BYTES_MAX = 2_000_000
const BATCHES_LIMIT = `(SELECT min(?5, max(1, iif(proven, ${CLAIM_BYTES_MAX}, ${UNPROVEN_CLAIM_BYTES_MAX}) / max_bytes)) FROM s)`

// One that was never tried may be claimed before it is due; one that keeps an order may not.
const IS_DUE_OR_AHEAD = '(d.due_at_ms <= ?3 OR (NOT s.ordered AND d.attempts = 0 AND d.crashes = 0))'
// Single deliveries go only where there is no batch to send and none is to be formed.
const CLAIM = `INSERT INTO claim (id, expires_at_ms, pairs, paced_no)
WITH ${LIVE}, ${SUBJECT}, ${FRESH}, ${KEYS},
  open AS MATERIALIZED (${dueBatches(BATCHES_LIMIT)}),
  single AS MATERIALIZED (SELECT seq FROM (
    SELECT * FROM (${waitingRows('NOT EXISTS (SELECT 1 FROM open) AND (s.active = 0 OR (NOT s.enabled AND d.seq > s.mark))', plannedOnce(6))})
    UNION ALL SELECT * FROM (${dueRows(`NOT EXISTS (SELECT 1 FROM open) AND (s.active = 0 OR NOT s.enabled) AND ${IS_DUE_OR_AHEAD}`, plannedOnce(6), plannedOnce(8))}))
    ORDER BY ((SELECT NOT ordered FROM s) AND is_due) DESC, seq LIMIT ${plannedOnce(6)}),
  picked AS (SELECT m.value AS seq FROM open CROSS JOIN json_each(open.members) m CROSS JOIN delivery d ON d.subscription_no = ?4 AND d.seq = m.value
    WHERE ${isOutstanding('d')} UNION ALL SELECT seq FROM single)
SELECT ?1, ?2, json_group_array(json_array(?4, p.seq, s.ws)), ?4 FROM s CROSS JOIN (SELECT seq FROM picked ORDER BY seq) p WHERE s.pacing_level = ?7 HAVING count(*) > 0`

// Most rows wait untouched and all look alike: only the others are read.
const READ_TOUCHED_ROWS = `${READ_ROWS} AND NOT (d.attempts = 0 AND d.payload = ${PAYLOAD.none} AND d.replay_base = 0 AND d.crashes = 0 AND d.replay_no IS NULL AND d.order_key IS NULL)`
const READ_SUBSCRIPTION = `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscription s ${WITH_WORKSPACE} WHERE s.no = ?1`
// Only whole batches are sent; a member alone may be in the claim for a retry of its own.
const READ_BATCHES = `SELECT b.no, b.members, b.bound_at_ms, b.attempts, b.payload, b.content_type, b.body, b.body_key FROM batch b INDEXED BY batch_open
WHERE b.subscription_no = ?2 AND b.fresh IN (0, 1) AND b.due_at_ms IS NOT NULL AND EXISTS (
  SELECT 1 FROM json_each(b.members) m WHERE m.value IN (SELECT p.value ->> 1 FROM claim c, json_each(c.pairs) p WHERE c.id = ?1))
  AND NOT EXISTS (SELECT 1 FROM json_each(b.members) m CROSS JOIN delivery d ON d.subscription_no = ?2 AND d.seq = m.value
    WHERE ${isOutstanding('d')} AND m.value NOT IN (SELECT p.value ->> 1 FROM claim c, json_each(c.pairs) p WHERE c.id = ?1)) ORDER BY b.no`
// A batch whose members have all ended in other ways owes nothing, and nothing else would end it.
const CLOSE_EMPTY = `UPDATE batch SET due_at_ms = NULL, fresh = 0, body = NULL, body_key = NULL WHERE subscription_no = ?1 AND due_at_ms IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM json_each(batch.members) m CROSS JOIN delivery d ON d.subscription_no = ?1 AND d.seq = m.value WHERE ${isOutstanding('d')})`
// The subscription keeps no order any more, and the deliveries that waited for it have gone.
const UNPACE = `UPDATE subscription SET pacing_level = 0 WHERE no = ?1 AND pacing_level = 1 AND NOT coalesce(config ->> 'ordered', 0)
  AND NOT EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_unhappy WHERE d.subscription_no = ?1 AND ${isUnhappy('d', 'pending')})
  AND NOT EXISTS (SELECT 1 FROM batch b INDEXED BY batch_open WHERE b.subscription_no = ?1 AND b.fresh IN (0, 1) AND b.due_at_ms IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_due WHERE d.subscription_no = ?1 AND d.due_at_ms IS NOT NULL AND d.batch_no IS NOT NULL)`

const READ_NEXT = `SELECT ${heldUntil('s')} AS held_until_ms,
  (SELECT min(d.due_at_ms) FROM delivery d INDEXED BY delivery_due WHERE d.subscription_no = ?1 AND d.due_at_ms > ?2) AS next_due_ms
FROM subscription s WHERE s.no = ?1 AND s.paused_at_ms IS NULL`

type BatchRow = {
  no: number
  members: string
  bound_at_ms: number
  attempts: number
  payload: number
  content_type: string | null
  body: string | null
  body_key: string | null
}

/**
 * Forms the batches that the terms allow, then claims batches or single deliveries. `waiting` counts
 * the deliveries that are left; it is null while the subscription is held or paused.
 */
export async function claimPaced(
  db: D1Database,
  terms: PacedTerms,
  batching: BatchTerms,
): Promise<{ claimed: PacedClaim | null; waiting: Waiting | null }> {
  const { id, nowMs, expiresAtMs, subscriptionNo, batchesMax, pairsMax, scheduledUntilMs } = terms
  const levelNumber = PACING_LEVELS.indexOf(terms.level)
  const results = await orGiveUp(
    db,
    id,
    db.batch([
      formBatchesStatement(db, terms, batching),
      db
        .prepare(CLAIM)
        .bind(
          id,
          expiresAtMs,
          nowMs,
          subscriptionNo,
          batchesMax,
          pairsMax,
          levelNumber,
          Math.max(nowMs, scheduledUntilMs),
        ),
      ...[READ_PAIRS, READ_EVENTS].map((sql) => db.prepare(sql).bind(id)),
      db.prepare(READ_SUBSCRIPTION).bind(subscriptionNo),
      db.prepare(READ_TOUCHED_ROWS).bind(id),
      db.prepare(READ_BATCHES).bind(id, subscriptionNo),
      waitingStatement(db, terms),
    ]),
  )
  const [, , pairs, events, subscriptions, rows, batches, waiting] = results
  const read = toClaim(id, pairs, events, subscriptions, rows)
  const claim = read === null ? null : { ...read, rows: allRows(read) }
  return {
    claimed: claim === null ? null : { claim, batches: toBatches(claim, batches) },
    waiting: toWaiting(waiting),
  }
}

/** Adds the rows that were not read: every pair has one, and those are untouched. */
function allRows({ pairs, rows }: Claim): ClaimedRow[] {
  const read = new Map(rows.map((row) => [row.seq, row]))
  return pairs.map(({ subscriptionNo, seq }) => read.get(seq) ?? { subscriptionNo, seq, ...UNTOUCHED })
}

const UNTOUCHED = {
  attempts: 0,
  payload: 'none' as const,
  kept: null,
  crashes: 0,
  replayBase: 0,
  replayId: null,
  orderKey: '',
}

function toBatches({ pairs }: Claim, result: D1Result | undefined): ClaimedBatch[] {
  const claimed = new Set(pairs.map(({ seq }) => seq))
  return ((result?.results ?? []) as BatchRow[]).map((row) => {
    const all = JSON.parse(row.members) as number[]
    const members = all.filter((seq) => claimed.has(seq))
    const { content_type: contentType, body, body_key: bodyKey } = row
    // The kept body holds all members: with one of them gone it must be made anew.
    const isKept = contentType !== null && members.length === all.length
    return {
      no: row.no,
      members,
      boundAtMs: row.bound_at_ms,
      attempts: row.attempts,
      payload: contentType !== null && !isKept ? 'none' : (PAYLOAD_KINDS[row.payload] ?? 'none'),
      kept: isKept ? { contentType, body, bodyKey } : null,
    }
  })
}

/**
 * Counts the deliveries that wait for a paced subscription, and reads when its hold ends and its next
 * delivery is due. `waiting` is null when the subscription is paused, held or gone.
 */
export async function readWaitingState(
  db: D1Database,
  at: { subscriptionNo: number; nowMs: number },
): Promise<{ waiting: Waiting | null; heldUntilMs: number | null; nextDueMs: number | null }> {
  const [waiting, next] = await db.batch([
    waitingStatement(db, at),
    db.prepare(READ_NEXT).bind(at.subscriptionNo, at.nowMs),
  ])
  const row = next?.results[0] as { held_until_ms: number; next_due_ms: number | null } | undefined
  const heldUntilMs = row === undefined || row.held_until_ms <= at.nowMs ? null : row.held_until_ms
  return { waiting: toWaiting(waiting), heldUntilMs, nextDueMs: row?.next_due_ms ?? null }
}

/**
 * Ends batches that owe nothing any more, blocks that the settings no longer allow, and the pacing of
 * a subscription that has dropped it. Returns true when a batch or a block was ended, which frees keys.
 */
export async function removeEndedPacing(
  db: D1Database,
  { subscriptionNo, nowMs }: { subscriptionNo: number; nowMs: number },
): Promise<boolean> {
  const [, released, , closed] = await db.batch([
    ...releaseBlocked(db, subscriptionNo, nowMs),
    db.prepare(CLOSE_EMPTY).bind(subscriptionNo),
    db.prepare(UNPACE).bind(subscriptionNo),
  ])
  return (released?.results.length ?? 0) + (closed?.meta.changes ?? 0) > 0
}

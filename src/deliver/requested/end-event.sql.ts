import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import { ORIGIN } from '../../store/event-row.sql.ts'
import { isOutstanding, PAYLOAD, STATE } from '../../store/states.sql.ts'
import { TEXT_BYTES } from '../../store/stored-bytes.sql.ts'

type EventKey = { workspaceNo: number; seq: number }

const PK = `(?1 << ${SEQ_BITS}) | ?2`

// Back-fills have rows for subscriptions that are not in the fan-out: all of the workspace's are looked up.
const ROWS = `subscription_no IN (SELECT no FROM subscription WHERE workspace_no = ?1) AND seq = ?2`

// Batches that are still to be sent again with it; what was kept of them holds its content.
const OPEN_BATCHES = `subscription_no IN (SELECT no FROM subscription WHERE workspace_no = ?1) AND fresh IN (0, 1) AND due_at_ms IS NOT NULL
  AND EXISTS (SELECT 1 FROM json_each(members) m WHERE m.value = ?2)`

const ENDED =
  'RETURNING subscription_no AS no, (SELECT s.pacing_level FROM subscription s WHERE s.no = subscription_no) AS paced'

/** The deliveries ended, and the paced subscriptions among theirs: deliveries behind these may go now. */
export type Cancelled = { deliveries: number; pacedNos: number[] }

/**
 * Ends every outstanding delivery of an event as `skipped: cancelled`, those that are still to come as well; running it
 * again ends none.
 */
export async function cancelEvent(db: D1Database, event: EventKey, nowMs: number): Promise<Cancelled> {
  return toCancelled(await db.batch<Ended>(cancelStatements(db, event, nowMs)))
}

type Ended = { no: number; paced: number }

/** Reads the answers to `cancelStatements`. */
function toCancelled(results: readonly D1Result<Ended>[]): Cancelled {
  const ended = results.slice(1).flatMap((result) => result.results)
  return { deliveries: ended.length, pacedNos: ended.flatMap(({ no, paced }) => (paced > 0 ? [no] : [])) }
}

function cancelStatements(
  db: D1Database,
  { workspaceNo, seq }: EventKey,
  nowMs: number,
): D1PreparedStatement[] {
  return [
    db
      .prepare(`UPDATE event SET cancelled_at_ms = coalesce(cancelled_at_ms, ?3) WHERE pk = ${PK}`)
      .bind(workspaceNo, seq, nowMs),
    db
      .prepare(
        `UPDATE delivery SET state = ${STATE.skipped}, due_at_ms = NULL, error = 'cancelled' WHERE ${ROWS} AND ${isOutstanding('delivery')} ${ENDED}`,
      )
      .bind(workspaceNo, seq),
    db
      .prepare(
        `INSERT INTO delivery (subscription_no, seq, type, state, error, is_test)
         SELECT f.value, e.pk & ${SEQ_MAX}, e.type, ${STATE.skipped}, 'cancelled', e.is_test = ${ORIGIN.test} FROM event e, json_each(e.fanout) f
         WHERE e.pk = ${PK} AND f.value > 0 ON CONFLICT DO NOTHING ${ENDED}`,
      )
      .bind(workspaceNo, seq),
  ]
}

/**
 * Erases an event's content and all that receivers answered to it, and cancels what is outstanding; its trace stays:
 * type, times, deliveries, statuses. `bodyKeys` are those of the texts in R2 that no row names any more.
 */
export async function eraseEvent(
  db: D1Database,
  event: EventKey,
  nowMs: number,
): Promise<Cancelled & { bodyKeys: string[] }> {
  const { workspaceNo, seq } = event
  const cancelling = cancelStatements(db, event, nowMs)
  const results = await db.batch<Ended & { body_key: string | null }>([
    ...cancelling,
    db.prepare(`SELECT body_key FROM event WHERE pk = ${PK}`).bind(workspaceNo, seq),
    db.prepare(`SELECT body_key FROM kept_body WHERE ${ROWS}`).bind(workspaceNo, seq),
    db.prepare(`SELECT body_key FROM batch WHERE ${OPEN_BATCHES}`).bind(workspaceNo, seq),
    // Events above the watermark have not been counted yet.
    db
      .prepare(
        `UPDATE workspace SET stored_bytes = max(0, stored_bytes - (SELECT ${TEXT_BYTES} FROM event e WHERE e.pk = ${PK})) WHERE no = ?1 AND swept_seq >= ?2`,
      )
      .bind(workspaceNo, seq),
    db
      .prepare(
        `UPDATE event SET body = NULL, body_key = NULL, erased_at_ms = coalesce(erased_at_ms, ?3) WHERE pk = ${PK}`,
      )
      .bind(workspaceNo, seq, nowMs),
    db
      .prepare(
        `UPDATE delivery SET response = NULL, detail = NULL WHERE ${ROWS} AND (response IS NOT NULL OR detail IS NOT NULL)`,
      )
      .bind(workspaceNo, seq),
    db
      .prepare(
        `UPDATE attempt SET response = NULL, detail = NULL WHERE ${ROWS} AND (response IS NOT NULL OR detail IS NOT NULL)`,
      )
      .bind(workspaceNo, seq),
    db.prepare(`DELETE FROM response_text WHERE ${ROWS}`).bind(workspaceNo, seq),
    db.prepare(`DELETE FROM kept_body WHERE ${ROWS}`).bind(workspaceNo, seq),
    db
      .prepare(
        `UPDATE batch SET payload = ${PAYLOAD.none}, content_type = NULL, body = NULL, body_key = NULL WHERE ${OPEN_BATCHES}`,
      )
      .bind(workspaceNo, seq),
  ])
  const bodyKeys = results
    .slice(cancelling.length, cancelling.length + 3)
    .flatMap((result) => result.results)
    .flatMap(({ body_key }) => (body_key === null ? [] : [body_key]))
  return { ...toCancelled(results.slice(0, cancelling.length)), bodyKeys }
}

import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import type { Pair } from '../../model/delivery.ts'
import { ORIGIN } from '../../store/event-row.sql.ts'
import { STATE } from '../../store/states.sql.ts'

/** Gives named deliveries that have no row one that is due at once. */
export function addDueRowsOf(db: D1Database, pairs: readonly Pair[], nowMs: number): D1PreparedStatement {
  const list = JSON.stringify(pairs.map((pair) => [pair.subscriptionNo, pair.seq, pair.workspaceNo]))
  return db
    .prepare(
      `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, is_test)
       SELECT p.value ->> 0, p.value ->> 1, e.type, ${STATE.pending}, max(?2, coalesce(e.deliver_at_ms, 0)), e.is_test = ${ORIGIN.test}
       FROM json_each(?1) p CROSS JOIN event e ON e.pk = ((p.value ->> 2) << ${SEQ_BITS}) | (p.value ->> 1)
       WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(list, nowMs)
}

/** Gives every delivery of a range of events that has no row one that is due at once. */
export function addDueRows(
  db: D1Database,
  range: { workspaceNo: number; firstSeq: number; lastSeq: number; subscriptions: readonly number[] | null },
  nowMs: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, is_test)
       SELECT s.value, e.pk & ${SEQ_MAX}, e.type, ${STATE.pending}, max(?4, coalesce(e.deliver_at_ms, 0)), e.is_test = ${ORIGIN.test} FROM event e, json_each(e.fanout) s
       WHERE e.pk BETWEEN (?1 << ${SEQ_BITS}) | ?2 AND (?1 << ${SEQ_BITS}) | ?3 AND s.value > 0
         AND (?5 IS NULL OR s.value IN (SELECT value FROM json_each(?5)))
         AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.subscription_no = s.value AND d.seq = e.pk & ${SEQ_MAX})
       ON CONFLICT DO NOTHING`,
    )
    .bind(
      range.workspaceNo,
      range.firstSeq,
      range.lastSeq,
      nowMs,
      range.subscriptions === null ? null : JSON.stringify(range.subscriptions),
    )
}

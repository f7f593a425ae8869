import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { EVENT_ORIGINS, type EventOrigin, type StoredEvent } from '../model/delivery.ts'

/** Origins of events, as the column `is_test` holds them. */
export const ORIGIN = {
  published: EVENT_ORIGINS.indexOf('published'),
  test: EVENT_ORIGINS.indexOf('test'),
  dispatch: EVENT_ORIGINS.indexOf('dispatch'),
} as const satisfies Record<EventOrigin, number>

/** Columns of an event without its texts; `e` is the event table. */
export const EVENT_COLUMNS = `e.pk >> ${SEQ_BITS} AS ws, e.pk & ${SEQ_MAX} AS seq, e.type, e.accepted_at_ms, e.own_id, e.is_test,
  e.deliver_at_ms, e.expires_after_seconds, e.cancelled_at_ms, e.erased_at_ms`

/**
 * SQL for the number of a workspace's newest event, null where it has none; `workspaceNo` is an
 * expression.
 */
export function newestSeqOf(workspaceNo: string): string {
  const first = `(${workspaceNo} << ${SEQ_BITS})`
  return `(SELECT max(x.pk) & ${SEQ_MAX} FROM event x WHERE x.pk BETWEEN ${first} AND (${first} | ${SEQ_MAX}))`
}

/** SQL for a delivery that waits for its event's own time; `row` names it in the statement. */
export function isScheduled(row: string): string {
  return `EXISTS (SELECT 1 FROM subscription o CROSS JOIN event e ON e.pk = (o.workspace_no << ${SEQ_BITS}) | ${row}.seq
  WHERE o.no = ${row}.subscription_no AND e.deliver_at_ms = ${row}.due_at_ms)`
}

/** A row of `EVENT_COLUMNS` with `body` and `body_key`. */
export type EventRow = {
  ws: number
  seq: number
  type: string
  accepted_at_ms: number
  own_id: string | null
  is_test: number
  deliver_at_ms: number | null
  expires_after_seconds: number | null
  cancelled_at_ms: number | null
  erased_at_ms: number | null
  body: string | null
  body_key: string | null
}

/** Reads a stored event. */
export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    workspaceNo: row.ws,
    seq: row.seq,
    type: row.type,
    acceptedAtMs: row.accepted_at_ms,
    ownId: row.own_id,
    isTest: row.is_test === ORIGIN.test,
    isDispatch: row.is_test === ORIGIN.dispatch,
    deliverAtMs: row.deliver_at_ms,
    expiresAfterSeconds: row.expires_after_seconds,
    cancelledAtMs: row.cancelled_at_ms,
    erasedAtMs: row.erased_at_ms,
    body: row.body,
    bodyKey: row.body_key,
  }
}

import { chunksByWeight } from '../../base/chunks.ts'
import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import { ORIGIN } from '../../store/event-row.sql.ts'
import { inlineResponse, isLongResponse } from '../../store/response-text.sql.ts'
import { STATE } from '../../store/states.sql.ts'
import type { ArchivedDelivery, ArchivedEvent } from './archive-format.ts'

/** An event to be brought back; a large text is in R2 under `bodyKey` by now. */
export type RestorableEvent = ArchivedEvent & { bodyKey: string | null }

// Events come back below the watermark only: no consumer looks there for deliveries without a row.
const INSERT_EVENTS = `INSERT INTO event (pk, type, accepted_at_ms, own_id, is_test, fanout, body, body_key, deliver_at_ms, expires_after_seconds,
  cancelled_at_ms, erased_at_ms, restored_at_ms)
SELECT (?1 << ${SEQ_BITS}) | (v.value ->> 0), v.value ->> 1, v.value ->> 2, v.value ->> 3, v.value ->> 4, v.value -> 5, v.value ->> 6, v.value ->> 7,
  v.value ->> 8, v.value ->> 9, v.value ->> 10, v.value ->> 11, ?2
FROM json_each(?3) v WHERE v.value ->> 0 <= (SELECT swept_seq FROM workspace WHERE no = ?1) ON CONFLICT DO NOTHING RETURNING 1`

// An own id that was taken anew meanwhile stays with the newer event.
const INSERT_KEYS = `INSERT INTO event_key (workspace_no, key, seq, hash)
SELECT ?1, 'i:' || (v.value ->> 0), v.value ->> 1, v.value ->> 2 FROM json_each(?2) v WHERE true ON CONFLICT DO NOTHING`

// Deliveries of a subscription that is gone do not come back, and none is due again.
const OF_SUBSCRIPTION = `JOIN subscription s ON s.no = v.value ->> 0 AND s.id = v.value ->> 1 AND s.workspace_no = ?1
WHERE EXISTS (SELECT 1 FROM event e WHERE e.pk = (?1 << ${SEQ_BITS}) | (v.value ->> 2))`
const INSERT_DELIVERIES = `INSERT INTO delivery (subscription_no, seq, type, state, error, attempts, last_at_ms, status, latency_ms, response, is_test, detail)
SELECT v.value ->> 0, v.value ->> 2, v.value ->> 3, v.value ->> 4, v.value ->> 5, v.value ->> 6, v.value ->> 7, v.value ->> 8, v.value ->> 9, v.value ->> 10, v.value ->> 11, v.value ->> 12
FROM json_each(?2) v ${OF_SUBSCRIPTION} ON CONFLICT DO NOTHING RETURNING 1`
const INSERT_ATTEMPTS = `INSERT INTO attempt (subscription_no, seq, n, at_ms, status, error, latency_ms, response, detail)
SELECT v.value ->> 0, v.value ->> 2, v.value ->> 3, v.value ->> 4, v.value ->> 5, v.value ->> 6, v.value ->> 7, v.value ->> 8, v.value ->> 9
FROM json_each(?2) v ${OF_SUBSCRIPTION} ON CONFLICT DO NOTHING`
const INSERT_TEXTS = `INSERT INTO response_text (subscription_no, seq, n, text)
SELECT v.value ->> 0, v.value ->> 2, v.value ->> 3, v.value ->> 4 FROM json_each(?2) v ${OF_SUBSCRIPTION} ON CONFLICT DO NOTHING`

/** Characters of one statement's list: below D1's 2 MB at three bytes each. */
const LIST_CHARS_MAX = 600_000

type Value = string | number | null | number[]

/** Finds the events of a list that are there already. */
export async function presentSeqs(
  db: D1Database,
  workspaceNo: number,
  seqs: readonly number[],
): Promise<Set<number>> {
  const { results } = await db
    .prepare(
      `SELECT e.pk & ${SEQ_MAX} AS seq FROM json_each(?2) s JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | s.value`,
    )
    .bind(workspaceNo, JSON.stringify(seqs))
    .all<{ seq: number }>()
  return new Set(results.map(({ seq }) => seq))
}

/**
 * Brings events back under their old numbers with their deliveries, in one transaction. Rows that
 * are there stay.
 */
export async function insertRestored(
  db: D1Database,
  workspaceNo: number,
  { events, restoredAtMs }: { events: readonly RestorableEvent[]; restoredAtMs: number },
): Promise<{ events: number; deliveries: number }> {
  if (events.length === 0) return { events: 0, deliveries: 0 }
  const pairs = events.flatMap((event) => event.deliveries.map((delivery) => ({ event, delivery })))
  const insert = (sql: string, rows: Value[][]) =>
    lists(rows).map((list) => db.prepare(sql).bind(workspaceNo, list))
  const eventInserts = lists(events.map(eventValues)).map((list) =>
    db.prepare(INSERT_EVENTS).bind(workspaceNo, restoredAtMs, list),
  )
  const deliveryInserts = insert(INSERT_DELIVERIES, pairs.map(deliveryValues))
  const results = await db.batch([
    ...eventInserts,
    ...deliveryInserts,
    ...insert(INSERT_KEYS, events.flatMap(keyValues)),
    ...insert(INSERT_ATTEMPTS, pairs.flatMap(attemptValues)),
    ...insert(INSERT_TEXTS, pairs.flatMap(textValues)),
  ])
  return {
    events: countRows(results.slice(0, eventInserts.length)),
    deliveries: countRows(results.slice(eventInserts.length, eventInserts.length + deliveryInserts.length)),
  }
}

function countRows(results: readonly D1Result[]): number {
  return results.reduce((sum, { results: rows }) => sum + rows.length, 0)
}

function eventValues(event: RestorableEvent): Value[] {
  const { seq, type, acceptedAtMs, ownId, origin, fanout, body, bodyKey } = event
  const times = [event.deliverAtMs, event.expiresAfterSeconds, event.cancelledAtMs, event.erasedAtMs]
  return [seq, type, acceptedAtMs, ownId, origin, fanout, bodyKey === null ? body : null, bodyKey, ...times]
}

function keyValues({ ownId, seq, contentHash }: ArchivedEvent): Value[][] {
  return ownId === null || contentHash === null ? [] : [[ownId, seq, contentHash]]
}

type Pair = { event: ArchivedEvent; delivery: ArchivedDelivery }

/** A delivery that was open in the archive has expired since. */
function deliveryValues({ event, delivery }: Pair): Value[] {
  const { subscriptionNo, subscriptionId, state, attempts } = delivery
  const last = attempts.at(-1)
  const isOpen = state === STATE.pending
  return [
    subscriptionNo,
    subscriptionId,
    event.seq,
    event.type,
    isOpen ? STATE.skipped : state,
    isOpen ? 'expired' : delivery.error,
    last?.n ?? 0,
    last?.atMs ?? null,
    last?.status ?? null,
    last?.latencyMs ?? null,
    inlineResponse(last?.response ?? null),
    event.origin === ORIGIN.test ? 1 : 0,
    last?.detail ?? null,
  ]
}

function attemptValues({ event, delivery }: Pair): Value[][] {
  const { subscriptionNo, subscriptionId, attempts } = delivery
  return attempts
    .slice(0, -1)
    .map(({ n, atMs, status, error, latencyMs, response, detail }) => [
      subscriptionNo,
      subscriptionId,
      event.seq,
      n,
      atMs,
      status,
      error,
      latencyMs,
      inlineResponse(response),
      detail,
    ])
}

function textValues({ event, delivery }: Pair): Value[][] {
  const { subscriptionNo, subscriptionId, attempts } = delivery
  return attempts.flatMap(({ n, response }) =>
    isLongResponse(response) ? [[subscriptionNo, subscriptionId, event.seq, n, response]] : [],
  )
}

/** JSON lists of some rows each. */
function lists(rows: readonly Value[][]): string[] {
  const texts = rows.map((row) => JSON.stringify(row))
  return chunksByWeight(texts, LIST_CHARS_MAX, ({ length }) => length).map((chunk) => `[${chunk.join(',')}]`)
}

import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import { responseOf } from '../../store/response-text.sql.ts'
import { STATE } from '../../store/states.sql.ts'
import type { AgedDelivery } from '../retention.ts'
import type { ArchivedAttempt, ArchivedDelivery, ArchivedEvent } from './archive-format.ts'

/** An event as it is archived; a large text is still in R2 under `bodyKey`. */
export type ArchivableEvent = ArchivedEvent & { bodyKey: string | null }

/** A row of `READ_EVENTS`: the fan-out is JSON text, and deliveries are read apart. */
type EventRow = Omit<ArchivableEvent, 'fanout' | 'deliveries'> & { fanout: string }
type DeliveryRow = {
  subscription_no: number
  seq: number
  subscription_id: string | null
  state: number
  error: string | null
  attempts: number
  last_at_ms: number | null
  status: number | null
  latency_ms: number | null
  response: string | null
  detail: string | null
}
type AttemptRow = {
  subscription_no: number
  seq: number
  n: number
  at_ms: number
  status: number | null
  error: string | null
  latency_ms: number | null
  response: string | null
  detail: string | null
}

const READ_EVENTS = `SELECT e.pk & ${SEQ_MAX} AS seq, e.type, e.accepted_at_ms AS acceptedAtMs, e.own_id AS ownId, k.hash AS contentHash, e.is_test AS origin,
  e.deliver_at_ms AS deliverAtMs, e.expires_after_seconds AS expiresAfterSeconds, e.cancelled_at_ms AS cancelledAtMs, e.erased_at_ms AS erasedAtMs,
  e.fanout, e.body, e.body_key AS bodyKey
FROM json_each(?2) s JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | s.value
LEFT JOIN event_key k ON k.workspace_no = ?1 AND k.key = 'i:' || e.own_id AND k.seq = e.pk & ${SEQ_MAX} ORDER BY e.pk`
const PAIRS = 'json_each(?1) p CROSS JOIN'
const READ_DELIVERIES = `SELECT d.subscription_no, d.seq, s.id AS subscription_id, d.state, d.error, d.attempts, d.last_at_ms, d.status, d.latency_ms, d.detail, ${responseOf('d', 'd.attempts')} AS response
FROM ${PAIRS} delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1 LEFT JOIN subscription s ON s.no = d.subscription_no`
const READ_ATTEMPTS = `SELECT a.subscription_no, a.seq, a.n, a.at_ms, a.status, a.error, a.latency_ms, a.detail, ${responseOf('a', 'a.n')} AS response
FROM ${PAIRS} attempt a ON a.subscription_no = p.value ->> 0 AND a.seq = p.value ->> 1 ORDER BY a.subscription_no, a.seq, a.n`

/** Reads events with all their deliveries and attempts, by number, in one transaction. */
export async function readArchivable(
  db: D1Database,
  workspaceNo: number,
  { seqs, pairs }: { seqs: readonly number[]; pairs: readonly AgedDelivery[] },
): Promise<ArchivableEvent[]> {
  const list = JSON.stringify(pairs.map(({ subscriptionNo, seq }) => [subscriptionNo, seq]))
  const [events, deliveries, attempts] = await db.batch([
    db.prepare(READ_EVENTS).bind(workspaceNo, JSON.stringify(seqs)),
    db.prepare(READ_DELIVERIES).bind(list),
    db.prepare(READ_ATTEMPTS).bind(list),
  ])
  const earlier = Map.groupBy(
    (attempts?.results ?? []) as AttemptRow[],
    (row) => `${row.subscription_no}/${row.seq}`,
  )
  const bySeq = Map.groupBy((deliveries?.results ?? []) as DeliveryRow[], ({ seq }) => seq)
  return ((events?.results ?? []) as EventRow[]).map((row) => ({
    ...row,
    fanout: JSON.parse(row.fanout) as number[],
    deliveries: (bySeq.get(row.seq) ?? []).map((delivery) =>
      toDelivery(delivery, earlier.get(`${delivery.subscription_no}/${row.seq}`) ?? []),
    ),
  }))
}

function toDelivery(row: DeliveryRow, earlier: readonly AttemptRow[]): ArchivedDelivery {
  const attempts = earlier.map((attempt): ArchivedAttempt => {
    const { n, at_ms: atMs, status, error, latency_ms: latencyMs, response, detail } = attempt
    return { n, atMs, status, error, latencyMs, response, detail }
  })
  if (row.attempts > 0 && row.last_at_ms !== null) {
    // The row of a skipped delivery has the skip in the place of its last attempt's error.
    const error = row.state === STATE.skipped ? null : row.error
    const { status, latency_ms: latencyMs, response, detail } = row
    attempts.push({ n: row.attempts, atMs: row.last_at_ms, status, error, latencyMs, response, detail })
  }
  const subscriptionId = row.subscription_id ?? ''
  return { subscriptionNo: row.subscription_no, subscriptionId, state: row.state, error: row.error, attempts }
}

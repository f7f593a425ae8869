import { chunksOf } from '../base/chunks.ts'
import { SEQ_BITS } from '../base/ids/seq.ts'
import { isOutstanding, STATE } from '../store/states.sql.ts'
import { EVENT_BYTES } from '../store/stored-bytes.sql.ts'
import type { AgedDelivery, AgedEvent } from './retention.ts'

/** Deliveries to be ended, and the range of their events. */
type Expiry = {
  deliveries: readonly AgedDelivery[]
  workspaceNo: number
  firstSeq: number
  lastSeq: number
}

/**
 * Ends outstanding deliveries as `skipped: expired`, and returns the events that consumers still
 * have in hand: their outcomes change nothing as long as the rows are there.
 */
export async function expireDeliveries(
  db: D1Database,
  { deliveries, workspaceNo, firstSeq, lastSeq }: Expiry,
  nowMs: number,
): Promise<Set<number>> {
  const expire = pairLists(deliveries).map((pairs) =>
    db
      .prepare(
        `UPDATE delivery AS d SET state = ${STATE.skipped}, due_at_ms = NULL, error = 'expired' WHERE ${isOutstanding('d')} AND ${IN_PAIRS}`,
      )
      .bind(pairs),
  )
  const inHand = db
    .prepare(
      `SELECT DISTINCT p.value ->> 1 AS seq FROM claim c INDEXED BY claim_live, json_each(c.pairs) p
       WHERE c.live = 1 AND c.expires_at_ms > ?1 AND p.value ->> 2 = ?2 AND p.value ->> 1 BETWEEN ?3 AND ?4`,
    )
    .bind(nowMs, workspaceNo, firstSeq, lastSeq)
  const results = await db.batch<{ seq: number }>([...expire, inHand])
  return new Set(results.at(-1)?.results.map(({ seq }) => seq))
}

const IN_PAIRS = '(subscription_no, seq) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))'
/** Pairs of one statement, far below D1's 2 MB for a bound value. */
const PAIRS_PER_STATEMENT = 20_000

function pairLists(deliveries: readonly AgedDelivery[]): string[] {
  const pairs = deliveries.map(({ subscriptionNo, seq }) => [subscriptionNo, seq])
  return chunksOf(pairs, PAIRS_PER_STATEMENT).map((chunk) => JSON.stringify(chunk))
}

/**
 * The rows that one step removes. `counted`: the events are in `stored_bytes`. `watermark`: no
 * event is left up to there.
 */
type Removal = {
  workspaceNo: number
  events: readonly AgedEvent[]
  deliveries: readonly AgedDelivery[]
  counted: boolean
  watermark: number
}

/**
 * The statements that remove events with all their rows, for one batch. Run twice, or beside
 * another purge, they count nothing twice. Tables that can hold no row of them are left out.
 */
export function removalStatements(db: D1Database, removal: Removal): D1PreparedStatement[] {
  const { workspaceNo, events, deliveries, counted, watermark } = removal
  const seqs = JSON.stringify(events.map(({ seq }) => seq))
  const owned = events.flatMap(({ ownId, seq }) => (ownId === null ? [] : [[ownId, seq]]))
  const remove = (table: string, of: readonly AgedDelivery[]) =>
    pairLists(of).map((pairs) => db.prepare(`DELETE FROM ${table} WHERE ${IN_PAIRS}`).bind(pairs))
  return [
    db.prepare(MOVE_WATERMARK).bind(workspaceNo, seqs, watermark, counted ? 1 : 0),
    ...(owned.length === 0 ? [] : [db.prepare(REMOVE_KEYS).bind(workspaceNo, JSON.stringify(owned))]),
    ...remove(
      'attempt',
      deliveries.filter(({ attempts }) => attempts > 1),
    ),
    ...remove(
      'response_text',
      deliveries.filter(({ attempts }) => attempts > 0),
    ),
    ...remove(
      'kept_body',
      deliveries.filter(({ kept }) => kept),
    ),
    ...remove('delivery', deliveries),
    db.prepare(`DELETE FROM event WHERE pk IN (${PKS})`).bind(workspaceNo, seqs),
  ]
}

const PKS = `SELECT (?1 << ${SEQ_BITS}) | value FROM json_each(?2)`

// Bytes and events are counted before the events go: those that another purge removed are not
// counted again.
const MOVE_WATERMARK = `UPDATE workspace SET purged_seq = max(purged_seq, ?3),
  stored_bytes = max(0, stored_bytes - iif(?4, (SELECT coalesce(sum(${EVENT_BYTES}), 0) FROM event e WHERE e.pk IN (${PKS})), 0)),
  stored_events = iif(stored_events IS NULL, NULL, max(0, stored_events - iif(?4, (SELECT count(*) FROM event e WHERE e.pk IN (${PKS})), 0)))
WHERE no = ?1`

// A key with the number of a removed event is its own; a key that was taken anew has another
// number.
const REMOVE_KEYS = `DELETE FROM event_key WHERE workspace_no = ?1 AND key IN (SELECT 'i:' || (value ->> 0) FROM json_each(?2))
  AND seq IN (SELECT value ->> 1 FROM json_each(?2))`

/** Corrects the count of a workspace without events: rough counts must not add up for years. */
export async function resetStoredBytes(db: D1Database, workspaceNo: number): Promise<void> {
  await db
    .prepare(
      `UPDATE workspace SET stored_bytes = 0, stored_events = iif(stored_events IS NULL, NULL, 0)
       WHERE no = ?1 AND stored_bytes <> 0 AND NOT EXISTS (
         SELECT 1 FROM event e WHERE e.pk > (?1 << ${SEQ_BITS}) | workspace.purged_seq AND e.pk <= (?1 << ${SEQ_BITS}) | workspace.swept_seq
           AND e.restored_at_ms IS NULL)`,
    )
    .bind(workspaceNo)
    .run()
}

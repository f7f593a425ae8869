import { chunksOf } from '../base/chunks.ts'
import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { isOutstanding, STATE } from '../store/states.sql.ts'
import { EVENT_BYTES } from '../store/stored-bytes.sql.ts'
import { storedWorkspaceSettingsSchema, type WorkspaceSettings } from '../workspace/settings.ts'
import type { AgedDelivery, AgedEvent } from './retention.ts'

/** A workspace as its purge needs it. `oldestMs`: when its oldest event that may be purged was accepted; null for none. */
export type AgedWorkspace = {
  no: number
  id: string
  settings: WorkspaceSettings
  sweptSeq: number
  purgedSeq: number
  storedBytes: number
  oldestMs: number | null
}

type WorkspaceRow = Omit<AgedWorkspace, 'settings'> & { settings: string }

/** Workspaces above a number, a page at a time. */
export async function agedWorkspaces(
  db: D1Database,
  aboveNo: number,
  limit: number,
): Promise<AgedWorkspace[]> {
  const { results } = await db
    .prepare(
      `SELECT w.no, w.id, w.settings, w.swept_seq AS sweptSeq, w.purged_seq AS purgedSeq, w.stored_bytes AS storedBytes,
         (SELECT e.accepted_at_ms FROM event e WHERE e.pk > (w.no << ${SEQ_BITS}) | w.purged_seq
            AND e.pk <= (w.no << ${SEQ_BITS}) | w.swept_seq AND e.restored_at_ms IS NULL ORDER BY e.pk LIMIT 1) AS oldestMs
       FROM workspace w WHERE w.no > ?1 ORDER BY w.no LIMIT ?2`,
    )
    .bind(aboveNo, limit)
    .all<WorkspaceRow>()
  return results.map((row) => ({
    ...row,
    settings: storedWorkspaceSettingsSchema.parse(JSON.parse(row.settings)),
  }))
}

/** Part of a workspace's events: above and up to a number; either those that were restored or all others. */
export type EventRange = { workspaceNo: number; aboveSeq: number; untilSeq: number; restored: boolean }

type EventRow = {
  seq: number
  accepted_at_ms: number
  deliver_at_ms: number | null
  own_id: string | null
  body_key: string | null
  targets: string
  owed: number
  bytes: number
}

/** The first events of a range, by number. */
export async function agedEvents(db: D1Database, range: EventRange, limit: number): Promise<AgedEvent[]> {
  const { results } = await db
    .prepare(
      `SELECT e.pk & ${SEQ_MAX} AS seq, e.accepted_at_ms, e.deliver_at_ms, e.own_id, e.body_key,
         iif(e.is_test = ${ORIGIN.dispatch}, e.fanout, '[]') AS targets, json_array_length(e.fanout) AS owed, ${EVENT_BYTES} AS bytes
       FROM event e WHERE e.pk > (?1 << ${SEQ_BITS}) | ?2 AND e.pk <= (?1 << ${SEQ_BITS}) | ?3
         AND (e.restored_at_ms IS NOT NULL) = ?4 ORDER BY e.pk LIMIT ?5`,
    )
    .bind(range.workspaceNo, range.aboveSeq, range.untilSeq, range.restored ? 1 : 0, limit)
    .all<EventRow>()
  return results.map((row) => ({
    seq: row.seq,
    acceptedAtMs: row.accepted_at_ms,
    deliverAtMs: row.deliver_at_ms,
    ownId: row.own_id,
    bodyKey: row.body_key,
    targets: JSON.parse(row.targets) as number[],
    owed: row.owed,
    bytes: row.bytes,
  }))
}

/** Numbers of a workspace's subscriptions, deleted ones included, dispatch targets left out. */
export async function subscriptionNos(db: D1Database, workspaceNo: number): Promise<number[]> {
  const { results } = await db
    .prepare(
      'SELECT s.no FROM subscription s INDEXED BY subscription_workspace WHERE s.workspace_no = ?1 AND s.kind = 0',
    )
    .bind(workspaceNo)
    .all<{ no: number }>()
  return results.map(({ no }) => no)
}

const OUTSTANDING = isOutstanding('d')
const DELIVERY = `d.subscription_no, d.seq, ${OUTSTANDING} AS outstanding, d.state = ${STATE.skipped} AND d.error IS 'expired' AS ended_early,
  d.attempts, k.seq IS NOT NULL AS kept, k.body_key`
const JOIN_KEPT = 'LEFT JOIN kept_body k ON k.subscription_no = d.subscription_no AND k.seq = d.seq'

type DeliveryRow = {
  subscription_no: number
  seq: number
  outstanding: number
  ended_early: number
  attempts: number
  kept: number
  body_key: string | null
}

/**
 * Every delivery of consecutive events, at most `limit` of them. Looked for in all of the workspace's subscriptions, not
 * in the fan-out alone: back-fills make deliveries that no fan-out names.
 */
export async function agedDeliveries(
  db: D1Database,
  events: readonly AgedEvent[],
  subscriptions: readonly number[],
  limit: number,
): Promise<AgedDelivery[]> {
  const first = events[0]?.seq ?? 0
  const last = events.at(-1)?.seq ?? -1
  const dispatched = events.flatMap(({ seq, targets }) => targets.map((no) => [no, seq]))
  const { results } = await db
    .prepare(
      `SELECT ${DELIVERY} FROM json_each(?1) s CROSS JOIN delivery d ON d.subscription_no = s.value AND d.seq BETWEEN ?2 AND ?3 ${JOIN_KEPT}
       UNION ALL
       SELECT ${DELIVERY} FROM json_each(?4) p CROSS JOIN delivery d ON d.subscription_no = p.value ->> 0 AND d.seq = p.value ->> 1 ${JOIN_KEPT}
       LIMIT ?5`,
    )
    .bind(JSON.stringify(subscriptions), first, last, JSON.stringify(dispatched), limit)
    .all<DeliveryRow>()
  const seqs = new Set(events.map(({ seq }) => seq))
  return results
    .filter(({ seq }) => seqs.has(seq))
    .map((row) => ({
      subscriptionNo: row.subscription_no,
      seq: row.seq,
      outstanding: row.outstanding === 1,
      endedEarly: row.ended_early === 1,
      attempts: row.attempts,
      kept: row.kept === 1,
      keptKey: row.body_key,
    }))
}

/**
 * Ends outstanding deliveries as `skipped: expired`, and answers which of a range's events some consumer still has in
 * hand: what it then records of them changes nothing as long as their rows are there.
 */
export async function expireDeliveries(
  db: D1Database,
  deliveries: readonly AgedDelivery[],
  events: { workspaceNo: number; firstSeq: number; lastSeq: number },
  nowMs: number,
): Promise<Set<number>> {
  const expire = pairLists(deliveries).map((pairs) =>
    db
      .prepare(
        `UPDATE delivery AS d SET state = ${STATE.skipped}, due_at_ms = NULL, error = 'expired' WHERE ${OUTSTANDING} AND ${IN_PAIRS}`,
      )
      .bind(pairs),
  )
  const inHand = db
    .prepare(
      `SELECT DISTINCT p.value ->> 1 AS seq FROM claim c INDEXED BY claim_live, json_each(c.pairs) p
       WHERE c.live = 1 AND c.expires_at_ms > ?1 AND p.value ->> 2 = ?2 AND p.value ->> 1 BETWEEN ?3 AND ?4`,
    )
    .bind(nowMs, events.workspaceNo, events.firstSeq, events.lastSeq)
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

/** What goes in one step; `counted`: its events are in `stored_bytes`; `markSeq`: nothing is left up to there. */
export type Removal = {
  workspaceNo: number
  events: readonly AgedEvent[]
  deliveries: readonly AgedDelivery[]
  counted: boolean
  markSeq: number
}

/**
 * The statements that remove events with all that hangs on them, to be run in one batch. Run twice, or beside another
 * purge, they count nothing twice. Every row costs one row written; tables that can hold nothing of them are left out.
 */
export function removalStatements(db: D1Database, removal: Removal): D1PreparedStatement[] {
  const { workspaceNo, events, deliveries, counted, markSeq } = removal
  const seqs = JSON.stringify(events.map(({ seq }) => seq))
  const owned = events.flatMap(({ ownId, seq }) => (ownId === null ? [] : [[ownId, seq]]))
  const remove = (table: string, of: readonly AgedDelivery[]) =>
    pairLists(of).map((pairs) => db.prepare(`DELETE FROM ${table} WHERE ${IN_PAIRS}`).bind(pairs))
  return [
    db.prepare(MOVE_MARK).bind(workspaceNo, seqs, markSeq, counted ? 1 : 0),
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

// Before the events go, so that those that another purge has removed meanwhile are not counted again.
const MOVE_MARK = `UPDATE workspace SET purged_seq = max(purged_seq, ?3),
  stored_bytes = max(0, stored_bytes - iif(?4, (SELECT coalesce(sum(${EVENT_BYTES}), 0) FROM event e WHERE e.pk IN (${PKS})), 0))
WHERE no = ?1`

// A key whose number is among those that go belongs to one of their events; one that was taken anew does not.
const REMOVE_KEYS = `DELETE FROM event_key WHERE workspace_no = ?1 AND key IN (SELECT 'i:' || (value ->> 0) FROM json_each(?2))
  AND seq IN (SELECT value ->> 1 FROM json_each(?2))`

/** Corrects the count of a workspace that has no events left: what was counted roughly must not add up for years. */
export async function resetStoredBytes(db: D1Database, workspaceNo: number): Promise<void> {
  await db
    .prepare(
      `UPDATE workspace SET stored_bytes = 0 WHERE no = ?1 AND stored_bytes <> 0 AND NOT EXISTS (
         SELECT 1 FROM event e WHERE e.pk > (?1 << ${SEQ_BITS}) | workspace.purged_seq AND e.pk <= (?1 << ${SEQ_BITS}) | workspace.swept_seq
           AND e.restored_at_ms IS NULL)`,
    )
    .bind(workspaceNo)
    .run()
}

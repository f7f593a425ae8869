import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { ORIGIN } from '../store/event-row.sql.ts'
import { isOutstanding, STATE } from '../store/states.sql.ts'
import { EVENT_BYTES } from '../store/stored-bytes.sql.ts'
import { storedWorkspaceSettingsSchema, type WorkspaceSettings } from '../workspace/settings.ts'
import type { AgedDelivery, AgedEvent } from './retention.ts'

/**
 * A workspace as its purge needs it; `oldestMs` is the acceptance of its oldest purgeable event.
 */
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

/** Reads workspaces above a number, a page at a time; those that are being deleted are erased elsewhere. */
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
       FROM workspace w WHERE w.no > ?1 AND w.deletion IS NULL ORDER BY w.no LIMIT ?2`,
    )
    .bind(aboveNo, limit)
    .all<WorkspaceRow>()
  return results.map((row) => ({
    ...row,
    settings: storedWorkspaceSettingsSchema.parse(JSON.parse(row.settings)),
  }))
}

/** A part of a workspace's events: above and up to a number, the restored ones or all others. */
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

/** Reads the first events of a range, by number. */
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

/**
 * Reads the numbers of a workspace's subscriptions, deleted ones included, without dispatch
 * targets.
 */
export async function subscriptionNos(db: D1Database, workspaceNo: number): Promise<number[]> {
  const { results } = await db
    .prepare(
      'SELECT s.no FROM subscription s INDEXED BY subscription_workspace WHERE s.workspace_no = ?1 AND s.kind = 0',
    )
    .bind(workspaceNo)
    .all<{ no: number }>()
  return results.map(({ no }) => no)
}

const DELIVERY = `d.subscription_no, d.seq, ${isOutstanding('d')} AS outstanding, d.state = ${STATE.skipped} AND d.error IS 'expired' AS ended_early,
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
 * Reads every delivery of consecutive events, up to `limit`. It looks in all of the workspace's
 * subscriptions: back-fills make deliveries that no fan-out names.
 */
export async function agedDeliveries(
  db: D1Database,
  { events, subscriptions }: { events: readonly AgedEvent[]; subscriptions: readonly number[] },
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

import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import type { StoredEvent } from '../model/delivery.ts'
import { MATCHED } from '../store/event-counts.sql.ts'
import { EVENT_COLUMNS, type EventRow, toStoredEvent } from '../store/event-row.sql.ts'
import type { Scanned } from './scan-in-turns.ts'

/** An event as the API shows it; `body` is null when it is in R2 or was not asked for. */
export type LoggedEvent = StoredEvent & { fanout: number[] }

/** An event of a list: how many subscriptions it is owed to, and not which. */
export type ListedEvent = StoredEvent & { matched: number }

type Row = EventRow & { fanout: string }

const ROW = `${EVENT_COLUMNS}, e.fanout`

/** The matched ones among some subscriptions only, and whether one of them wanted the event, disabled ones included. */
const OWN = 'SELECT value FROM json_each(?9)'
const MATCHED_OWN = `(SELECT count(*) FROM json_each(e.fanout) f WHERE f.value IN (${OWN}))`
const IS_OWN = `EXISTS (SELECT 1 FROM json_each(e.fanout) f WHERE abs(f.value) IN (${OWN}))`

function toEvent(row: Row): LoggedEvent {
  return { ...toStoredEvent(row), fanout: JSON.parse(row.fanout) as number[] }
}

/** Finds a workspace's event by its sequence number. */
export async function findEventBySeq(
  db: D1Database,
  workspaceId: string,
  seq: number,
): Promise<LoggedEvent | null> {
  return await findEvent(db, `JOIN event e ON e.pk = (w.no << ${SEQ_BITS}) | ?2`, [workspaceId, seq])
}

/** Finds a workspace's event by the id its publisher gave. */
export async function findEventByOwnId(
  db: D1Database,
  workspaceId: string,
  ownId: string,
): Promise<LoggedEvent | null> {
  const join = `JOIN event_key k ON k.workspace_no = w.no AND k.key = 'i:' || ?2
    JOIN event e ON e.pk = (w.no << ${SEQ_BITS}) | k.seq`
  return await findEvent(db, join, [workspaceId, ownId])
}

async function findEvent(
  db: D1Database,
  join: string,
  bound: [workspaceId: string, eventKey: string | number],
): Promise<LoggedEvent | null> {
  const row = await db
    .prepare(`SELECT ${ROW}, e.body, e.body_key FROM workspace w ${join} WHERE w.id = ?1`)
    .bind(...bound)
    .first<Row>()
  return row === null ? null : toEvent(row)
}

/** A stretch of a workspace's events: below `belowSeq`, from `minSeq` on, newest first. */
type EventScan = {
  minSeq: number
  belowSeq: number
  /** A type, or a pattern of types. */
  type: string | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  limit: number
  /** Only events that one of these subscriptions wanted, which alone are counted; null for all. */
  subscriptionNos: readonly number[] | null
  /** Rows that one statement may look at. */
  rowsMax: number
}

/** Looks through a stretch of a workspace's events, without their texts. */
export async function scanEvents(
  db: D1Database,
  workspaceId: string,
  scan: EventScan,
): Promise<Scanned<ListedEvent>> {
  const bound = [workspaceId, scan.minSeq, scan.belowSeq] as const
  const own = scan.subscriptionNos === null ? null : JSON.stringify(scan.subscriptionNos)
  const source = `FROM workspace w JOIN event e ON e.pk >= (w.no << ${SEQ_BITS}) | ?2 AND e.pk < (w.no << ${SEQ_BITS}) | ?3
    WHERE w.id = ?1 ORDER BY e.pk DESC`
  const { results } = await db
    .prepare(
      `SELECT ${EVENT_COLUMNS}, iif(?9 IS NULL, ${MATCHED}, ${MATCHED_OWN}) AS matched, NULL AS body, NULL AS body_key FROM (SELECT e.* ${source} LIMIT ?7) e
       WHERE (?4 IS NULL OR e.type GLOB ?4) AND (?5 IS NULL OR e.accepted_at_ms >= ?5) AND (?6 IS NULL OR e.accepted_at_ms <= ?6)
         AND (?9 IS NULL OR ${IS_OWN}) LIMIT ?8`,
    )
    .bind(...bound, scan.type, scan.acceptedFromMs, scan.acceptedToMs, scan.rowsMax, scan.limit, own)
    .all<EventRow & { matched: number }>()
  const events = results.map((row) => ({ ...toStoredEvent(row), matched: row.matched }))
  const last = events.at(-1)
  if (last !== undefined && events.length === scan.limit) return { rows: events, coveredToSeq: last.seq }
  const end = await db
    .prepare(`SELECT count(*) AS count, min(pk) & ${SEQ_MAX} AS low FROM (SELECT e.pk ${source} LIMIT ?4)`)
    .bind(...bound, scan.rowsMax)
    .first<{ count: number; low: number | null }>()
  return { rows: events, coveredToSeq: end === null || end.count < scan.rowsMax ? 0 : (end.low ?? 0) }
}

/** Reads events of a list by their numbers, in their order. */
export async function listedEvents(
  db: D1Database,
  {
    workspaceNo,
    seqs,
    subscriptionNos,
  }: { workspaceNo: number; seqs: readonly number[]; subscriptionNos: readonly number[] | null },
): Promise<ListedEvent[]> {
  if (seqs.length === 0) return []
  const own = subscriptionNos === null ? null : JSON.stringify(subscriptionNos)
  const { results } = await db
    .prepare(
      `SELECT ${EVENT_COLUMNS}, iif(?3 IS NULL, ${MATCHED}, (SELECT count(*) FROM json_each(e.fanout) f WHERE f.value IN (SELECT value FROM json_each(?3)))) AS matched, NULL AS body, NULL AS body_key
       FROM json_each(?2) n CROSS JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | n.value`,
    )
    .bind(workspaceNo, JSON.stringify(seqs), own)
    .all<EventRow & { matched: number }>()
  return results.map((row) => ({ ...toStoredEvent(row), matched: row.matched }))
}

import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import { ORIGIN } from '../../store/event-row.sql.ts'

/** An event with the subscriptions that it was owed to; a negative number is one that was disabled. */
export type OwedEvent = {
  seq: number
  type: string
  ownId: string | null
  acceptedAtMs: number
  deliverAtMs: number | null
  origin: 'published' | 'test' | 'dispatch'
  fanout: number[]
}

/** A stretch of a workspace's events, from `minSeq` to `maxSeq`, newest first. */
export type OwedStretch = {
  workspaceNo: number
  minSeq: number
  maxSeq: number
  /** A type, or a pattern of types. */
  type: string | null
  acceptedFromMs: number | null
  acceptedToMs: number | null
  /** Events that the statement may look at. */
  rowsMax: number
  /** Deliveries after which no further event is read. */
  pairsMax: number
}

/** Events found; all from `coveredToSeq` up were looked at (0: all of the stretch). */
export type OwedEvents = { events: OwedEvent[]; coveredToSeq: number }

const OWED = `iif(e.fanout = '[]', 0, 1 + length(e.fanout) - length(replace(e.fanout, ',', '')))`
const STRETCH = `FROM event e WHERE e.pk >= (?1 << ${SEQ_BITS}) | ?2 AND e.pk <= (?1 << ${SEQ_BITS}) | ?3 ORDER BY e.pk DESC`
const COLUMNS = 'e.pk, e.type, e.own_id, e.accepted_at_ms, e.deliver_at_ms, e.is_test, e.fanout'

const SCAN = `SELECT * FROM (
  SELECT e.pk & ${SEQ_MAX} AS seq, e.type, e.own_id AS ownId, e.accepted_at_ms AS acceptedAtMs, e.deliver_at_ms AS deliverAtMs, e.is_test AS origin, e.fanout,
    sum(${OWED}) OVER (ORDER BY e.pk DESC ROWS UNBOUNDED PRECEDING) AS pairs, ${OWED} AS owed
  FROM (SELECT ${COLUMNS} ${STRETCH} LIMIT ?4) e
  WHERE (?6 IS NULL OR e.type GLOB ?6) AND (?7 IS NULL OR e.accepted_at_ms >= ?7) AND (?8 IS NULL OR e.accepted_at_ms <= ?8))
WHERE pairs - owed < ?5 ORDER BY seq DESC`
const END = `SELECT e.pk & ${SEQ_MAX} AS seq ${STRETCH} LIMIT 1 OFFSET ?4`

type Row = Omit<OwedEvent, 'origin' | 'fanout'> & { origin: number; fanout: string }

/** Reads the newest events of a stretch, until their deliveries are enough. */
export async function scanOwedEvents(db: D1Database, stretch: OwedStretch): Promise<OwedEvents> {
  const { workspaceNo, minSeq, maxSeq, rowsMax, pairsMax, type, acceptedFromMs, acceptedToMs } = stretch
  const range = [workspaceNo, minSeq, maxSeq] as const
  const [found, end] = await db.batch([
    db.prepare(SCAN).bind(...range, rowsMax, pairsMax, type, acceptedFromMs, acceptedToMs),
    db.prepare(END).bind(...range, rowsMax - 1),
  ])
  const rows = (found?.results ?? []) as (Row & { pairs: number })[]
  const last = rows.at(-1)
  const isCut = last !== undefined && last.pairs >= pairsMax
  const lowest = (end?.results as { seq: number }[] | undefined)?.[0]?.seq ?? 0
  return { events: rows.map(toOwedEvent), coveredToSeq: isCut ? last.seq : lowest }
}

const BY_NUMBER = `SELECT e.pk & ${SEQ_MAX} AS seq, e.type, e.own_id AS ownId, e.accepted_at_ms AS acceptedAtMs, e.deliver_at_ms AS deliverAtMs, e.is_test AS origin, e.fanout
FROM json_each(?2) n CROSS JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | n.value`

/** Reads some of a workspace's events by their numbers, in their order. */
export async function readOwedEvents(
  db: D1Database,
  workspaceNo: number,
  seqs: readonly number[],
): Promise<OwedEvent[]> {
  if (seqs.length === 0) return []
  const { results } = await db.prepare(BY_NUMBER).bind(workspaceNo, JSON.stringify(seqs)).all<Row>()
  return results.map(toOwedEvent)
}

function toOwedEvent({ seq, type, ownId, acceptedAtMs, deliverAtMs, origin, fanout }: Row): OwedEvent {
  return {
    seq,
    type,
    ownId,
    acceptedAtMs,
    deliverAtMs,
    origin: origin === ORIGIN.test ? 'test' : origin === ORIGIN.dispatch ? 'dispatch' : 'published',
    fanout: JSON.parse(fanout) as number[],
  }
}

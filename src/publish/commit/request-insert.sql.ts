import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import { newestSeqOf } from '../../store/event-row.sql.ts'
import {
  BASE,
  COLUMNS,
  type GroupResult,
  type InsertGroup,
  pacedSql,
  pacedStatementCount,
  pacedStatements,
  rowsOf,
  VALUES,
} from './event-insert.sql.ts'
import { KEPT_HASH_CHARS, type RequestKey } from './request-key.sql.ts'

/** Events of one request with one `Idempotency-Key`, which has one row for all of them. */
export type RequestGroup = InsertGroup & { requestKey: RequestKey }

// Nothing is taken that one of the request's places has had under a key of its own. An expired row may be taken over.
const INSERT_KEY = `WITH ${BASE} INSERT INTO event_key (workspace_no, key, seq, hash)
SELECT ?1, ?4, base.last + 1, ?5 FROM base
WHERE NOT EXISTS (SELECT 1 FROM event_key p WHERE p.workspace_no = ?1 AND p.key > ?4 AND p.key < ?6 AND p.seq >= ?7)
ON CONFLICT (workspace_no, key) DO UPDATE SET seq = excluded.seq, hash = excluded.hash WHERE event_key.seq < ?7`

// No row, and so no event, where the statement before has not taken the key.
const owned = (key: string) => `${BASE.replace('base AS', 'newest AS')}, base AS MATERIALIZED (
  SELECT newest.last FROM newest CROSS JOIN event_key x ON x.workspace_no = ?1 AND x.key = ${key} AND x.seq = newest.last + 1)`

const PACED = pacedSql(owned('?5'))
const INSERT_EVENTS = `WITH ${owned('?6')} INSERT INTO ${COLUMNS} SELECT ${VALUES} FROM base CROSS JOIN json_each(?5) e`

const SELECT_END = `SELECT ${newestSeqOf('?1')} AS last, config_version = ?2 AS is_current FROM workspace WHERE no = ?1`

/** The statements that commit the events of one request, all or none of them. */
export function requestStatements(db: D1Database, group: RequestGroup): D1PreparedStatement[] {
  const { workspaceNo, seqFloor, configVersion, acceptedAtMs, keyFloor, requestKey } = group
  const { key, contents } = requestKey
  const common = [workspaceNo, seqFloor, configVersion] as const
  const paced = pacedStatements(db, group, { sql: PACED, owner: [key] })
  // The keys of the places are those between.
  const end = `${key.slice(0, -1)}0`
  return [
    db.prepare(INSERT_KEY).bind(...common, key, contents, end, keyFloor),
    ...paced,
    db.prepare(INSERT_EVENTS).bind(...common, acceptedAtMs, rowsOf(group.events), key),
    db.prepare(SELECT_END).bind(workspaceNo, configVersion),
  ]
}

/** Reads the outcome of a request from the results of its statements, in the same order. */
export function readRequestResults({ events }: RequestGroup, results: readonly D1Result[]): GroupResult {
  const at = 1 + pacedStatementCount(events)
  const [end] = (results[at + 1]?.results ?? []) as { last: number | null; is_current: number }[]
  if (end?.is_current !== 1) return { kind: 'stale' }
  if (end.last === null || results[at]?.meta.changes !== events.length) return { kind: 'key_taken' }
  const first = end.last - events.length + 1
  return { kind: 'committed', results: events.map((_, i) => ({ kind: 'inserted', seq: first + i })) }
}

/** A request's row: its first event, its contents, and how many subscriptions each of its events matched. */
export type StoredRequest = { firstSeq: number; contents: string; matched: ReadonlyMap<number, number> }

const SELECT_ROW =
  'SELECT x.seq, x.hash FROM event_key x WHERE x.workspace_no = ?1 AND x.key = ?2 AND x.seq >= ?3'
const SELECT_MATCHED = `SELECT e.pk & ${SEQ_MAX} AS seq, (SELECT count(*) FROM json_each(e.fanout) f WHERE f.value > 0) AS matched
FROM event_key x CROSS JOIN event e ON e.pk BETWEEN (?1 << ${SEQ_BITS}) | x.seq AND (?1 << ${SEQ_BITS}) | (x.seq + length(x.hash) / ${KEPT_HASH_CHARS} - 1)
WHERE x.workspace_no = ?1 AND x.key = ?2 AND x.seq >= ?3`

/** Finds the row of a request's key, unless it has expired. */
export async function findRequest(
  db: D1Database,
  { workspaceNo, key, keyFloor }: { workspaceNo: number; key: string; keyFloor: number },
): Promise<StoredRequest | null> {
  const select = (sql: string) => db.prepare(sql).bind(workspaceNo, key, keyFloor)
  const [rows, events] = await db.batch([select(SELECT_ROW), select(SELECT_MATCHED)])
  const [row] = (rows?.results ?? []) as { seq: number; hash: string }[]
  if (row === undefined) return null
  const matched = (events?.results ?? []) as { seq: number; matched: number }[]
  return {
    firstSeq: row.seq,
    contents: row.hash,
    matched: new Map(matched.map((event) => [event.seq, event.matched])),
  }
}

import { SEQ_BITS, SEQ_MAX } from '../../base/ids/seq.ts'
import type { PacedDelivery } from '../../pacing/waiting.ts'
import { newestSeqOf, ORIGIN } from '../../store/event-row.sql.ts'
import { STATE } from '../../store/states.sql.ts'
import { KEPT_HASH_CHARS, NO_CONTENT, type RequestKey, type RequestPlace } from './request-key.sql.ts'

/** An event as it is written: matched, with its large text already in R2 where it has one. */
export type NewEvent = {
  type: string
  ownId: string | null
  /** Signed subscription numbers: see the `event` table. */
  fanout: readonly number[]
  body: string | null
  bodyKey: string | null
  isTest: boolean
  /** True for an event of `POST /dispatch`, which goes to one target past all subscriptions. */
  isDispatch?: boolean
  deliverAtMs?: number | null
  expiresAfterSeconds?: number | null
  /** `i:<own id>` and `k:<idempotency key>`, at most one of each. */
  keys: readonly string[]
  /** Hash of the content; null when there are no keys. */
  hash: string | null
  /** The event's place where its `k:` key comes from the key of a request for several. */
  request?: RequestPlace | null
  /** Deliveries of the fan-out that wait until their pacing lets them go. */
  waiting?: readonly PacedDelivery[]
  /** Subscriptions whose waiting deliveries leave with this event at the latest. */
  flushes?: readonly number[]
}

/** Events of one workspace that were matched against one version of its configuration. */
export type InsertGroup = {
  workspaceNo: number
  configVersion: number
  acceptedAtMs: number
  seqFloor: number
  /** Idempotency keys of events below this sequence number have expired and may be taken over. */
  keyFloor: number
  events: readonly NewEvent[]
  /** One key for all events, in place of their own. */
  requestKey?: RequestKey | null
}

/** The end of one event of a group. */
export type InsertResult =
  | { kind: 'inserted'; seq: number }
  /** The row of its request's key may name it. */
  | { kind: 'key_taken' }
  | { kind: 'exists'; key: string; seq: number; hash: string; ownId: string | null; matched: number }

/**
 * The end of a group: `stale` wrote nothing, since the configuration has changed since the match, and `key_taken`
 * nothing, since the key for all events, or that of one of their places, is not free.
 */
export type GroupResult =
  | { kind: 'stale' }
  | { kind: 'key_taken' }
  | { kind: 'committed'; results: InsertResult[] }

// The next number is above everything committed, so none is given out below one that was seen. No
// row, and so no event, once the configuration has changed since the match. Materialized, or each
// event would look it up again.
export const BASE = `base AS MATERIALIZED (
  SELECT max(coalesce(${newestSeqOf('?1')}, 0), w.swept_seq, ?2) AS last
  FROM workspace w WHERE w.no = ?1 AND w.config_version = ?3)`
export const COLUMNS =
  'event (pk, type, accepted_at_ms, own_id, is_test, fanout, body, body_key, deliver_at_ms, expires_after_seconds)'
export const VALUES = `(?1 << ${SEQ_BITS}) | (base.last + 1 + e.key), e.value ->> 0, ?4, e.value ->> 1, e.value ->> 2, e.value -> 3, e.value ->> 4, e.value ->> 5, e.value ->> 7, e.value ->> 8`

const INSERT_PLAIN = `WITH ${BASE} INSERT INTO ${COLUMNS} SELECT ${VALUES} FROM base CROSS JOIN json_each(?5) e`

// All or none of a plain group is written, so its last number tells the others.
const SELECT_LAST = `SELECT ${newestSeqOf('?1')} AS last`

const SELECT_BASE = `WITH ${BASE} SELECT last AS base FROM base`

// The row of the request's key names the event's place already.
const IS_IN_REQUEST = `EXISTS (SELECT 1 FROM event_key g WHERE g.workspace_no = ?1 AND g.key = k.value ->> 4 AND g.seq >= ?5
  AND substr(g.hash, (k.value ->> 5) * ${KEPT_HASH_CHARS} + 1, 1) NOT IN ('', '${NO_CONTENT}'))`

// A key belongs to the first event that names it; an expired Idempotency-Key may be taken over.
const INSERT_KEYS = `WITH ${BASE} INSERT INTO event_key (workspace_no, key, seq, hash)
SELECT ?1, k.value ->> 1, base.last + 1 + (k.value ->> 0), k.value ->> 2
FROM base CROSS JOIN json_each(?4) k
WHERE NOT EXISTS (
  SELECT 1 FROM event_key s WHERE s.workspace_no = ?1 AND s.key = k.value ->> 3 AND (s.seq >= ?5 OR s.key < 'k:'))
  AND (k.value ->> 4 IS NULL OR NOT ${IS_IN_REQUEST})
ON CONFLICT (workspace_no, key) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
  WHERE event_key.seq < ?5 AND event_key.key >= 'k:'`

// An event is written only where each of its keys points at it; the statement before decides that.
const INSERT_KEYED = `WITH ${BASE} INSERT INTO ${COLUMNS} SELECT ${VALUES} FROM base CROSS JOIN json_each(?5) e
WHERE NOT EXISTS (
  SELECT 1 FROM json_each(e.value, '$[6]') k WHERE NOT EXISTS (
    SELECT 1 FROM event_key x WHERE x.workspace_no = ?1 AND x.key = k.value AND x.seq = base.last + 1 + e.key))
RETURNING pk & ${SEQ_MAX} AS seq`

// Rows of waiting deliveries come before their events, whose insert moves the base. Only events
// that own their keys will be written.
function ownsKeys(row: string, keysAt: number): string {
  return `NOT EXISTS (SELECT 1 FROM json_each(${row}.value, '$[${keysAt}]') k WHERE NOT EXISTS (
  SELECT 1 FROM event_key x WHERE x.workspace_no = ?1 AND x.key = k.value AND x.seq = base.last + 1 + (${row}.value ->> 1)))`
}
function insertWaiting(base: string): string {
  return `WITH ${base} INSERT INTO delivery (subscription_no, seq, type, state, due_at_ms, order_key)
SELECT r.value ->> 0, base.last + 1 + (r.value ->> 1), r.value ->> 2, ${STATE.pending}, r.value ->> 3, r.value ->> 4
FROM base CROSS JOIN json_each(?4) r WHERE ${ownsKeys('r', 5)}`
}
function flush(base: string): string {
  return `WITH ${base}, flushed AS (SELECT f.value ->> 0 AS no, max(base.last + 1 + (f.value ->> 1)) AS seq
  FROM base CROSS JOIN json_each(?4) f WHERE ${ownsKeys('f', 2)} GROUP BY 1)
UPDATE subscription SET flush_until_seq = max(flush_until_seq, flushed.seq), flush_cause = 'event' FROM flushed WHERE subscription.no = flushed.no`
}

/** The statements for what waits, by the common table from which the events are numbered. */
export function pacedSql(base: string): PacedSql {
  return { waiting: insertWaiting(base), flush: flush(base) }
}
type PacedSql = { waiting: string; flush: string }
const PACED = pacedSql(BASE)

// The keys that belong to other events. CROSS JOIN keeps the order of the loops: by the keys of the workspace first,
// all it has ever stored would be read for each of a group.
const SELECT_KEYS = `WITH ${BASE} SELECT x.key, x.seq, x.hash, e.own_id,
  (SELECT count(*) FROM json_each(e.fanout) f WHERE f.value > 0) AS matched
FROM base CROSS JOIN json_each(?4) k CROSS JOIN event_key x ON x.workspace_no = ?1 AND x.key = k.value ->> 1
LEFT JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | x.seq
WHERE x.seq <> base.last + 1 + (k.value ->> 0)`

type KeyRow = { key: string; seq: number; hash: string; own_id: string | null; matched: number | null }

/** The statements that commit one group, to be run in one D1 batch with those of other groups. */
export function insertStatements(db: D1Database, group: InsertGroup): D1PreparedStatement[] {
  const { workspaceNo, seqFloor, configVersion, acceptedAtMs, keyFloor, events } = group
  const rows = rowsOf(events)
  const common = [workspaceNo, seqFloor, configVersion] as const
  const paced = pacedStatements(db, group, { sql: PACED, owner: [] })
  if (!isKeyed(group)) {
    return [
      ...paced,
      db.prepare(INSERT_PLAIN).bind(...common, acceptedAtMs, rows),
      db.prepare(SELECT_LAST).bind(workspaceNo),
    ]
  }
  const keys = JSON.stringify(
    events.flatMap((e, i) => e.keys.map((key, k) => [i, key, e.hash, e.keys[1 - k] ?? '', ...placeOf(e)])),
  )
  return [
    db.prepare(SELECT_BASE).bind(...common),
    db.prepare(INSERT_KEYS).bind(...common, keys, keyFloor),
    ...paced,
    // Before the events, whose insert moves the base.
    db.prepare(SELECT_KEYS).bind(...common, keys),
    db.prepare(INSERT_KEYED).bind(...common, acceptedAtMs, rows),
  ]
}

function placeOf({ request }: NewEvent): (string | number)[] {
  return request == null ? [] : [request.key, request.at]
}

/** The events of a group as their insert reads them. */
export function rowsOf(events: readonly NewEvent[]): string {
  return JSON.stringify(
    events.map((e) => [e.type, e.ownId, originNumber(e), e.fanout, e.body, e.bodyKey, e.keys, ...timesOf(e)]),
  )
}

/** The statements for what waits of a group; `owner` is what their SQL asks for beside the group. */
export function pacedStatements(
  db: D1Database,
  { workspaceNo, seqFloor, configVersion, events, acceptedAtMs }: InsertGroup,
  { sql, owner }: { sql: PacedSql; owner: readonly string[] },
): D1PreparedStatement[] {
  const bind = (text: string, rows: unknown[]) =>
    db.prepare(text).bind(workspaceNo, seqFloor, configVersion, JSON.stringify(rows), ...owner)
  const waiting = events.flatMap((e, i) => {
    const dueAtMs = (e.deliverAtMs ?? 0) > acceptedAtMs ? (e.deliverAtMs ?? null) : null
    return (e.waiting ?? []).map((r) => [r.subscriptionNo, i, e.type, dueAtMs, r.orderKey, e.keys])
  })
  const flushes = events.flatMap((e, i) => (e.flushes ?? []).map((no) => [no, i, e.keys]))
  return [
    ...(waiting.length > 0 ? [bind(sql.waiting, waiting)] : []),
    ...(flushes.length > 0 ? [bind(sql.flush, flushes)] : []),
  ]
}

/** Counts the statements for what waits of some events. */
export function pacedStatementCount(events: readonly NewEvent[]): number {
  const has = (of: (event: NewEvent) => readonly unknown[] | undefined) =>
    events.some((event) => (of(event)?.length ?? 0) > 0)
  return (has((event) => event.waiting) ? 1 : 0) + (has((event) => event.flushes) ? 1 : 0)
}

/** Reads a group's outcome from the results of its statements, in the same order. */
export function readInsertResults(group: InsertGroup, results: readonly D1Result[]): GroupResult {
  return isKeyed(group) ? readKeyed(group, results) : readPlain(group, results)
}

/** True for a group that needs the statements for keys. */
function isKeyed(group: InsertGroup): boolean {
  return group.events.some((event) => event.keys.length > 0)
}

function readPlain(group: InsertGroup, results: readonly D1Result[]): GroupResult {
  const at = pacedStatementCount(group.events)
  const last = (results[at + 1]?.results[0] as { last: number | null } | undefined)?.last ?? null
  if (last === null || results[at]?.meta.changes !== group.events.length) return { kind: 'stale' }
  const first = last - group.events.length + 1
  return { kind: 'committed', results: group.events.map((_, i) => ({ kind: 'inserted', seq: first + i })) }
}

function readKeyed(group: InsertGroup, results: readonly D1Result[]): GroupResult {
  const base = (results[0]?.results[0] as { base: number } | undefined)?.base
  if (base === undefined) return { kind: 'stale' }
  const at = pacedStatementCount(group.events)
  const byKey = new Map(((results[at + 2]?.results ?? []) as KeyRow[]).map((row) => [row.key, row]))
  const inserted = new Set(seqsOf(results[at + 3]))
  const firstSeq = base + 1
  return { kind: 'committed', results: group.events.map((event, i) => resultOf(event, firstSeq + i)) }

  function resultOf(event: NewEvent, seq: number): InsertResult {
    if (inserted.has(seq)) return { kind: 'inserted', seq }
    const row = event.keys
      .map((key) => byKey.get(key))
      .find((found) => found !== undefined && found.seq !== seq)
    if (row === undefined && event.request != null) return { kind: 'key_taken' }
    if (row === undefined) throw new Error('an event was neither inserted nor refused by a key')
    const { key, hash } = row
    // The key's first event may be of the same group, and was not written yet when its key was read.
    const first = group.events[row.seq - firstSeq]
    return first === undefined
      ? { kind: 'exists', key, seq: row.seq, hash, ownId: row.own_id, matched: row.matched ?? 0 }
      : { kind: 'exists', key, seq: row.seq, hash, ownId: first.ownId, matched: matchedOf(first) }
  }
}

function matchedOf({ fanout }: NewEvent): number {
  return fanout.filter((no) => no > 0).length
}

function seqsOf(result: D1Result | undefined): number[] {
  return (result?.results as { seq: number }[] | undefined)?.map((row) => row.seq) ?? []
}

/** The origin of an event as its column holds it. */
function originNumber({ isTest, isDispatch }: NewEvent): number {
  return isTest ? ORIGIN.test : isDispatch === true ? ORIGIN.dispatch : ORIGIN.published
}

/** Leaves out the times of events that have none: they are many, and the bound text would grow. */
function timesOf({ deliverAtMs = null, expiresAfterSeconds = null }: NewEvent): (number | null)[] {
  return deliverAtMs === null && expiresAfterSeconds === null ? [] : [deliverAtMs, expiresAfterSeconds]
}

import { SEQ_BITS, SEQ_MAX } from '../base/ids/seq.ts'
import { HOUR_MS, hourOf } from '../base/time.ts'
import { ORIGIN } from './event-row.sql.ts'

/** Types of an hour that are counted by name; those that come after them are counted together, under an empty one. */
const TYPES_PER_HOUR = 200

/** SQL for the number of subscriptions that an event `e` is owed to: a negative number was disabled. */
export const MATCHED = `iif(e.fanout = '[]', 0, 1 + length(e.fanout) - length(replace(e.fanout, ',', ''))) - (length(e.fanout) - length(replace(e.fanout, '-', '')))`

const COUNTED = (list: string) =>
  `SELECT r.value ->> 0 AS hour, r.value ->> 1 AS type, r.value ->> 2 AS events, r.value ->> 3 AS owed FROM json_each(${list}) r`

/**
 * SQL that adds the counts ?3 to those in workspace ?1's own row, unless its `swept_seq` is not ?4, above which they
 * begin: then another sweep, at the same time, has counted some of them.
 */
export const ADD_COUNTS = `recent_events = iif(swept_seq <> ?4, recent_events, (SELECT json_group_array(json_array(n.hour, n.type, n.events, n.owed)) FROM (
  SELECT hour, iif(place <= ${TYPES_PER_HOUR}, type, '') AS type, sum(events) AS events, sum(owed) AS owed FROM (
    SELECT hour, type, sum(events) AS events, sum(owed) AS owed, row_number() OVER (PARTITION BY hour ORDER BY sum(events) DESC, type) AS place
    FROM (${COUNTED('workspace.recent_events')} UNION ALL ${COUNTED('?3')}) GROUP BY hour, type) GROUP BY 1, 2) n))`

/** An event as a sweep counts it. */
type CountedEvent = { acceptedAtMs: number; type: string; matched: number; isTest: boolean }

/** Adds events up by hour and type, as the list [hour, type, events, deliveries owed]; tests are left out. */
export function countByType(events: readonly CountedEvent[]): [number, string, number, number][] {
  const counts = new Map<string, [number, string, number, number]>()
  for (const { acceptedAtMs, type, matched, isTest } of events) {
    if (isTest) continue
    const hour = hourOf(acceptedAtMs)
    const key = `${hour}/${type}`
    const [, , count, owed] = counts.get(key) ?? [hour, type, 0, 0]
    counts.set(key, [hour, type, count + 1, owed + matched])
  }
  return [...counts.values()]
}

const ROLL_OUT = `INSERT INTO event_statistic (workspace_no, hour, type, events, owed)
SELECT w.no, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3 FROM workspace w, json_each(w.recent_events) r
WHERE w.no = ?1 AND r.value ->> 0 < ?2
ON CONFLICT (workspace_no, hour, type) DO UPDATE SET events = events + excluded.events, owed = owed + excluded.owed`
const HAS_OLD = `EXISTS (SELECT 1 FROM json_each(workspace.recent_events) r WHERE r.value ->> 0 < ?2)`
const DROP_OLD = `UPDATE workspace SET recent_events = (SELECT json_group_array(json(r.value)) FROM json_each(workspace.recent_events) r WHERE r.value ->> 0 >= ?2)
WHERE no = ?1 AND ${HAS_OLD}`

/** The statements that give hours below one rows of their own: of a workspace with events once an hour, else none. */
export function rollOutEventCounts(
  db: D1Database,
  workspaceNo: number,
  belowHour: number,
): D1PreparedStatement[] {
  return [ROLL_OUT, DROP_OLD].map((sql) => db.prepare(sql).bind(workspaceNo, belowHour))
}

/** Events above the watermark that are counted: more are there only while a sweep is far behind. */
const UNSWEPT_MAX = 20_000

const READ = `SELECT x.hour - x.hour % ?3 AS hour, x.type, sum(x.events) AS events, sum(x.owed) AS owed FROM (
  SELECT t.hour, t.type, t.events, t.owed FROM event_statistic t WHERE t.workspace_no = ?1 AND t.hour >= ?2
  UNION ALL
  SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3 FROM workspace w, json_each(w.recent_events) r WHERE w.no = ?1 AND r.value ->> 0 >= ?2
  UNION ALL
  SELECT e.accepted_at_ms / ${HOUR_MS}, e.type, 1, ${MATCHED} FROM (
    SELECT e.accepted_at_ms, e.type, e.fanout FROM workspace w CROSS JOIN event e
      ON e.pk > (?1 << ${SEQ_BITS}) | w.swept_seq AND e.pk <= (?1 << ${SEQ_BITS}) | ${SEQ_MAX}
    WHERE w.no = ?1 AND e.is_test <> ${ORIGIN.test} AND e.accepted_at_ms >= ?2 * ${HOUR_MS} LIMIT ${UNSWEPT_MAX}) e
) x GROUP BY 1, 2`

/** Events of one step of time and one type, and the deliveries that they were owed to. */
export type EventCount = { hour: number; type: string; events: number; owed: number }

/** Reads the events of a workspace since an hour, by steps of so many hours and by type; the newest are counted anew. */
export async function readEventCounts(
  db: D1Database,
  workspaceNo: number,
  { fromHour, stepHours }: { fromHour: number; stepHours: number },
): Promise<EventCount[]> {
  const { results } = await db.prepare(READ).bind(workspaceNo, fromHour, stepHours).all<EventCount>()
  return results
}

const DAY_HOURS = 24
const OLD = 'FROM event_statistic WHERE workspace_no = ?1 AND hour < ?2 AND hour % 24 <> 0'

/** Rolls hours below one up into the first hour of their day, and removes those below another. */
export function rollUpEventCounts(
  db: D1Database,
  workspaceNo: number,
  { daysBelowHour, removedBelowHour }: { daysBelowHour: number; removedBelowHour: number },
): D1PreparedStatement[] {
  const bound = [workspaceNo, daysBelowHour - (daysBelowHour % DAY_HOURS)] as const
  return [
    db
      .prepare(
        `INSERT INTO event_statistic (workspace_no, hour, type, events, owed)
         SELECT workspace_no, hour - hour % ${DAY_HOURS}, type, sum(events), sum(owed) ${OLD} GROUP BY 1, 2, 3
         ON CONFLICT (workspace_no, hour, type) DO UPDATE SET events = events + excluded.events, owed = owed + excluded.owed`,
      )
      .bind(...bound),
    db.prepare(`DELETE ${OLD}`).bind(...bound),
    db
      .prepare('DELETE FROM event_statistic WHERE workspace_no = ?1 AND hour < ?2')
      .bind(workspaceNo, removedBelowHour),
  ]
}

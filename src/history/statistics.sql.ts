import { addCounters, type Counters, emptyCounters, LATENCY_BUCKETS } from './counters.ts'

const COUNTERS = ['delivered', 'failed', 'attempts', 'latency_sum_ms'] as const

/** Columns of the latency histogram, one for each bucket. */
export const LATENCY_COLUMNS: readonly string[] = Array.from(
  { length: LATENCY_BUCKETS },
  (_, i) => `latency_${String(i).padStart(2, '0')}`,
)

/** Columns of `statistic` in the order in which a settled claim lists them after subscription and hour. */
export const STATISTIC_COLUMNS: readonly string[] = [...COUNTERS, 'last_delivery_at_ms', ...LATENCY_COLUMNS]

const ROLL_UP_VALUES = STATISTIC_COLUMNS.map(
  (name, i) => `${name === 'last_delivery_at_ms' ? 'max' : 'sum'}(s.value ->> ${i + 2})`,
).join(', ')

const ROLL_UP_UPDATES = STATISTIC_COLUMNS.map((name) =>
  name === 'last_delivery_at_ms'
    ? `${name} = max(${name}, excluded.${name})`
    : `${name} = ${name} + excluded.${name}`,
).join(', ')

/** Counters of one subscription and hour (hours since 1970, UTC). */
export type HourCounters = { subscriptionNo: number; hour: number; counters: Counters }

const ROLLED_UP = `SELECT subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')} FROM statistic WHERE subscription_no IN (SELECT value FROM json_each(?1))`
const NOT_ROLLED_UP = `SELECT s.value AS row FROM claim c, json_each(c.settled) s WHERE s.value ->> 0 IN (SELECT value FROM json_each(?1))`

/** Counters by hour, with what the sweeper has not yet folded, so that they are never out of date. */
export async function hourlyCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
): Promise<HourCounters[]> {
  if (subscriptionNos.length === 0) return []
  const list = JSON.stringify(subscriptionNos)
  const [folded, unfolded] = await db.batch([
    db.prepare(ROLLED_UP).bind(list),
    db.prepare(NOT_ROLLED_UP).bind(list),
  ])
  const rows = [
    ...((folded?.results ?? []) as Record<string, number>[]).map((row) => [
      row['subscription_no'] ?? 0,
      row['hour'] ?? 0,
      ...STATISTIC_COLUMNS.map((name) => row[name] ?? 0),
    ]),
    ...((unfolded?.results ?? []) as { row: string }[]).map(({ row }) => JSON.parse(row) as number[]),
  ]
  const byHour = new Map<string, HourCounters>()
  for (const row of rows) {
    const [subscriptionNo = 0, hour = 0] = row
    const key = `${subscriptionNo}/${hour}`
    const before = byHour.get(key)?.counters ?? emptyCounters()
    byHour.set(key, { subscriptionNo, hour, counters: addCounters(before, toCounters(row)) })
  }
  return [...byHour.values()].sort((a, b) => a.hour - b.hour)
}

/** A settled claim's list: subscription, hour, then `STATISTIC_COLUMNS`. */
function toCounters(row: readonly number[]): Counters {
  return {
    delivered: row[2] ?? 0,
    failed: row[3] ?? 0,
    attempts: row[4] ?? 0,
    latencySumMs: row[5] ?? 0,
    lastDeliveryAtMs: row[6] ?? 0,
    histogram: Array.from({ length: LATENCY_BUCKETS }, (_, i) => row[7 + i] ?? 0),
  }
}

/** Counters over all hours, by subscription. */
export async function totalCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
): Promise<Map<number, Counters>> {
  const totals = new Map<number, Counters>()
  for (const { subscriptionNo, counters } of await hourlyCounters(db, subscriptionNos)) {
    totals.set(subscriptionNo, addCounters(totals.get(subscriptionNo) ?? emptyCounters(), counters))
  }
  return totals
}

const ENDED = 'SELECT id FROM claim WHERE live = 0 ORDER BY id LIMIT ?1'

/** Adds the statistics of ended claims to the counters and drops the claims, in one transaction. Answers how many. */
export async function rollUpStatistics(db: D1Database, limit: number): Promise<number> {
  const [, dropped] = await db.batch([
    db
      .prepare(
        `INSERT INTO statistic (subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')})
         SELECT s.value ->> 0, s.value ->> 1, ${ROLL_UP_VALUES} FROM claim c, json_each(c.settled) s
         WHERE c.id IN (${ENDED}) GROUP BY 1, 2
         ON CONFLICT (subscription_no, hour) DO UPDATE SET ${ROLL_UP_UPDATES}`,
      )
      .bind(limit),
    db.prepare(`DELETE FROM claim WHERE id IN (${ENDED}) RETURNING id`).bind(limit),
  ])
  return dropped?.results.length ?? 0
}

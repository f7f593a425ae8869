import { STATISTIC_COLUMNS } from '../operate/sweep.sql.ts'
import { addCounters, type Counters, emptyCounters, LATENCY_BUCKETS } from './counters.ts'

/** Counters of one subscription and hour (hours since 1970, UTC). */
export type HourCounters = { subscriptionNo: number; hour: number; counters: Counters }

const FOLDED = `SELECT subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')} FROM statistic WHERE subscription_no IN (SELECT value FROM json_each(?1))`
const UNFOLDED = `SELECT s.value AS row FROM claim c, json_each(c.settled) s WHERE s.value ->> 0 IN (SELECT value FROM json_each(?1))`

/** Counters by hour, with what the sweeper has not yet folded, so that they are never out of date. */
export async function hourlyCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
): Promise<HourCounters[]> {
  if (subscriptionNos.length === 0) return []
  const list = JSON.stringify(subscriptionNos)
  const [folded, unfolded] = await db.batch([db.prepare(FOLDED).bind(list), db.prepare(UNFOLDED).bind(list)])
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

import { addCounters, type Counters, emptyCounters, LATENCY_BUCKETS } from './counters.ts'

const COUNTERS = ['delivered', 'failed', 'attempts', 'latency_sum_ms'] as const

/** Columns of the latency histogram, one for each bucket. */
export const LATENCY_COLUMNS: readonly string[] = Array.from(
  { length: LATENCY_BUCKETS },
  (_, i) => `latency_${String(i).padStart(2, '0')}`,
)

/** Columns of `statistic` in the order of a settled claim's list, after subscription and hour. */
export const STATISTIC_COLUMNS: readonly string[] = [...COUNTERS, 'last_delivery_at_ms', ...LATENCY_COLUMNS]

/** SQL that adds rows up, column by column; `inRow` gives a column's value in a row. */
export function summed(inRow: (column: string, i: number) => string): string {
  return STATISTIC_COLUMNS.map((name, i) => `${isTime(name) ? 'max' : 'sum'}(${inRow(name, i)})`).join(', ')
}

/** SQL that adds a row to the one that is there in a table. */
export function addedIn(table: string): string {
  return STATISTIC_COLUMNS.map((name) => {
    const [old, more] = [`${table}.${name}`, `excluded.${name}`]
    return `${name} = ${isTime(name) ? `max(${old}, ${more})` : `${old} + ${more}`}`
  }).join(', ')
}

function isTime(column: string): boolean {
  return column === 'last_delivery_at_ms'
}

const ADDED = addedIn('statistic')

/** Counters of one subscription and hour (hours since 1970, UTC). */
type HourCounters = { subscriptionNo: number; hour: number; counters: Counters }

const READ_ROLLED_UP = `SELECT subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')} FROM statistic WHERE subscription_no IN (SELECT value FROM json_each(?1))`
/** Reads the lists of claims that are not rolled up yet. */
export const READ_IN_CLAIMS = `SELECT s.value AS row FROM claim k, json_each(k.settled) s WHERE s.value ->> 0 IN (SELECT value FROM json_each(?1))`

/**
 * Reads counters by hour, those of claims that are not rolled up yet included: never out of date.
 */
export async function hourlyCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
): Promise<HourCounters[]> {
  if (subscriptionNos.length === 0) return []
  const list = JSON.stringify(subscriptionNos)
  const [rolledUp, inClaims] = await db.batch([
    db.prepare(READ_ROLLED_UP).bind(list),
    db.prepare(READ_IN_CLAIMS).bind(list),
  ])
  const rows = [
    ...((rolledUp?.results ?? []) as Record<string, number>[]).map((row) => [
      row['subscription_no'] ?? 0,
      row['hour'] ?? 0,
      ...STATISTIC_COLUMNS.map((name) => row[name] ?? 0),
    ]),
    ...((inClaims?.results ?? []) as { row: string }[]).map(({ row }) => JSON.parse(row) as number[]),
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

/** Reads a settled claim's list: subscription, hour, then `STATISTIC_COLUMNS`. */
export function toCounters(row: readonly number[]): Counters {
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

/**
 * Rolls the statistics of ended claims up and drops the claims, in one transaction. Returns their
 * number.
 */
export async function rollUpStatistics(db: D1Database, limit: number): Promise<number> {
  const [, dropped] = await db.batch([
    db
      .prepare(
        `INSERT INTO statistic (subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')})
         SELECT s.value ->> 0, s.value ->> 1, ${summed((_, i) => `s.value ->> ${i + 2}`)} FROM claim c, json_each(c.settled) s
         WHERE c.id IN (${ENDED}) GROUP BY 1, 2
         ON CONFLICT (subscription_no, hour) DO UPDATE SET ${ADDED}`,
      )
      .bind(limit),
    db.prepare(`DELETE FROM claim WHERE id IN (${ENDED}) RETURNING id`).bind(limit),
  ])
  return dropped?.results.length ?? 0
}

/** The hour of a row that sums up old hours: totals count it, and time series begin later. */
const OLD_HOURS_AT = 0
const OLD_HOURS = `FROM statistic WHERE subscription_no IN (SELECT value FROM json_each(?1)) AND hour > ${OLD_HOURS_AT} AND hour < ?2`

/** Rolls hours below a number up into one row of each subscription. Returns the number of hours. */
export async function rollUpHours(
  db: D1Database,
  subscriptionNos: readonly number[],
  firstHourKept: number,
): Promise<number> {
  const bound = [JSON.stringify(subscriptionNos), firstHourKept] as const
  const [, removed] = await db.batch([
    db
      .prepare(
        `INSERT INTO statistic (subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')})
         SELECT subscription_no, ${OLD_HOURS_AT}, ${summed((name) => name)} ${OLD_HOURS} GROUP BY subscription_no
         ON CONFLICT (subscription_no, hour) DO UPDATE SET ${ADDED}`,
      )
      .bind(...bound),
    db.prepare(`DELETE ${OLD_HOURS} RETURNING 1`).bind(...bound),
  ])
  return removed?.results.length ?? 0
}

const DAY_HOURS = 24
const WHOLE_HOURS = `FROM statistic WHERE subscription_no IN (SELECT value FROM json_each(?1)) AND hour > ${OLD_HOURS_AT} AND hour < ?2 AND hour % ${DAY_HOURS} <> 0`

/** Rolls hours below a number up into the first hour of their day. Returns the number of hours. */
export async function rollUpDays(
  db: D1Database,
  subscriptionNos: readonly number[],
  belowHour: number,
): Promise<number> {
  const bound = [JSON.stringify(subscriptionNos), belowHour - (belowHour % DAY_HOURS)] as const
  const [, removed] = await db.batch([
    db
      .prepare(
        `INSERT INTO statistic (subscription_no, hour, ${STATISTIC_COLUMNS.join(', ')})
         SELECT subscription_no, hour - hour % ${DAY_HOURS}, ${summed((name) => name)} ${WHOLE_HOURS} GROUP BY 1, 2
         ON CONFLICT (subscription_no, hour) DO UPDATE SET ${ADDED}`,
      )
      .bind(...bound),
    db.prepare(`DELETE ${WHOLE_HOURS} RETURNING 1`).bind(...bound),
  ])
  return removed?.results.length ?? 0
}

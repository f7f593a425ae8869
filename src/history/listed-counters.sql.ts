import { addCounters, type Counters, emptyCounters } from './counters.ts'
import { READ_IN_CLAIMS, toCounters } from './statistics.sql.ts'

/** What a list says of a subscription: how all its deliveries ended, and those of each hour of late. */
export type ListedCounters = { total: Counters; hours: { hour: number; counters: Counters }[] }

const OF_LISTED = 'FROM json_each(?1) s CROSS JOIN statistic t ON t.subscription_no = s.value'
const TOTALS = `SELECT json_array(t.subscription_no, 0, sum(t.delivered), sum(t.failed), 0, 0, max(t.last_delivery_at_ms)) AS row
${OF_LISTED} GROUP BY t.subscription_no`
const HOURS = `SELECT json_array(t.subscription_no, t.hour, t.delivered, t.failed) AS row ${OF_LISTED} AND t.hour >= ?2`

type Row = { row: string }

/** Reads the counters of a page of subscriptions, without their latencies; single hours from one on. */
export async function readListedCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
  fromHour: number,
): Promise<Map<number, ListedCounters>> {
  const found = new Map<number, ListedCounters>()
  if (subscriptionNos.length === 0) return found
  const list = JSON.stringify(subscriptionNos)
  const [totals, hours, claims] = await db.batch<Row>([
    db.prepare(TOTALS).bind(list),
    db.prepare(HOURS).bind(list, fromHour),
    db.prepare(READ_IN_CLAIMS).bind(list),
  ])
  for (const no of subscriptionNos) found.set(no, { total: emptyCounters(), hours: [] })
  for (const { no, counters } of rowsOf(totals)) addTotal(found.get(no), counters)
  for (const { no, hour, counters } of rowsOf(hours)) addHour(found.get(no), hour, counters)
  for (const { no, hour, counters } of rowsOf(claims)) {
    addTotal(found.get(no), counters)
    if (hour >= fromHour) addHour(found.get(no), hour, counters)
  }
  return found
}

function addTotal(listed: ListedCounters | undefined, counters: Counters): void {
  if (listed !== undefined) listed.total = addCounters(listed.total, counters)
}

function addHour(listed: ListedCounters | undefined, hour: number, counters: Counters): void {
  const before = listed?.hours.find((each) => each.hour === hour)
  if (before === undefined) listed?.hours.push({ hour, counters })
  else before.counters = addCounters(before.counters, counters)
}

function rowsOf(result: D1Result<Row> | undefined): { no: number; hour: number; counters: Counters }[] {
  return (result?.results ?? []).map(({ row }) => {
    const list = JSON.parse(row) as number[]
    return { no: list[0] ?? 0, hour: list[1] ?? 0, counters: toCounters(list) }
  })
}

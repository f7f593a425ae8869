import { addCounters, type Counters, emptyCounters } from '../counters.ts'
import { summed, toCounters } from '../statistics.sql.ts'

/** Counters of some subscriptions since an hour, added up by time and by subscription. */
export type WindowCounters = {
  /** By the first hour of each step. */
  bySteps: Map<number, Counters>
  bySubscription: Map<number, Counters>
}

/** The hours that are counted, from `fromHour` on, in steps of so many. */
export type CountedWindow = { fromHour: number; stepHours: number }

const FROM = `FROM json_each(?1) s CROSS JOIN statistic t ON t.subscription_no = s.value AND t.hour >= ?2`
const SUMS = summed((name) => `t.${name}`)
const BY_STEP = `SELECT json_array(0, t.hour - t.hour % ?3, ${SUMS}) AS row ${FROM} GROUP BY t.hour - t.hour % ?3`
const BY_SUBSCRIPTION = `SELECT json_array(t.subscription_no, 0, ${SUMS}) AS row ${FROM} GROUP BY t.subscription_no`
const IN_CLAIMS = `SELECT c.value AS row FROM claim k, json_each(k.settled) c
WHERE c.value ->> 0 IN (SELECT value FROM json_each(?1)) AND c.value ->> 1 >= ?2`

type Row = { row: string }

/** Reads counters of a window, those of claims that are not rolled up yet included. */
export async function readWindowCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
  { fromHour, stepHours }: CountedWindow,
): Promise<WindowCounters> {
  const list = JSON.stringify(subscriptionNos)
  const [steps, subscriptions, claims] = await db.batch<Row>([
    db.prepare(BY_STEP).bind(list, fromHour, stepHours),
    db.prepare(BY_SUBSCRIPTION).bind(list, fromHour),
    db.prepare(IN_CLAIMS).bind(list, fromHour),
  ])
  const found: WindowCounters = { bySteps: new Map(), bySubscription: new Map() }
  for (const [, hour, counters] of rowsOf(steps)) add(found.bySteps, hour, counters)
  for (const [no, , counters] of rowsOf(subscriptions)) add(found.bySubscription, no, counters)
  for (const [no, hour, counters] of rowsOf(claims)) {
    add(found.bySteps, hour - (hour % stepHours), counters)
    add(found.bySubscription, no, counters)
  }
  return found
}

/** Lists of subscription, hour, then counters, as claims keep them too. */
function rowsOf(result: D1Result<Row> | undefined): [no: number, hour: number, counters: Counters][] {
  return (result?.results ?? []).map(({ row }) => {
    const list = JSON.parse(row) as number[]
    return [list[0] ?? 0, list[1] ?? 0, toCounters(list)]
  })
}

function add(sums: Map<number, Counters>, key: number, counters: Counters): void {
  sums.set(key, addCounters(sums.get(key) ?? emptyCounters(), counters))
}

import { addCounters, type Counters, emptyCounters } from '../counters.ts'
import { READ_IN_CLAIMS, summed, toCounters } from '../statistics.sql.ts'

/** The hours that are counted, from `fromHour` on, in steps of so many. */
export type CountedWindow = { fromHour: number; stepHours: number }

/** How the deliveries of a subscription ended. */
export type Outcomes = { delivered: number; failed: number }

/** Counters of a window by the first hour of each step, and how the deliveries of each subscription ended. */
export type WindowCounters = { bySteps: Map<number, Counters>; outcomes: Map<number, Outcomes> }

const SUMS = summed((name) => `t.${name}`)
const OF_LISTED = 'FROM json_each(?1) s CROSS JOIN statistic t ON t.subscription_no = s.value'
/** Hours up to this one are in the workspace's own rows. */
const ROLLED_UP = '(SELECT coalesce(max(r.hour), 0) FROM workspace_statistic r WHERE r.workspace_no = ?4)'
const STEP = 't.hour - t.hour % ?3'
const OLD_STEPS = `SELECT json_array(0, ${STEP}, ${SUMS}) AS row FROM workspace_statistic t
WHERE t.workspace_no = ?1 AND t.hour >= ?2 GROUP BY ${STEP}`
const NEW_STEPS = `SELECT json_array(0, ${STEP}, ${SUMS}) AS row ${OF_LISTED} AND t.hour >= max(?2, 1 + ${ROLLED_UP})
GROUP BY ${STEP}`
const OUTCOMES = `SELECT json_array(t.subscription_no, 0, sum(t.delivered), sum(t.failed)) AS row
${OF_LISTED} AND t.hour >= ?2 GROUP BY t.subscription_no`
const IN_CLAIMS = `${READ_IN_CLAIMS} AND s.value ->> 1 >= ?2`

type Row = { row: string }

/** A workspace's number that no workspace has: of some of its subscriptions there are no rows but their own. */
const NONE = 0

/**
 * Reads counters of a window, those of claims that are not rolled up yet included. `workspaceNo` is given where the
 * subscriptions are all of a workspace: its older hours are then read from its own rows.
 */
export async function readWindowCounters(
  db: D1Database,
  { subscriptionNos, workspaceNo }: { subscriptionNos: readonly number[]; workspaceNo: number | null },
  { fromHour, stepHours }: CountedWindow,
): Promise<WindowCounters> {
  const list = JSON.stringify(subscriptionNos)
  const no = workspaceNo ?? NONE
  const [old, recent, ended, claims] = await db.batch<Row>([
    db.prepare(OLD_STEPS).bind(no, fromHour, stepHours),
    db.prepare(NEW_STEPS).bind(list, fromHour, stepHours, no),
    db.prepare(OUTCOMES).bind(list, fromHour),
    db.prepare(IN_CLAIMS).bind(list, fromHour),
  ])
  const found: WindowCounters = { bySteps: new Map(), outcomes: new Map() }
  for (const [, hour, counters] of [...rowsOf(old), ...rowsOf(recent)]) add(found.bySteps, hour, counters)
  for (const [subscriptionNo, , counters] of rowsOf(ended)) count(found.outcomes, subscriptionNo, counters)
  for (const [subscriptionNo, hour, counters] of rowsOf(claims)) {
    add(found.bySteps, hour - (hour % stepHours), counters)
    count(found.outcomes, subscriptionNo, counters)
  }
  return found
}

/** Reads how the deliveries of some subscriptions ended since an hour. */
export async function readOutcomes(
  db: D1Database,
  subscriptionNos: readonly number[],
  fromHour: number,
): Promise<Map<number, Outcomes>> {
  const list = JSON.stringify(subscriptionNos)
  const results = await db.batch<Row>([
    db.prepare(OUTCOMES).bind(list, fromHour),
    db.prepare(IN_CLAIMS).bind(list, fromHour),
  ])
  const found = new Map<number, Outcomes>()
  for (const [no, , counters] of results.flatMap(rowsOf)) count(found, no, counters)
  return found
}

const BY_SUBSCRIPTION = `SELECT json_array(t.subscription_no, 0, ${SUMS}) AS row ${OF_LISTED} AND t.hour >= ?2 GROUP BY t.subscription_no`

/** Reads all counters of a few subscriptions since an hour. */
export async function readSubscriptionCounters(
  db: D1Database,
  subscriptionNos: readonly number[],
  fromHour: number,
): Promise<Map<number, Counters>> {
  const list = JSON.stringify(subscriptionNos)
  const [rolledUp, claims] = await db.batch<Row>([
    db.prepare(BY_SUBSCRIPTION).bind(list, fromHour),
    db.prepare(IN_CLAIMS).bind(list, fromHour),
  ])
  const found = new Map<number, Counters>()
  for (const [no, , counters] of [...rowsOf(rolledUp), ...rowsOf(claims)]) add(found, no, counters)
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

function count(sums: Map<number, Outcomes>, key: number, { delivered, failed }: Outcomes): void {
  const before = sums.get(key) ?? { delivered: 0, failed: 0 }
  sums.set(key, { delivered: before.delivered + delivered, failed: before.failed + failed })
}

import { hourOf } from '../../base/time.ts'
import { type EventCount, readEventCounts } from '../../store/event-counts.sql.ts'
import { addCounters, type Counters, emptyCounters } from '../counters.ts'
import {
  type CountedWindow,
  type Outcomes,
  readSubscriptionCounters,
  readWindowCounters,
} from './counters.sql.ts'

/** Windows by the names that callers know: hours that they reach back, and those of one step of their series. */
export const WINDOWS = {
  '1h': { hours: 1, stepHours: 1 },
  '24h': { hours: 24, stepHours: 1 },
  '7d': { hours: 7 * 24, stepHours: 1 },
  '90d': { hours: 90 * 24, stepHours: 24 },
} as const
export type WindowName = keyof typeof WINDOWS

/** Subscriptions and types that are listed. */
export const LISTED_MAX = 100

/** One step of a series. */
export type Step = { hour: number; events: number; counters: Counters }

/** The figures of a workspace, or of some of its subscriptions, in a window. */
export type WorkspaceFigures = {
  fromHour: number
  stepHours: number
  events: number
  counters: Counters
  steps: Step[]
  /** Subscriptions with the most failures, then those with the most deliveries. */
  bySubscription: Map<number, Counters>
  /** Events of each type, and deliveries that they were owed to; those with the most events first. */
  byType: { type: string; events: number; owed: number }[]
}

/** The parts of a workspace that are counted; `withEvents` is false where only some of its subscriptions are. */
export type Counted = { workspaceNo: number; subscriptionNos: readonly number[]; withEvents: boolean }

/** The first hour of a window: the hour in which it begins is counted whole. */
export function countedWindow(name: WindowName, stepHours: number, nowMs: number): CountedWindow {
  const fromHour = hourOf(nowMs) - WINDOWS[name].hours
  return { fromHour: fromHour - (fromHour % stepHours), stepHours }
}

/** Reads the figures of a window, in seven statements whatever its length. */
export async function workspaceFigures(
  db: D1Database,
  { workspaceNo, subscriptionNos, withEvents }: Counted,
  window: CountedWindow,
): Promise<WorkspaceFigures> {
  const of = { subscriptionNos, workspaceNo: withEvents ? workspaceNo : null }
  const [{ bySteps, outcomes }, counts] = await Promise.all([
    readWindowCounters(db, of, window),
    withEvents ? readEventCounts(db, workspaceNo, window) : [],
  ])
  const listed = listedNos(outcomes)
  const counters = await readSubscriptionCounters(db, listed, window.fromHour)
  return {
    ...window,
    events: counts.reduce((sum, { events }) => sum + events, 0),
    counters: [...bySteps.values()].reduce(addCounters, emptyCounters()),
    steps: stepsOf(bySteps, counts),
    bySubscription: new Map(listed.map((no) => [no, counters.get(no) ?? emptyCounters()])),
    byType: typesOf(counts),
  }
}

/** The subscriptions of which all counters are read. */
function listedNos(outcomes: ReadonlyMap<number, Outcomes>): number[] {
  return [...outcomes]
    .sort(([a, one], [b, other]) => other.failed - one.failed || other.delivered - one.delivered || a - b)
    .slice(0, LISTED_MAX)
    .map(([no]) => no)
}

function stepsOf(bySteps: ReadonlyMap<number, Counters>, counts: readonly EventCount[]): Step[] {
  const events = new Map<number, number>()
  for (const { hour, events: more } of counts) events.set(hour, (events.get(hour) ?? 0) + more)
  const hours = [...new Set([...bySteps.keys(), ...events.keys()])].sort((a, b) => a - b)
  return hours.map((hour) => ({
    hour,
    events: events.get(hour) ?? 0,
    counters: bySteps.get(hour) ?? emptyCounters(),
  }))
}

function typesOf(counts: readonly EventCount[]): WorkspaceFigures['byType'] {
  const byType = new Map<string, { type: string; events: number; owed: number }>()
  for (const { type, events, owed } of counts) {
    const sum = byType.get(type) ?? { type, events: 0, owed: 0 }
    byType.set(type, { type, events: sum.events + events, owed: sum.owed + owed })
  }
  return [...byType.values()].sort((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1))
}

import { DAY_MS, hourOf } from '../base/time.ts'

/**
 * The retention of a workspace's history: a number of days, and a size that its events may take.
 * Events leave in the order of their sequence numbers.
 */

/**
 * Time for which an outstanding delivery keeps its event, from when it could first be made: the
 * default schedule's retries end before. Past it, and past the retention, it ends as `skipped:
 * expired`.
 */
export const OUTSTANDING_KEPT_MS = 7 * DAY_MS
/**
 * Younger events are not purged for their size: a consumer may be about to record their outcome.
 */
export const SIZE_AGE_MIN_MS = 900_000
/** Time for which events of a restored archive stay. */
export const RESTORED_KEPT_MS = 30 * DAY_MS
/** Series by hour show seven days: these hours are kept, however short the retention. */
const STATISTIC_DAYS_MIN = 8

/** A workspace's choice; `retentionBytes` null: no limit of size. */
type RetentionChoice = { retentionDays: number; retentionBytes: number | null }

/**
 * Events that may go: accepted before a time; or the oldest bytes above the size, but no young
 * ones.
 */
export type Retention = { acceptedBeforeMs: number; excessBytes: number; sizeBeforeMs: number }

/** Resolves a workspace's choice at a time at which its events take `storedBytes`. */
export function retentionOf(choice: RetentionChoice, storedBytes: number, nowMs: number): Retention {
  const { retentionDays, retentionBytes } = choice
  return {
    acceptedBeforeMs: nowMs - retentionDays * DAY_MS,
    excessBytes: retentionBytes === null ? 0 : Math.max(0, storedBytes - retentionBytes),
    sizeBeforeMs: nowMs - SIZE_AGE_MIN_MS,
  }
}

/** The first hour (since 1970, UTC) that is not rolled up into one row of statistics. */
export function firstHourKept({ retentionDays }: RetentionChoice, nowMs: number): number {
  return hourOf(nowMs - Math.max(retentionDays, STATISTIC_DAYS_MIN) * DAY_MS)
}

/** The first hour that is not added up with the others of its day. */
export function firstHourKeptApart(nowMs: number): number {
  return hourOf(nowMs - STATISTIC_DAYS_MIN * DAY_MS)
}

/** An event that may go; `owed` counts the subscriptions it was matched to. */
export type AgedEvent = {
  seq: number
  acceptedAtMs: number
  deliverAtMs: number | null
  ownId: string | null
  bodyKey: string | null
  /** The target of a dispatched event; empty for others. */
  targets: readonly number[]
  owed: number
  bytes: number
}

/** A delivery of such an event; `endedEarly` if a purge, or its own expiry, has ended it. */
export type AgedDelivery = {
  subscriptionNo: number
  seq: number
  outstanding: boolean
  endedEarly: boolean
  attempts: number
  kept: boolean
  keptKey: string | null
}

/** Bounds of one step: while it runs, D1 answers nothing else. */
export type StepBounds = { rowsMax: number; bytesMax: number }

/** The first events that may go in one step, at least one if any may. */
export function chooseEvents(
  events: readonly AgedEvent[],
  retention: Retention,
  { rowsMax, bytesMax }: StepBounds,
): AgedEvent[] {
  let rows = 0
  let bytes = 0
  for (const [i, event] of events.entries()) {
    if (!mayGo(event, retention, bytes)) return events.slice(0, i)
    rows += 1 + event.owed
    bytes += event.bytes
    if (i > 0 && (rows > rowsMax || bytes > bytesMax)) return events.slice(0, i)
  }
  return [...events]
}

function mayGo({ acceptedAtMs }: AgedEvent, retention: Retention, bytesBefore: number): boolean {
  const isOld = acceptedAtMs < retention.acceptedBeforeMs
  return isOld || (bytesBefore < retention.excessBytes && acceptedAtMs < retention.sizeBeforeMs)
}

/**
 * The events that go, those held by an outstanding delivery, and deliveries that end before they
 * go.
 */
type PurgePlan = { go: AgedEvent[]; held: Set<number>; expire: AgedDelivery[] }

/** Decides about chosen events and all their deliveries. */
export function planPurge(
  events: readonly AgedEvent[],
  deliveries: readonly AgedDelivery[],
  nowMs: number,
): PurgePlan {
  const outstanding = deliveries.filter((delivery) => delivery.outstanding)
  const waiting = new Set(outstanding.map(({ seq }) => seq))
  const held = new Set(
    events.filter((event) => waiting.has(event.seq) && nowMs < keptUntilMs(event)).map(({ seq }) => seq),
  )
  return {
    go: events.filter(({ seq }) => !held.has(seq)),
    held,
    expire: outstanding.filter(({ seq }) => !held.has(seq)),
  }
}

function keptUntilMs({ acceptedAtMs, deliverAtMs }: AgedEvent): number {
  return Math.max(acceptedAtMs, deliverAtMs ?? 0) + OUTSTANDING_KEPT_MS
}

/** The number up to which no event is left after a step: below the first that is held. */
export function watermarkAfter(events: readonly AgedEvent[], held: ReadonlySet<number>): number | null {
  const first = events.find(({ seq }) => held.has(seq))
  return first === undefined ? (events.at(-1)?.seq ?? null) : first.seq - 1
}

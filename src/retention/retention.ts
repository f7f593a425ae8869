import { DAY_MS, hourOf } from '../base/time.ts'
/**
 * What of a workspace's history is kept. Seed 004 asks for 90 days; a workspace may choose another time, and a size that
 * its events may take. Events leave in the order of their sequence numbers.
 */

/**
 * How long an outstanding delivery keeps its event, counted from when it could first be made, however short the
 * retention: the default schedule's retries end after three days and a half. Past this, and past the retention, the
 * delivery ends as `skipped: expired`.
 */
export const OUTSTANDING_KEPT_MS = 7 * DAY_MS
/** Events younger than this are not purged for their size: a consumer may be about to record what came of them. */
export const SIZE_AGE_MIN_MS = 900_000
/** How long events of a restored archive stay. */
export const RESTORED_KEPT_MS = 30 * DAY_MS
/** The time series of the statistics shows seven days: their hours are kept, however short the retention. */
const STATISTIC_DAYS_MIN = 8

/** A workspace's choice; `retentionBytes` null: no limit of size. */
export type RetentionChoice = { retentionDays: number; retentionBytes: number | null }

/** What may go now: events accepted before a time; and for their size so many bytes of the oldest, but no younger ones. */
export type Retention = { acceptedBeforeMs: number; excessBytes: number; sizeBeforeMs: number }

/** What a workspace's choice comes to at a time, where its events take `storedBytes`. */
export function retentionOf(choice: RetentionChoice, storedBytes: number, nowMs: number): Retention {
  const { retentionDays, retentionBytes } = choice
  return {
    acceptedBeforeMs: nowMs - retentionDays * DAY_MS,
    excessBytes: retentionBytes === null ? 0 : Math.max(0, storedBytes - retentionBytes),
    sizeBeforeMs: nowMs - SIZE_AGE_MIN_MS,
  }
}

/** Hours (since 1970, UTC) below this are folded into one row of statistics. */
export function firstHourKept({ retentionDays }: RetentionChoice, nowMs: number): number {
  return hourOf(nowMs - Math.max(retentionDays, STATISTIC_DAYS_MIN) * DAY_MS)
}

/** An event that may go. `bytes` is what it counts for, `owed` how many subscriptions it was matched to. */
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

/** A delivery of such an event. `endedEarly`: a purge, or its own expiry, has ended it. */
export type AgedDelivery = {
  subscriptionNo: number
  seq: number
  outstanding: boolean
  endedEarly: boolean
  attempts: number
  kept: boolean
  keptKey: string | null
}

/** Bounds of one step: while it runs, D1 answers nobody else. */
export type StepBounds = { rowsMax: number; bytesMax: number }

/** The first events of a list that may go in one step, at least one if any; `ended`: the next one may not go at all. */
export function chooseEvents(
  events: readonly AgedEvent[],
  retention: Retention,
  { rowsMax, bytesMax }: StepBounds,
): { chosen: AgedEvent[]; ended: boolean } {
  let rows = 0
  let bytes = 0
  for (const [i, event] of events.entries()) {
    if (!mayGo(event, retention, bytes)) return { chosen: events.slice(0, i), ended: true }
    rows += 1 + event.owed
    bytes += event.bytes
    if (i > 0 && (rows > rowsMax || bytes > bytesMax)) return { chosen: events.slice(0, i), ended: false }
  }
  return { chosen: [...events], ended: false }
}

function mayGo({ acceptedAtMs }: AgedEvent, retention: Retention, bytesBefore: number): boolean {
  const isOld = acceptedAtMs < retention.acceptedBeforeMs
  return isOld || (bytesBefore < retention.excessBytes && acceptedAtMs < retention.sizeBeforeMs)
}

/** Which of the chosen events go and which are held by an outstanding delivery; which deliveries end before they go. */
export type PurgePlan = { go: AgedEvent[]; held: Set<number>; expire: AgedDelivery[] }

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

/** The number up to which nothing is left once a step's events have gone: below the first that is held. */
export function markAfter(events: readonly AgedEvent[], held: ReadonlySet<number>): number | null {
  const first = events.find(({ seq }) => held.has(seq))
  return first === undefined ? (events.at(-1)?.seq ?? null) : first.seq - 1
}

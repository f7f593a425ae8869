import { type Pair, type PayloadKind, pairKey, type StoredEvent } from '../../model/delivery.ts'
import type { Subscription } from '../../subscription/subscription.ts'

/** One delivery of a claim. */
export type ClaimedDelivery = {
  pair: Pair
  event: StoredEvent
  subscription: Subscription
  /** The number of the attempt to be made, from 1. */
  attemptNo: number
  row: ClaimedRow | null
}

/** The key that a delivery is ordered by. Its row may have one from settings that were dropped since. */
export function orderKeyOf({ subscription: { settings }, row }: ClaimedDelivery): string {
  return settings.orderingKey === null ? '' : (row?.orderKey ?? '')
}

/** The deliveries of a claim whose event and subscription are still there. */
export function deliveriesOf(claim: {
  pairs: readonly Pair[]
  events: readonly StoredEvent[]
  subscriptions: readonly Subscription[]
  rows: readonly ClaimedRow[]
}): ClaimedDelivery[] {
  const events = new Map(claim.events.map((event) => [eventKey(event), event]))
  const subscriptions = new Map(claim.subscriptions.map((subscription) => [subscription.no, subscription]))
  const rows = new Map(claim.rows.map((row) => [pairKey(row), row]))
  return claim.pairs.flatMap((pair) => {
    const event = events.get(eventKey(pair))
    const subscription = subscriptions.get(pair.subscriptionNo)
    const row = rows.get(pairKey(pair)) ?? null
    if (event === undefined || subscription === undefined) return []
    return [{ pair, event, subscription, attemptNo: (row?.attempts ?? 0) + 1, row }]
  })
}

export function eventKey({ workspaceNo, seq }: { workspaceNo: number; seq: number }): string {
  return `${workspaceNo}/${seq}`
}

/** Memory an event takes beside its text. */
const EVENT_BYTES = 1_000

/** About how much memory events take while they are worked on: as they are read, and as they are sent. */
export function heldBytesOf(events: readonly StoredEvent[]): number {
  return events.reduce((sum, { body }) => sum + EVENT_BYTES + 2 * (body?.length ?? 0), 0)
}

/** The row of a claimed delivery; `payload` is the kind that its first attempt was to send. */
export type ClaimedRow = {
  subscriptionNo: number
  seq: number
  attempts: number
  payload: PayloadKind
  kept: KeptBody | null
  /** Attempts before the last replay; its retries are counted from there. */
  replayBase: number
  /** The public id of the replay that made it due; null for none. */
  replayId: string | null
  /** The key that its event is ordered by; empty where the subscription keeps all in one order. */
  orderKey: string
  /** Consumers that died with it in hand. */
  crashes: number
}

/** The bytes of a first attempt that failed, as text or under a key in R2. */
export type KeptBody = { contentType: string; body: string | null; bodyKey: string | null }

/** A batch that a consumer has in hand: its members of the claim, in accepted order. */
export type ClaimedBatch = {
  no: number
  members: number[]
  boundAtMs: number
  /** Requests that have been made for it. */
  attempts: number
  payload: PayloadKind
  kept: KeptBody | null
}

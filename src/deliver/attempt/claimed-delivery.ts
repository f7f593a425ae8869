import type { Pair, PayloadKind, StoredEvent } from '../../model/delivery.ts'
import type { Subscription } from '../../subscription/subscription.ts'

/** One delivery of a claim: attempt number `n` is the next. */
export type ClaimedDelivery = {
  pair: Pair
  event: StoredEvent
  subscription: Subscription
  attemptNo: number
  row: ClaimedRow | null
}

/** By what a delivery's order is kept: it may wait with a key from settings that have been dropped. */
export function orderKeyOf({ subscription: { settings }, row }: ClaimedDelivery): string {
  return settings.orderingKey === null ? '' : (row?.orderKey ?? '')
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

/** What the row of a claimed delivery says; `payload` is what its first attempt was to send. */
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
  /** What its event is ordered by; the empty text where the subscription keeps all in one order. */
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

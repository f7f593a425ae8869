import { type Pair, pairKey, type StoredEvent } from '../../model/delivery.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import type { Claim, ClaimedRow } from '../claims.sql.ts'

/** One delivery of a claim: attempt number `n` is the next. */
export type Task = {
  pair: Pair
  event: StoredEvent
  subscription: Subscription
  n: number
  row: ClaimedRow | null
}

/** The deliveries of a claim whose event and subscription are still there. */
export function tasksOf(claim: Claim): Task[] {
  const events = new Map(claim.events.map((event) => [eventKey(event), event]))
  const subscriptions = new Map(claim.subscriptions.map((subscription) => [subscription.no, subscription]))
  const rows = new Map(claim.rows.map((row) => [pairKey(row), row]))
  return claim.pairs.flatMap((pair) => {
    const event = events.get(eventKey(pair))
    const subscription = subscriptions.get(pair.subscriptionNo)
    const row = rows.get(pairKey(pair))
    if (event === undefined || subscription === undefined) return []
    return [{ pair, event, subscription, n: (row?.attempts ?? 0) + 1, row: row ?? null }]
  })
}

/** By what a delivery's order is kept: it may rest with a key from settings that have been dropped. */
export function orderKeyOf({ subscription: { settings }, row }: Task): string {
  return settings.orderingKey === null ? '' : (row?.orderKey ?? '')
}

function eventKey({ workspaceNo, seq }: { workspaceNo: number; seq: number }): string {
  return `${workspaceNo}/${seq}`
}

import { env } from 'cloudflare:workers'
import { deliveryIdOf } from '../../../src/model/delivery.ts'
import type { Subscription } from '../../../src/subscription/subscription.ts'
import { answer, type DeliveryRow, type Rig, type SubscriptionInput } from './builders.ts'

/** How long a breaker that has just opened holds: the rig's chance is 0, the shortest hold. */
export const FIRST_HOLD_MS = 24_000

/** What a subscription's row remembers of its receiver. */
export type ReceiverState = {
  faults_in_row: number
  held_until_ms: number
  throttled_until_ms: number
  failing_since_ms: number | null
  failed_attempts: number
  announced_percent: number
  active: number
  disabled_reason: string | null
}

/** Reads a subscription's breaker and failure budget. */
export async function stateOf({ no }: Subscription): Promise<ReceiverState> {
  const row = await env.DB.prepare(
    'SELECT faults_in_row, held_until_ms, throttled_until_ms, failing_since_ms, failed_attempts, announced_percent, active, disabled_reason FROM subscription WHERE no = ?1',
  )
    .bind(no)
    .first<ReceiverState>()
  if (row === null) throw new Error('there is no such subscription')
  return row
}

/** A subscription without retries, so that each event is one attempt. */
export const once = (input: SubscriptionInput = {}): SubscriptionInput => ({
  retryPolicy: { schedule: [] },
  ...input,
})

/** Publishes so many events, and delivers what is due. */
export async function deliverMany(rig: Rig, count: number): Promise<void> {
  await rig.publish(...Array.from({ length: count }, (_, n) => ({ data: { n } })))
  await rig.drain()
}

/** A subscription whose breaker ten faults have just opened. */
export async function openBreaker(rig: Rig, input: SubscriptionInput = {}): Promise<Subscription> {
  const subscription = await rig.subscribe(once(input))
  rig.receivers.set(subscription.settings.url, answer(500))
  await deliverMany(rig, 10)
  return subscription
}

/** Rows of one subscription, oldest event first. */
export async function rowsTo(rig: Rig, { no }: Subscription): Promise<DeliveryRow[]> {
  return (await rig.deliveries()).filter((row) => row.subscription_no === no)
}

/** The public id of a delivery. */
export function idOf({ subscription_no: subscriptionNo, seq }: DeliveryRow): string {
  return deliveryIdOf({ subscriptionNo, seq })
}

export const PENDING = 0
export const SUCCESS = 1
export const FAILED = 2
export const SKIPPED = 3

import { deliveryIdOf, eventIdOf, type SkipReason } from '../model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../outcome/retry-policy.ts'
import { type Announcement, exhaustedAnnouncement, isOperational } from '../receiver/operational-event.ts'
import type { AttemptRecord } from './attempt/attempt.ts'
import type { ClaimedDelivery } from './attempt/claimed-delivery.ts'
import type { DeliveryLines, DeliveryOutcome } from './delivery-lines.ts'
import type { BatchRecord } from './settle/batch-outcomes.sql.ts'
import { OutcomeBuffer, type SettleFn } from './settle/outcome-buffer.ts'
import type { ReceiverStateChange } from './settle/receiver-state.sql.ts'

/** Records the outcomes of one claim's deliveries, and gathers the wake-ups and announcements that follow from them. */
export class ClaimOutcomes {
  /** When deliveries of this claim are due again, by subscription. */
  readonly dueMs = new Map<number, number>()
  /** Deliveries that have failed for good. */
  readonly exhausted: Announcement[] = []
  delivered = 0
  readonly #buffer: OutcomeBuffer
  readonly #lines: DeliveryLines

  constructor(claimId: string, { settle, lines }: { settle: SettleFn; lines: DeliveryLines }) {
    this.#buffer = new OutcomeBuffer(claimId, settle)
    this.#lines = lines
  }

  attempt(outcome: DeliveryOutcome): void {
    this.#lines.attempted(outcome)
    this.#follow(outcome)
    this.#buffer.attempt(outcome.record)
  }

  /** Records a batch and the outcomes of its members: both or neither are written. `failed` ones were left out of it. */
  batch(batch: BatchRecord, carried: readonly DeliveryOutcome[], failed: readonly DeliveryOutcome[]): void {
    const members = [...carried, ...failed]
    const records = members.map(({ record }) => record)
    this.#buffer.batch(batch, records)
    this.#lines.batchAttempted(carried)
    for (const member of failed) this.#lines.attempted(member)
    for (const member of members) this.#follow(member)
  }

  skip(delivery: ClaimedDelivery, reason: SkipReason, nowMs: number): void {
    const { seq, type, isTest } = delivery.event
    this.#buffer.skip({ subscriptionNo: delivery.subscription.no, seq, type, isTest, reason })
    this.#lines.skipped(delivery, reason, nowMs)
  }

  /** Gives a delivery a row that is due at a time, or moves the one it has. */
  waitUntil({ event, subscription, row }: ClaimedDelivery, dueAtMs: number): void {
    const { seq, type, isTest } = event
    const subscriptionNo = subscription.no
    if (row === null) this.#buffer.wait({ subscriptionNo, seq, type, isTest, dueAtMs })
    else this.#buffer.defer({ subscriptionNo, seq, dueAtMs })
  }

  wakeAt(subscriptionNo: number, dueAtMs: number): void {
    const earlierMs = this.dueMs.get(subscriptionNo) ?? Number.POSITIVE_INFINITY
    this.dueMs.set(subscriptionNo, Math.min(dueAtMs, earlierMs))
  }

  /** Writes what is not written yet and ends the claim; rejects when any part could not be written. */
  async finish(receiverChanges: ReceiverStateChange[]): Promise<void> {
    await this.#buffer.finish(receiverChanges)
  }

  #follow(outcome: DeliveryOutcome): void {
    const { delivery, record } = outcome
    const { subscriptionNo, success, dueAtMs } = record
    if (dueAtMs === null) this.#lines.settled(outcome)
    if (success) this.delivered++
    else if (dueAtMs === null || dueAtMs === BLOCKED_UNTIL_MS) this.#followExhausted(delivery, record)
    else this.wakeAt(subscriptionNo, dueAtMs)
  }

  /** The relay's own events are not announced in turn: that would never end. */
  #followExhausted({ event, subscription, attemptNo }: ClaimedDelivery, record: AttemptRecord): void {
    if (record.isTest || isOperational(event.type) || subscription.kind !== 'subscription') return
    const delivery = {
      id: deliveryIdOf(record),
      eventId: eventIdOf(event),
      event: event.type,
      attempts: attemptNo,
      error: record.error,
      status: record.status,
    }
    this.exhausted.push(exhaustedAnnouncement(subscription, delivery))
  }
}

import { deliveryIdOf, eventIdOf, type SkipReason } from '../model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../outcome/retry-policy.ts'
import { type Announcement, exhaustedAnnouncement, isOperational } from '../receiver/operational-event.ts'
import type { StreamHubs } from '../stream/client.ts'
import type { AttemptRecord } from './attempt/attempt.ts'
import type { ClaimedDelivery } from './attempt/claimed-delivery.ts'
import type { Claim } from './claims.sql.ts'
import type { DeliveryLines, DeliveryOutcome } from './delivery-lines.ts'
import type { BatchRecord } from './settle/batch-outcomes.sql.ts'
import { type EndedReceivers, OutcomeBuffer, type Part, type SettleFn } from './settle/outcome-buffer.ts'
import { StreamedOutcomes } from './streamed-outcomes.ts'

/** The dependencies of recording a claim. */
type OutcomeDeps = {
  settle: SettleFn
  announce: (announcements: readonly Announcement[]) => Promise<void>
  lines: DeliveryLines
  streams: Pick<StreamHubs, 'tell'>
}

/** Is told which receivers' pairs are free while the claim goes on, and when their retries are due. */
export type OnFreed = (subscriptionNos: readonly number[], dueMs: ReadonlyMap<number, number>) => void

/** Records the outcomes of one claim's deliveries, and gathers the wake-ups and announcements that follow from them. */
export class ClaimOutcomes {
  /** When deliveries of this claim are due again, by subscription, but for receivers that are free already. */
  readonly dueMs = new Map<number, number>()
  delivered = 0
  readonly #buffer: OutcomeBuffer
  readonly #deps: OutcomeDeps
  readonly #streamed: StreamedOutcomes
  readonly #onFreed: OnFreed

  constructor(claim: Claim, deps: OutcomeDeps, onFreed: OnFreed) {
    this.#buffer = new OutcomeBuffer(claim, (part) => this.#write(part))
    this.#deps = deps
    this.#streamed = new StreamedOutcomes(deps.streams)
    this.#onFreed = onFreed
  }

  attempt(outcome: DeliveryOutcome): void {
    this.#deps.lines.attempted(outcome)
    this.#follow(outcome)
    this.#buffer.attempt(outcome.record)
  }

  /** Records a batch and the outcomes of its members: both or neither are written. `failed` ones were left out of it. */
  batch(batch: BatchRecord, carried: readonly DeliveryOutcome[], failed: readonly DeliveryOutcome[]): void {
    const members = [...carried, ...failed]
    this.#deps.lines.batchAttempted(carried)
    for (const member of failed) this.#deps.lines.attempted(member)
    for (const member of members) this.#follow(member)
    const records = members.map(({ record }) => record)
    this.#buffer.batch(batch, records)
  }

  skip(delivery: ClaimedDelivery, reason: SkipReason, nowMs: number): void {
    const { seq, type, isTest } = delivery.event
    const record = { subscriptionNo: delivery.subscription.no, seq, type, isTest, reason }
    this.#streamed.skipped(delivery, record, nowMs)
    this.#buffer.skip(record)
    this.#deps.lines.skipped(delivery, reason, nowMs)
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

  /** Ends receivers' part of the claim: what is known of them is written with their outcomes, and frees their pairs. */
  endReceivers(ended: EndedReceivers): void {
    this.#buffer.endReceivers(ended)
  }

  /** Writes what is not written yet and ends the claim; rejects when any part could not be written. */
  async finish(ended: EndedReceivers): Promise<void> {
    await this.#buffer.finish(ended)
  }

  async #write({ settlement, announcements, endedNos }: Part): Promise<void> {
    // After a crash between the two this is announced again, under the same key; in the other order, never.
    await this.#deps.announce(announcements)
    await this.#deps.settle(settlement)
    if (!settlement.last && endedNos.length > 0) this.#onFreed(endedNos, this.#takeDue(endedNos))
    await this.#streamed.tell(settlement)
  }

  #takeDue(subscriptionNos: readonly number[]): Map<number, number> {
    const due = [...this.dueMs].filter(([no]) => subscriptionNos.includes(no))
    for (const [no] of due) this.dueMs.delete(no)
    return new Map(due)
  }

  #follow(outcome: DeliveryOutcome): void {
    this.#streamed.attempted(outcome)
    const { delivery, record } = outcome
    const { subscriptionNo, success, dueAtMs } = record
    if (dueAtMs === null) this.#deps.lines.settled(outcome)
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
    this.#buffer.announce(exhaustedAnnouncement(subscription, delivery))
  }
}

import type { LineBudget } from '../base/line-budget.ts'
import { isDrawn, type Log } from '../base/log.ts'
import { batchIdOf, deliveryIdOf, eventIdOf, type SkipReason } from '../model/delivery.ts'
import type { AttemptRecord } from './attempt/attempt.ts'
import type { ClaimedDelivery } from './attempt/claimed-delivery.ts'

/** The outcome of one delivery. */
export type DeliveryOutcome = { delivery: ClaimedDelivery; record: AttemptRecord }

/**
 * Writes the log lines of single deliveries: all failures, and of the others a sample that is drawn by the delivery, so
 * that its lines come together, as far as the budget reaches. No object is built for a line that is not written.
 */
export class DeliveryLines {
  readonly #log: Log
  /** The share of deliveries that have lines even though all went well; null writes no lines at all. */
  readonly #sample: number | null
  readonly #budget: LineBudget

  constructor(log: Log, { sample, budget }: { sample: number | null; budget: LineBudget }) {
    this.#log = log
    this.#sample = sample
    this.#budget = budget
  }

  /** One attempt of a delivery that goes alone, also where no request could be made. */
  attempted({ delivery, record }: DeliveryOutcome): void {
    if (!record.success || (this.#isDrawn(delivery) && this.#isAllowed(record, 1))) {
      this.#attempted(delivery, record, 1)
    }
  }

  /** One request for a batch, named by its first member; it is drawn when any of its members is. */
  batchAttempted(members: readonly DeliveryOutcome[]): void {
    const [first] = members
    if (first === undefined) return
    const isDrawn = members.some(({ delivery }) => this.#isDrawn(delivery))
    if (!first.record.success || (isDrawn && this.#isAllowed(first.record, members.length)))
      this.#attempted(first.delivery, first.record, members.length)
  }

  /** A delivery that has arrived or has failed for good. */
  settled({ delivery, record }: DeliveryOutcome): void {
    const { success, error, atMs, latencyMs } = record
    if (this.#sample === null || (success && !(this.#isDrawn(delivery) && this.#isAllowed(record, 0)))) return
    this.#log('delivery.settled', {
      ...namesOf(delivery),
      batchId: batchNameOf(record),
      state: success ? 'success' : 'failed',
      reason: error,
      attempts: record.attemptNo,
      ageMs: atMs + latencyMs - delivery.event.acceptedAtMs,
    })
  }

  /** A delivery that will not be made. */
  skipped(delivery: ClaimedDelivery, reason: SkipReason, nowMs: number): void {
    if (this.#sample === null) return
    this.#log('delivery.settled', {
      ...namesOf(delivery),
      batchId: null,
      state: 'skipped',
      reason,
      attempts: delivery.attemptNo - 1,
      ageMs: nowMs - delivery.event.acceptedAtMs,
    })
  }

  #isDrawn({ pair }: ClaimedDelivery): boolean {
    return this.#sample !== null && isDrawn(pair.subscriptionNo, pair.seq, this.#sample)
  }

  /** Takes a line for a success, or has the budget count its deliveries. */
  #isAllowed({ latencyMs }: AttemptRecord, delivered: number): boolean {
    const isAllowed = this.#budget.take()
    if (!isAllowed) this.#budget.withhold({ delivered, latencyMs })
    return isAllowed
  }

  #attempted(delivery: ClaimedDelivery, record: AttemptRecord, batchSize: number): void {
    if (this.#sample === null) return
    this.#log('delivery.attempted', {
      ...namesOf(delivery),
      host: hostOf(delivery.subscription.settings.url),
      batchId: batchNameOf(record),
      batchSize,
      attempt: record.attemptNo,
      success: record.success,
      status: record.status,
      error: record.error,
      latencyMs: record.latencyMs,
      nextAttemptAtMs: record.dueAtMs,
    })
  }
}

/** The names that a delivery's lines have in common. */
function namesOf({ subscription, event, pair }: ClaimedDelivery) {
  return {
    workspace: subscription.workspaceId,
    workspaceNo: subscription.workspaceNo,
    subscriptionId: subscription.id,
    eventId: eventIdOf(event),
    eventType: event.type,
    deliveryId: deliveryIdOf(pair),
    isTest: event.isTest,
  }
}

function batchNameOf({ subscriptionNo, batchNo }: AttemptRecord): string | null {
  return batchNo === null ? null : batchIdOf({ subscriptionNo, batchNo })
}

/** The rest of a URL may carry credentials. */
function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null
}

import { iso, isoOrNull } from '../base/time.ts'
import { attemptIdOf, batchIdOf, deliveryIdOf, eventIdOf } from '../model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../outcome/retry-policy.ts'
import type { StreamHubs } from '../stream/client.ts'
import type { StreamMessage } from '../stream/message.ts'
import type { ClaimedDelivery } from './attempt/claimed-delivery.ts'
import type { DeliveryOutcome } from './delivery-lines.ts'
import type { Settlement, SkipRecord } from './settle/settle.sql.ts'

/**
 * Tells those who listen to a workspace what has become of its deliveries, once it is written. Where nobody listens,
 * which the subscription's row says, no object is made.
 */
export class StreamedOutcomes {
  readonly #hubs: Pick<StreamHubs, 'tell'>
  readonly #messages = new Map<object, { workspaceId: string; message: StreamMessage }>()

  constructor(hubs: Pick<StreamHubs, 'tell'>) {
    this.#hubs = hubs
  }

  attempted({ delivery, record }: DeliveryOutcome): void {
    if (!isListenedTo(delivery, record.atMs)) return
    const { success, dueAtMs, attemptNo, status, error, latencyMs } = record
    const id = attemptIdOf({ ...delivery.pair, n: attemptNo })
    this.#add(record, delivery, {
      status: success ? 'success' : 'failed',
      reason: null,
      batchId:
        record.batchNo === null
          ? null
          : batchIdOf({ subscriptionNo: record.subscriptionNo, batchNo: record.batchNo }),
      at: iso(record.atMs + latencyMs),
      nextRetryAt: dueAtMs === BLOCKED_UNTIL_MS ? null : isoOrNull(dueAtMs),
      attempt: { id, attempt: attemptNo, responseCode: status, responseTime: latencyMs, error },
    })
  }

  skipped(delivery: ClaimedDelivery, record: SkipRecord, nowMs: number): void {
    if (!isListenedTo(delivery, nowMs)) return
    const { reason } = record
    const common = { batchId: null, at: iso(nowMs), nextRetryAt: null, attempt: null }
    this.#add(record, delivery, { status: 'skipped', reason, ...common })
  }

  /** Tells what a part that was written has held. Never rejects. */
  async tell({ attempts, skips }: Settlement): Promise<void> {
    if (this.#messages.size === 0) return
    const told = Map.groupBy(this.#take([...attempts, ...skips]), ({ workspaceId }) => workspaceId)
    const calls = [...told].map(([workspaceId, all]) => {
      return this.#hubs.tell(
        workspaceId,
        all.map(({ message }) => message),
      )
    })
    await Promise.all(calls)
  }

  #take(records: readonly object[]) {
    return records.flatMap((record) => {
      const found = this.#messages.get(record)
      this.#messages.delete(record)
      return found === undefined ? [] : [found]
    })
  }

  #add(
    record: object,
    { subscription, event, pair }: ClaimedDelivery,
    shown: Omit<StreamMessage['shown'], 'deliveryId' | 'webhookId' | 'eventId' | 'event' | 'test'>,
  ): void {
    const names = {
      deliveryId: deliveryIdOf(pair),
      webhookId: subscription.id,
      eventId: eventIdOf(event),
      event: event.type,
      test: event.isTest,
    }
    const message = { shown: { ...names, ...shown }, metadata: subscription.settings.metadata }
    this.#messages.set(record, { workspaceId: subscription.workspaceId, message })
  }
}

function isListenedTo({ subscription }: ClaimedDelivery, nowMs: number): boolean {
  return subscription.streamedUntilMs > nowMs
}

import { bringForward, makeDueAgain } from '../../../deliver/retry-delivery.sql.ts'
import { earlierAttempts } from '../../../history/delivery-log.sql.ts'
import { RelayError } from '../../../model/errors.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery } from '../../find.ts'
import { deliveryAnswer, deliveryAnswerSchema } from './delivery-answer.ts'

/**
 * `POST /deliveries/{id}/retry`: attempts a failed or skipped delivery once more, now (seed 001's manual retry). One
 * that is scheduled is brought forward. 409 when it succeeded, has not been attempted yet, or cannot be delivered.
 */
export const retryDelivery = defineRoute(
  {
    method: 'post',
    path: '/deliveries/{id}/retry',
    summary: 'Retry a delivery now',
    tag: 'Deliveries',
    status: 202,
    answer: deliveryAnswerSchema,
  },
  async ({ relay, workspaceId, id, background }) => {
    const { DB } = relay.env
    const { delivery, subscription } = await findAnyDelivery(relay, workspaceId, id)
    if (subscription.deletedAtMs !== null) throw conflict('The subscription has been deleted.')
    if (!subscription.active) throw conflict('The subscription is disabled; enable it first.')
    if (delivery.state === 'success') throw conflict('This delivery has succeeded.')
    const nowMs = relay.now()
    const isDue = (await bringForward(DB, delivery, nowMs)) || (await makeDueAgain(DB, delivery, nowMs))
    if (!isDue) throw conflict('The first attempt of this delivery is still to come.')
    background(relay.hints.delivery({ subscriptionNo: subscription.no, seq: delivery.seq }))
    const { delivery: now } = await findAnyDelivery(relay, workspaceId, id)
    const earlier = await earlierAttempts(DB, subscription.no, [delivery.seq])
    return { data: deliveryAnswer(now, earlier, { deleted: false }) }
  },
)

function conflict(message: string): RelayError {
  return new RelayError('conflict', message)
}

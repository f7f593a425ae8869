import { retryDelivery as retry } from '../../../deliver/requested/retry-delivery.ts'
import { earlierAttempts } from '../../../history/attempt-log.sql.ts'
import { RelayError } from '../../../model/errors.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery } from '../../find.ts'
import { deliveryAnswer, deliveryAnswerSchema } from './delivery-answer.ts'

/**
 * `POST /deliveries/{id}/retry`: attempts a failed or skipped delivery once more, now, or brings its
 * next attempt forward. 409 when it has succeeded or cannot be attempted.
 */
export const retryDelivery = defineRoute(
  {
    method: 'post',
    path: '/deliveries/{id}/retry',
    operationId: 'retryDelivery',
    summary: 'Retry a delivery now',
    tag: 'Deliveries',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    status: 202,
    answer: deliveryAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const { delivery, subscription } = await findAnyDelivery(deps, workspaceId, id)
    const retried = await retry(deps, subscription, delivery)
    switch (retried.kind) {
      case 'subscription_deleted':
        throw new RelayError('conflict', 'The subscription has been deleted.')
      case 'subscription_disabled':
        throw new RelayError('conflict', 'The subscription is disabled; enable it first.')
      case 'succeeded':
        throw new RelayError('conflict', 'This delivery has succeeded.')
      case 'unattempted':
        throw new RelayError('conflict', 'The first attempt of this delivery is still to come.')
      case 'due': {
        const { delivery: due, subscription: seen } = await findAnyDelivery(deps, workspaceId, id)
        const earlier = await earlierAttempts(deps.db, subscription.no, [due.seq])
        return { data: deliveryAnswer(due, earlier, { subscription: seen, nowMs: deps.now() }) }
      }
    }
  },
)

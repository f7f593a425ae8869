import { earlierAttempts } from '../../../history/attempt-log.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery } from '../../find.ts'
import { deliveryAnswer, deliveryAnswerSchema } from './delivery-answer.ts'

/** `GET /deliveries/{id}`: one delivery with its attempts. */
export const getDelivery = defineRoute(
  {
    method: 'get',
    path: '/deliveries/{id}',
    operationId: 'getDelivery',
    summary: 'Get a delivery',
    tag: 'Deliveries',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    answer: deliveryAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const { delivery, subscription } = await findAnyDelivery(deps, workspaceId, id)
    const earlier = await earlierAttempts(deps.db, subscription.no, [delivery.seq])
    return { data: deliveryAnswer(delivery, earlier, { subscription, nowMs: deps.now() }) }
  },
)

import { earlierAttempts } from '../../../history/attempt-log.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyDelivery } from '../../find.ts'
import { attemptDetail, attemptDetailSchema } from './attempts/attempt-detail.ts'
import { deliveryAnswer, deliveryAnswerSchema, lastAttemptOf } from './delivery-answer.ts'

const answerSchema = deliveryAnswerSchema
  .extend({
    latestAttempt: attemptDetailSchema
      .nullable()
      .describe('The last attempt in full; `/deliveries/{id}/attempts/{n}` has each of them'),
  })
  .meta({ id: 'DeliveryDetail', description: 'A delivery with its attempts, the last one in full' })

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
    answer: answerSchema,
  },
  async ({ deps, workspaceId, caller, id }) => {
    const { delivery, subscription } = await findAnyDelivery(deps, workspaceId, id)
    const earlier = await earlierAttempts(deps.db, subscription.no, [delivery.seq])
    const [attempt] = lastAttemptOf(delivery)
    const latest = attempt === undefined ? null : { delivery, subscription, attempt, before: earlier.at(-1) }
    return {
      data: {
        ...deliveryAnswer(delivery, earlier, { subscription, nowMs: deps.now() }),
        latestAttempt: latest === null ? null : await attemptDetail(deps, caller, latest),
      },
    }
  },
)

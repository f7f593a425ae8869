import { earlierAttempts } from '../../storage/delivery-log.ts'
import { deliveryAnswer, deliveryAnswerSchema } from '../delivery-answer.ts'
import { anyDelivery } from '../find-delivery.ts'
import { route } from '../route.ts'

/** `GET /deliveries/{id}`: one delivery with its attempts. */
export const getDelivery = route(
  {
    method: 'get',
    path: '/deliveries/{id}',
    summary: 'Get a delivery',
    tag: 'Deliveries',
    answer: deliveryAnswerSchema,
  },
  async ({ relay, workspaceId, id }) => {
    const { delivery, subscription } = await anyDelivery(relay, workspaceId, id)
    const earlier = await earlierAttempts(relay.env.DB, subscription.no, [delivery.seq])
    return { data: deliveryAnswer(delivery, earlier, { deleted: subscription.deletedAtMs !== null }) }
  },
)

import { pauseSubscription as pause } from '../../../subscription/switches.sql.ts'
import { route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { shownSubscription, subscriptionAnswerSchema } from './subscription-answer.ts'

/** `POST /webhooks/{id}/pause`: its deliveries wait until it is resumed; nothing is lost or skipped meanwhile. */
export const pauseSubscription = route(
  {
    method: 'post',
    path: '/webhooks/{id}/pause',
    summary: 'Let deliveries wait',
    tag: 'Subscriptions',
    answer: subscriptionAnswerSchema,
  },
  async ({ relay, workspaceId, id }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    await pause(relay.env.DB, subscription, relay.now())
    return { data: await shownSubscription(relay, workspaceId, id) }
  },
)

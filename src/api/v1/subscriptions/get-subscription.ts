import { totalCounters } from '../../../history/statistics.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'

/** `GET /webhooks/{id}`: one subscription, its secret masked. */
export const getSubscription = defineRoute(
  {
    method: 'get',
    path: '/webhooks/{id}',
    summary: 'Get a subscription',
    tag: 'Subscriptions',
    answer: subscriptionAnswerSchema,
  },
  async ({ relay, workspaceId, id }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    const counters = await totalCounters(relay.env.DB, [subscription.no])
    const answer = { counters: counters.get(subscription.no), nowMs: relay.now() }
    return { data: await subscriptionAnswer(relay.vault, subscription, answer) }
  },
)

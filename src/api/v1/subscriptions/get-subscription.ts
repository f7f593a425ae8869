import { totalCounters } from '../../../history/statistics.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'

/** `GET /webhooks/{id}`: one subscription, its secret masked. */
export const getSubscription = defineRoute(
  {
    method: 'get',
    path: '/webhooks/{id}',
    operationId: 'getSubscription',
    summary: 'Get a subscription',
    tag: 'Subscriptions',
    scope: 'webhooks:read',
    forBound: 'own',
    refusals: ['not_found'],
    answer: subscriptionAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    const counters = await totalCounters(deps.db, [subscription.no])
    const answer = { counters: counters.get(subscription.no), nowMs: deps.now() }
    return { data: await subscriptionAnswer(deps.vault, subscription, answer) }
  },
)

import { invalidFields } from '../../../model/errors.ts'
import { createSubscription } from '../../../subscription/change.ts'
import { createSubscriptionSchema } from '../../../subscription/input.ts'
import { defineRoute, type Route } from '../../define-route.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'
import { checkRefusedSettings, SUBSCRIPTION_NAMING } from './subscription-body.ts'

/**
 * `POST /webhooks/subscribe` and `POST /webhooks`: create a subscription.
 * The secret is in the answer, and masked ever after.
 */
export const subscribe: readonly Route[] = [
  create('/webhooks/subscribe', 'createSubscription', 'Create a subscription'),
  create('/webhooks', 'createWebhook', 'Create a subscription, as POST /webhooks/subscribe does'),
]

function create(path: string, operationId: string, summary: string): Route {
  return defineRoute(
    {
      method: 'post',
      path,
      operationId,
      summary,
      tag: 'Subscriptions',
      refusals: [],
      status: 201,
      body: createSubscriptionSchema,
      naming: SUBSCRIPTION_NAMING,
      alsoCheck: checkRefusedSettings,
      answer: subscriptionAnswerSchema,
    },
    async ({ deps, workspaceId, body }) => {
      const created = await createSubscription(deps, workspaceId, body)
      switch (created.kind) {
        case 'invalid':
          throw invalidFields(created.problems)
        case 'created':
          return {
            data: await subscriptionAnswer(deps.vault, created.subscription, {
              secret: created.secret,
              warnings: created.warnings,
            }),
          }
      }
    },
  )
}

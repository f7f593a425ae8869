import { createSubscriptionSchema } from '../../domain/subscription-input.ts'
import { invalidFields } from '../../errors.ts'
import { createSubscription } from '../../pipeline/subscribe.ts'
import { route } from '../route.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from '../subscription-answer.ts'
import { subscribeDeps } from '../subscription-deps.ts'

/** `POST /webhooks/subscribe`: creates a subscription. The secret is in the answer, and masked ever after. */
export const subscribe = route(
  {
    method: 'post',
    path: '/webhooks/subscribe',
    summary: 'Create a subscription',
    tag: 'Subscriptions',
    status: 201,
    body: createSubscriptionSchema,
    answer: subscriptionAnswerSchema,
  },
  async ({ relay, workspaceId, body, url }) => {
    const created = await createSubscription(subscribeDeps(relay, url), workspaceId, body)
    switch (created.kind) {
      case 'invalid':
        throw invalidFields(created.problems)
      case 'created':
        return {
          data: await subscriptionAnswer(relay.vault, created.subscription, {
            secret: created.secret,
            warnings: created.warnings,
          }),
        }
    }
  },
)

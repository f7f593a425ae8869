import { mayCall } from '../../../access/caller.ts'
import { type Problem, RelayError } from '../../../model/errors.ts'
import { createSubscription } from '../../../subscription/create.ts'
import { createSubscriptionSchema } from '../../../subscription/input.ts'
import { defineRoute, type Route } from '../../define-route.ts'
import { subscriptionsReached } from '../../limits/limit-refusals.ts'
import { withinReach } from '../../reach.ts'
import { showFound, subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'
import { checkRefusedSettings, SUBSCRIPTION_NAMING, unacceptable } from './subscription-body.ts'

/**
 * `POST /webhooks/subscribe` and `POST /webhooks`: create a subscription.
 * The secret is in the answer for a caller who may see it, and masked ever after. With a `uid`, the same again is answered
 * with what is there.
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
      scope: 'webhooks:write',
      forBound: 'own',
      refusals: ['conflict'],
      status: 201,
      body: createSubscriptionSchema,
      naming: SUBSCRIPTION_NAMING,
      alsoCheck: checkRefusedSettings,
      answer: subscriptionAnswerSchema,
      answerDescription: 'Created',
      otherAnswers: { 200: { answer: subscriptionAnswerSchema, description: 'The `uid` has it already' } },
    },
    async ({ deps, workspaceId, caller, body }) => {
      const input = withinReach(body, deps.reach, null)
      const maySeeSecrets = mayCall(caller, 'webhooks:secret')
      const created = await createSubscription({ ...deps, maySeeSecrets }, workspaceId, input)
      switch (created.kind) {
        case 'invalid':
          throw unacceptable(created)
        case 'different':
          throw uidTaken(created)
        case 'same':
          return {
            status: 200,
            data: await showFound(deps, created.subscription, { warnings: uncompared(created) }),
          }
        case 'limit_reached':
          throw subscriptionsReached(created.limit)
        case 'created':
          return {
            data: await subscriptionAnswer(deps.vault, created.subscription, {
              ...(maySeeSecrets && { secret: created.secret }),
              warnings: created.warnings,
            }),
          }
      }
    },
  )
}

/** A caller who may not see a secret does not learn by guessing which one it is. */
function uncompared({ uncompared: paths }: { uncompared: readonly string[] }): Problem[] {
  const message = 'was not compared with the stored one, which takes the scope "webhooks:secret"'
  return paths.map((path) => ({ path, message }))
}

function uidTaken({ uid, fields }: { uid: string; fields: readonly string[] }): RelayError {
  return new RelayError(
    'conflict',
    `The subscription "${uid}" has another ${fields.join(', ')}. Change it with PUT /webhooks/${uid}, or choose another uid.`,
    {
      details: fields.map((path) => ({
        path,
        message: 'is otherwise in the subscription that has this uid',
      })),
    },
  )
}

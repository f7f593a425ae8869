import { mayCall } from '../../../access/caller.ts'
import { changedFields } from '../../../audit/changed-fields.ts'
import { totalCounters } from '../../../history/statistics.sql.ts'
import { notFound, RelayError } from '../../../model/errors.ts'
import { changeSubscription } from '../../../subscription/change.ts'
import { type UpdateSubscription, updateSubscriptionSchema } from '../../../subscription/input.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { accessError } from '../../caller/auth.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute, type Route } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { withinReach } from '../../reach.ts'
import { readOnlyFields } from '../../request/read-only.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from './subscription-answer.ts'
import { checkRefusedSettings, SUBSCRIPTION_NAMING, unacceptable } from './subscription-body.ts'

/** `PUT` and `PATCH /webhooks/{id}`: change the settings that are named, for the very next publish. */
export const updateSubscription: readonly Route[] = [
  update('put', 'updateSubscription'),
  update('patch', 'patchSubscription'),
]

function update(method: 'put' | 'patch', operationId: string): Route {
  return defineRoute(
    {
      method,
      path: '/webhooks/{id}',
      operationId,
      summary: 'Change a subscription: what is named changes, the rest stays',
      tag: 'Subscriptions',
      scope: 'webhooks:write',
      forBound: 'own',
      refusals: ['not_found', 'conflict'],
      body: updateSubscriptionSchema,
      naming: SUBSCRIPTION_NAMING,
      alsoCheck: checkRefusedSettings,
      readOnly: readOnlyFields(subscriptionAnswerSchema, updateSubscriptionSchema),
      answer: subscriptionAnswerSchema,
    },
    async ({ deps, workspaceId, caller, id, body }) => {
      if (body.secret !== undefined && !mayCall(caller, 'webhooks:secret')) {
        throw accessError({ kind: 'scope', scope: 'webhooks:secret' })
      }
      const changed = await changeSubscription(
        deps,
        { workspaceId, id },
        await ownChange(deps, workspaceId, { id, body }),
      )
      switch (changed.kind) {
        case 'invalid':
          throw unacceptable(changed)
        case 'not_found':
          throw notFound('subscription')
        case 'contended':
          throw new RelayError('conflict', 'The subscription kept changing under this change. Try again.')
        case 'changed': {
          const counters = await totalCounters(deps.db, [changed.subscription.no])
          const { subscription, before, warnings } = changed
          const answer = { counters: counters.get(subscription.no), warnings }
          return {
            data: await subscriptionAnswer(deps.vault, subscription, answer),
            changed: changedFields(body, comparable(before), comparable(subscription)),
          }
        }
      }
    },
  )
}

/** All fields but those that are sealed, under the names that bodies have for them. */
function comparable({ uid, active, settings }: Subscription): Record<string, unknown> {
  const { headersCipher: _, rules, ...others } = settings
  const { filters = null, conditions = null, conditionLogic = 'AND' } = rules ?? {}
  return { ...others, uid, active, filters, conditions, conditionLogic }
}

/** The change as a caller may ask for it; 404 where the subscription is none of theirs. */
async function ownChange(
  deps: ApiDeps,
  workspaceId: string,
  { id, body }: { id: string; body: UpdateSubscription },
): Promise<UpdateSubscription> {
  if (deps.reach.binding === null) return body
  return withinReach(body, deps.reach, await findLiveSubscription(deps, workspaceId, id))
}

import * as z from 'zod'
import { isListenerAddress } from '../../../destination/listener-address.ts'
import { notFound } from '../../../model/errors.ts'
import { deleteSubscription as markDeleted } from '../../../subscription/subscriptions.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'

/** `DELETE /webhooks/{id}`: wipes the secret and skips what is outstanding; the log stays readable. */
export const deleteSubscription = defineRoute(
  {
    method: 'delete',
    path: '/webhooks/{id}',
    operationId: 'deleteSubscription',
    summary: 'Delete a subscription',
    tag: 'Subscriptions',
    scope: 'webhooks:write',
    forBound: 'own',
    refusals: ['not_found'],
    answer: z.object({ id: z.string(), deleted: z.literal(true) }),
  },
  async ({ deps, workspaceId, id }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    if (!(await markDeleted(deps.db, subscription, deps.now()))) throw notFound('subscription')
    if (isListenerAddress(subscription.settings.url)) deps.background(deps.listeners.end(subscription.id))
    return { data: { id: subscription.id, deleted: true } }
  },
)

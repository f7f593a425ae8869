import * as z from 'zod'
import { mayCall } from '../../../access/caller.ts'
import { iso } from '../../../base/time.ts'
import { isListenerAddress } from '../../../destination/listener-address.ts'
import { createListener } from '../../../listen/create-listener.ts'
import { listenerSettingsSchema } from '../../../listen/input.ts'
import { PROTOCOL, TICKET_PREFIX } from '../../../listen/protocol.ts'
import { notFound } from '../../../model/errors.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { deleteSubscription } from '../../../subscription/subscriptions.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { API_PREFIXES, defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { listenersReached, subscriptionsReached } from '../../limits/limit-refusals.ts'
import { subscriptionAnswer, subscriptionAnswerSchema } from '../subscriptions/subscription-answer.ts'
import { SUBSCRIPTION_NAMING, unacceptable } from '../subscriptions/subscription-body.ts'

const COMMON = { tag: 'Listeners', scope: 'webhooks:write', forBound: 'refused' } as const

const renewBySchema = z.string().describe('Renew it before, or it ends')

const openedSchema = z
  .object({
    id: z.string().describe('Of the listener and of its subscription'),
    socketUrl: z.string().describe('Where to connect by WebSocket'),
    protocols: z
      .array(z.string())
      .describe('The subprotocols to connect with: the version of what is spoken, and the ticket'),
    renewBy: renewBySchema,
    webhook: subscriptionAnswerSchema,
  })
  .meta({ id: 'Listener' })

/** `POST /listeners`: a temporary subscription, and the ticket to connect as its receiver. */
export const openListener = defineRoute(
  {
    ...COMMON,
    method: 'post',
    path: '/listeners',
    operationId: 'openListener',
    summary: 'Receive deliveries through a WebSocket',
    refusals: [],
    status: 201,
    // The ticket is kept nowhere.
    idempotency: 'none',
    body: listenerSettingsSchema,
    naming: SUBSCRIPTION_NAMING,
    answer: openedSchema,
  },
  async ({ deps, workspaceId, caller, body, url }) => {
    const maySeeSecrets = mayCall(caller, 'webhooks:secret')
    const created = await createListener({ ...deps, maySeeSecrets }, workspaceId, body)
    switch (created.kind) {
      case 'invalid':
        throw unacceptable(created)
      case 'limit_reached':
        throw created.of === 'listeners'
          ? listenersReached(created.limit)
          : subscriptionsReached(created.limit)
      case 'created': {
        const { subscription, warnings, secret, ticket, renewByMs } = created
        const webhook = await subscriptionAnswer(deps.vault, subscription, {
          ...(maySeeSecrets && { secret }),
          warnings,
        })
        const { id } = subscription
        const socketUrl = `${url.origin.replace(/^http/, 'ws')}${API_PREFIXES[0]}/listeners/${id}/socket`
        const protocols = [PROTOCOL, `${TICKET_PREFIX}${ticket}`]
        return { data: { id, socketUrl, protocols, renewBy: iso(renewByMs), webhook } }
      }
    }
  },
)

/** `PUT /listeners/{id}`: goes on listening; who may not any more is refused, and the listener ends. */
export const renewListener = defineRoute(
  {
    ...COMMON,
    method: 'put',
    path: '/listeners/{id}',
    operationId: 'renewListener',
    summary: 'Go on listening',
    refusals: ['not_found'],
    audit: { none: 'it changes nothing, and comes every few seconds' },
    answer: z.object({ id: z.string(), renewBy: renewBySchema, connected: z.boolean() }),
  },
  async ({ deps, workspaceId, id: name }) => {
    const { id } = await findListener(deps, workspaceId, name)
    const renewed = await deps.listeners.renew(id)
    if (renewed === null) throw notFound('listener')
    return { data: { id, renewBy: iso(renewed.renewByMs), connected: renewed.isConnected } }
  },
)

/** `DELETE /listeners/{id}`: deletes the subscription, closes the socket, and skips what is outstanding. */
export const endListener = defineRoute(
  {
    ...COMMON,
    method: 'delete',
    path: '/listeners/{id}',
    operationId: 'endListener',
    summary: 'End listening',
    refusals: ['not_found'],
    answer: z.object({ id: z.string(), deleted: z.literal(true) }),
  },
  async ({ deps, workspaceId, id }) => {
    const subscription = await findListener(deps, workspaceId, id)
    if (!(await deleteSubscription(deps.db, subscription, deps.now()))) throw notFound('listener')
    await deps.listeners.end(subscription.id)
    return { data: { id: subscription.id, deleted: true } }
  },
)

async function findListener(deps: ApiDeps, workspaceId: string, id: string): Promise<Subscription> {
  const subscription = await findLiveSubscription(deps, workspaceId, id)
  if (!isListenerAddress(subscription.settings.url)) throw notFound('listener')
  return subscription
}

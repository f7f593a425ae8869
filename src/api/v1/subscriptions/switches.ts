import { z } from 'zod'
import { RelayError } from '../../../model/errors.ts'
import {
  flushSubscription as flush,
  pauseSubscription as pause,
  resumeSubscription as resume,
  setActive,
} from '../../../subscription/switches.sql.ts'
import { defineRoute, type Route } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { shownSubscription, subscriptionAnswerSchema } from './subscription-answer.ts'

const flushAnswerSchema = z.object({ id: z.string(), status: z.literal('flushing') })

/**
 * `POST /webhooks/{id}/flush`: everything accepted so far leaves in batches at once, in accepted order, whatever the
 * batch settings would have it wait for. 409 where the subscription does not batch.
 */
export const flushSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/flush',
    summary: 'Send what waits for its batch',
    tag: 'Subscriptions',
    status: 202,
    answer: flushAnswerSchema,
  },
  async ({ relay, workspaceId, id, background }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    if (!(await flush(relay.env.DB, subscription))) {
      throw new RelayError(
        'conflict',
        'This subscription does not batch: set batchSettings to make it do so.',
      )
    }
    background(relay.hints.paced([{ no: subscription.no }]))
    return { data: { id, status: 'flushing' as const } }
  },
)

/**
 * `POST /webhooks/{id}/enable` and `/disable`. Events that match while it is disabled are `skipped`; a replay brings
 * them back. Enabling closes the breaker and gives a new failure budget.
 */
export const enableSubscription: Route = (app) => {
  set('enable', 'Deliver again, from the next event on')(app)
  set('disable', 'Stop delivering: events meanwhile are skipped')(app)
}

function set(verb: 'enable' | 'disable', summary: string): Route {
  return defineRoute(
    {
      method: 'post',
      path: `/webhooks/{id}/${verb}`,
      summary,
      tag: 'Subscriptions',
      answer: subscriptionAnswerSchema,
    },
    async ({ relay, workspaceId, id, background }) => {
      const subscription = await liveSubscription(relay, workspaceId, id)
      const nowMs = relay.now()
      await setActive(relay.env.DB, subscription, verb === 'enable', nowMs)
      background(relay.hints.dueAt(new Map([[subscription.no, nowMs]])))
      return { data: await shownSubscription(relay, workspaceId, id) }
    },
  )
}

/** `POST /webhooks/{id}/resume`: delivers what has waited, and closes the breaker. */
export const resumeSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/resume',
    summary: 'Go on delivering',
    tag: 'Subscriptions',
    answer: subscriptionAnswerSchema,
  },
  async ({ relay, workspaceId, id, background }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    const nowMs = relay.now()
    await resume(relay.env.DB, subscription, nowMs)
    background(relay.hints.dueAt(new Map([[subscription.no, nowMs]])))
    return { data: await shownSubscription(relay, workspaceId, id) }
  },
)

/** `POST /webhooks/{id}/pause`: its deliveries wait until it is resumed; nothing is lost or skipped meanwhile. */
export const pauseSubscription = defineRoute(
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

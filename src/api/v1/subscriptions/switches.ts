import * as z from 'zod'
import { RelayError } from '../../../model/errors.ts'
import {
  CHALLENGE_PAUSE_MS,
  flushBatches,
  pauseDeliveries,
  resumeDeliveries,
  setActive,
  verifyAgain,
} from '../../../subscription/switches/switches.ts'
import { defineRoute, type Route } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { showSubscription, subscriptionAnswerSchema } from './subscription-answer.ts'

const flushAnswerSchema = z.object({ id: z.string(), status: z.literal('flushing') })

/**
 * `POST /webhooks/{id}/flush`: everything accepted so far leaves in batches at once, in accepted
 * order. 409 where the subscription does not batch.
 */
export const flushSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/flush',
    operationId: 'flushSubscription',
    summary: 'Send what waits for its batch',
    tag: 'Subscriptions',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    status: 202,
    answer: flushAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    if (!(await flushBatches(deps, subscription))) {
      const message = 'This subscription does not batch: set batchSettings to make it do so.'
      throw new RelayError('conflict', message)
    }
    return { data: { id, status: 'flushing' as const } }
  },
)

/**
 * `POST /webhooks/{id}/enable` and `/disable`. Events that match while it is disabled are `skipped`; a
 * replay brings them back. Enabling closes the breaker and gives a new failure budget.
 */
export const enableSubscription: readonly Route[] = [
  set('enable', 'Deliver again, from the next event on'),
  set('disable', 'Stop delivering: events meanwhile are skipped'),
]

function set(verb: 'enable' | 'disable', summary: string): Route {
  return defineRoute(
    {
      method: 'post',
      path: `/webhooks/{id}/${verb}`,
      operationId: `${verb}Subscription`,
      summary,
      tag: 'Subscriptions',
      scope: 'webhooks:write',
      forBound: 'own',
      refusals: ['not_found'],
      answer: subscriptionAnswerSchema,
    },
    async ({ deps, workspaceId, id }) => {
      const subscription = await findLiveSubscription(deps, workspaceId, id)
      await setActive(deps, subscription, { active: verb === 'enable' })
      return { data: await showSubscription(deps, workspaceId, id) }
    },
  )
}

/**
 * `POST /webhooks/{id}/verify`: challenges the receiver of an unverified subscription once more. What comes of it shows
 * in the subscription a moment later. 409 for a subscription that is not unverified.
 */
export const verifySubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/verify',
    operationId: 'verifySubscription',
    summary: 'Challenge the host of an unverified subscription again',
    tag: 'Subscriptions',
    scope: 'webhooks:write',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    status: 202,
    answer: subscriptionAnswerSchema,
    answerDescription: 'The challenge is on its way',
  },
  async ({ deps, workspaceId, id }) => {
    const verified = await verifyAgain(deps, await findLiveSubscription(deps, workspaceId, id))
    switch (verified) {
      case 'not_unverified':
        throw new RelayError('conflict', 'This subscription waits for no answer to a challenge.')
      case 'too_soon': {
        const retryAfterSeconds = CHALLENGE_PAUSE_MS / 1000
        throw new RelayError('rate_limited', 'Its host was challenged a moment ago.', { retryAfterSeconds })
      }
      case 'challenged':
        return { data: await showSubscription(deps, workspaceId, id) }
    }
  },
)

/** `POST /webhooks/{id}/resume`: delivers what has waited, and closes the breaker. */
export const resumeSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/resume',
    operationId: 'resumeSubscription',
    summary: 'Go on delivering',
    tag: 'Subscriptions',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found'],
    answer: subscriptionAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    await resumeDeliveries(deps, await findLiveSubscription(deps, workspaceId, id))
    return { data: await showSubscription(deps, workspaceId, id) }
  },
)

/**
 * `POST /webhooks/{id}/pause`: its deliveries wait until
 * it is resumed; nothing is lost or skipped meanwhile.
 */
export const pauseSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/pause',
    operationId: 'pauseSubscription',
    summary: 'Let deliveries wait',
    tag: 'Subscriptions',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found'],
    answer: subscriptionAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    await pauseDeliveries(deps, await findLiveSubscription(deps, workspaceId, id))
    return { data: await showSubscription(deps, workspaceId, id) }
  },
)

import { RelayError } from '../../../model/errors.ts'
import { sendTestEvent } from '../../../publish/test-event.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { outcomeAnswer, outcomeAnswerSchema } from './outcome-answer.ts'
import { readTestBody, testBodySchema } from './test-body.ts'

const UNVERIFIED =
  'The host of this subscription has not answered its challenge yet, and gets nothing before. POST /webhooks/{id}/verify challenges it again.'

/**
 * `POST /webhooks/{id}/test`: delivers a test event now and shows the receiver's answer. Without
 * test data it sends the type's example in the catalogue. Logged, not counted.
 */
export const testSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/test',
    operationId: 'testSubscription',
    summary: 'Deliver a test event now',
    tag: 'Subscriptions',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    sentBody: testBodySchema,
    bodyOptional: true,
    answer: outcomeAnswerSchema,
  },
  async ({ deps, workspaceId, id, sent }) => {
    const test = readTestBody(sent)
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    if (subscription.disabledReason === 'unverified') throw new RelayError('conflict', UNVERIFIED)
    const delivery = await sendTestEvent(deps.publish, subscription, test)
    return { data: outcomeAnswer(delivery, { subscription, nowMs: deps.now() }) }
  },
)

import { sendTestEvent } from '../../../publish/test-event.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { outcomeAnswer, outcomeAnswerSchema } from './outcome-answer.ts'
import { readTestBody, testBodySchema } from './test-body.ts'

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
    refusals: ['not_found'],
    sentBody: testBodySchema,
    bodyOptional: true,
    answer: outcomeAnswerSchema,
  },
  async ({ deps, workspaceId, id, sent }) => {
    const test = readTestBody(sent)
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    const delivery = await sendTestEvent(deps.publish, subscription, test)
    return { data: outcomeAnswer(delivery, { subscription, nowMs: deps.now() }) }
  },
)

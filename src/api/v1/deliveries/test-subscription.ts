import { z } from 'zod'
import { memberSpans, nestingDepth } from '../../../base/json/members.ts'
import { isRecord } from '../../../base/json/value.ts'
import { NESTING_DEPTH_MAX } from '../../../model/event.ts'
import { eventTypeSchema } from '../../../model/event-type.ts'
import { sendTestEvent } from '../../../publish/test-event.ts'
import { defineRoute } from '../../define-route.ts'
import { findLiveSubscription } from '../../find.ts'
import { outcomeAnswer, outcomeAnswerSchema } from './outcome-answer.ts'

const bodySchema = z.strictObject({
  event: eventTypeSchema.optional(),
  testData: z
    .custom<object>(isRecord, 'must be a JSON object')
    .refine(
      (value) => depthOf(value) <= NESTING_DEPTH_MAX,
      `must be nested at most ${NESTING_DEPTH_MAX} levels deep`,
    )
    .meta({ type: 'object' })
    .optional(),
})

/**
 * `POST /webhooks/{id}/test`: delivers a test event now and shows the receiver's answer. Without
 * `testData` it sends the type's example in the catalogue. Logged, not counted.
 */
export const testSubscription = defineRoute(
  {
    method: 'post',
    path: '/webhooks/{id}/test',
    summary: 'Deliver a test event now',
    tag: 'Subscriptions',
    body: bodySchema,
    bodyOptional: true,
    answer: outcomeAnswerSchema,
  },
  async ({ deps, workspaceId, id, body, sent }) => {
    const subscription = await findLiveSubscription(deps, workspaceId, id)
    const span = body.testData === undefined ? undefined : memberSpans(sent.text, 0).get('testData')
    const dataText = span && sent.text.slice(span.start, span.end)
    const delivery = await sendTestEvent(deps.publish, subscription, { type: body.event, dataText })
    return { data: outcomeAnswer(delivery, { subscription, nowMs: deps.now() }) }
  },
)

function depthOf(value: unknown): number {
  const text = JSON.stringify(value)
  return nestingDepth(text, { start: 0, end: text.length })
}

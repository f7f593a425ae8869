import { z } from 'zod'
import { memberSpans, nestingDepth } from '../../../base/json/members.ts'
import { NESTING_DEPTH_MAX } from '../../../model/event.ts'
import { eventTypeSchema } from '../../../model/event-type.ts'
import { sendTestEvent } from '../../../publish/test-event.ts'
import { findWorkspaceSettings } from '../../../workspace/settings.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { liveSubscription } from '../../find.ts'
import { sampleData, sampleType } from '../subscriptions/sample-event.ts'
import { outcomeAnswer, outcomeAnswerSchema } from './outcome-answer.ts'

const bodySchema = z.strictObject({
  event: eventTypeSchema.optional(),
  testData: z
    .custom<object>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'must be a JSON object',
    )
    .refine(
      (value) => depthOf(value) <= NESTING_DEPTH_MAX,
      `must be nested at most ${NESTING_DEPTH_MAX} levels deep`,
    )
    .meta({ type: 'object' })
    .optional(),
})

/** `POST /webhooks/{id}/test`: delivers a test event now and answers with what the receiver said. Without `testData` the
 * type's example in the catalogue is sent. Logged, not counted. */
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
  async ({ relay, workspaceId, id, body, bodyText, background }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const span = body.testData === undefined ? undefined : memberSpans(bodyText, 0).get('testData')
    const type = sampleType(body.event, subscription)
    const dataText =
      span === undefined ? await sampleData(relay, workspaceId, type) : bodyText.slice(span.start, span.end)
    const { apiVersion } = await findWorkspaceSettings(relay.env.DB, workspaceId)
    const test = { type, dataText, apiVersion: subscription.settings.apiVersion ?? apiVersion }
    const delivery = await sendTestEvent(
      { ...relay.publish(background), sleep },
      workspaceId,
      subscription,
      test,
    )
    return { data: outcomeAnswer(delivery) }
  },
)

function depthOf(value: unknown): number {
  const text = JSON.stringify(value)
  return nestingDepth(text, { start: 0, end: text.length })
}

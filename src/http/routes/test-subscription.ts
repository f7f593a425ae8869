import { z } from 'zod'
import { deliveryIdOf, eventIdOf } from '../../domain/delivery.ts'
import { NESTING_DEPTH_MAX } from '../../domain/event.ts'
import { eventTypeSchema } from '../../domain/event-type.ts'
import { memberSpans, nestingDepth } from '../../domain/json-members.ts'
import { sendTestEvent } from '../../pipeline/test-event.ts'
import { liveSubscription } from '../find.ts'
import { route } from '../route.ts'

const TEST_EVENT_TYPE = 'webhook.test'

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

const answerSchema = z.object({
  success: z.boolean(),
  status: z.enum(['pending', 'success', 'failed', 'skipped']),
  eventId: z.string(),
  deliveryId: z.string(),
  event: z.string(),
  statusCode: z.int().nullable(),
  responseTime: z.int().nullable(),
  responseBody: z.string().nullable(),
  error: z.string().nullable(),
})

/** `POST /webhooks/{id}/test`: delivers a test event now and answers with what the receiver said. Logged, not counted. */
export const testSubscription = route(
  {
    method: 'post',
    path: '/webhooks/{id}/test',
    summary: 'Deliver a test event now',
    tag: 'Subscriptions',
    body: bodySchema,
    bodyOptional: true,
    answer: answerSchema,
  },
  async ({ relay, workspaceId, id, body, bodyText, background }) => {
    const subscription = await liveSubscription(relay, workspaceId, id)
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const span = body.testData === undefined ? undefined : memberSpans(bodyText, 0).get('testData')
    const dataText = span === undefined ? '{"test":true}' : bodyText.slice(span.start, span.end)
    const test = { type: body.event ?? TEST_EVENT_TYPE, dataText }
    const delivery = await sendTestEvent(
      { ...relay.publish(background), sleep },
      workspaceId,
      subscription,
      test,
    )
    return {
      data: {
        success: delivery.state === 'success',
        status: delivery.state,
        eventId: eventIdOf(delivery),
        deliveryId: deliveryIdOf(delivery),
        event: delivery.type,
        statusCode: delivery.status,
        responseTime: delivery.latencyMs,
        responseBody: delivery.response,
        error: delivery.error,
      },
    }
  },
)

function depthOf(value: unknown): number {
  const text = JSON.stringify(value)
  return nestingDepth(text, { start: 0, end: text.length })
}

import * as z from 'zod'
import type { LoggedDelivery } from '../../../history/delivery-log.sql.ts'
import { deliveryIdOf, eventIdOf } from '../../../model/delivery.ts'
import { attemptTexts } from './attempt-texts.ts'
import { attemptResultShape, type SeenAt, waitingAnswer, waitingForSchema } from './delivery-answer.ts'

const deliveryOutcomeShape = {
  success: z.boolean(),
  status: z.enum(['pending', 'success', 'failed', 'skipped']),
  eventId: z.string(),
  deliveryId: z.string(),
  event: z.string(),
  ...attemptResultShape,
  statusCode: z.int().nullable().describe('The same as `responseCode`'),
  waitingFor: waitingForSchema,
  warnings: z.array(z.string()).optional().describe('What the catalogue of event types says against it'),
}

/** The outcome of one event sent to one receiver: the answer of tests and dispatches. */
export const outcomeAnswerSchema = z.object(deliveryOutcomeShape).meta({ id: 'DeliveryOutcome' })

/** Shows the outcome of a delivery that was made for its answer. */
export function outcomeAnswer(
  delivery: LoggedDelivery,
  { warnings = [], ...seenAt }: SeenAt & { warnings?: string[] },
): z.infer<typeof outcomeAnswerSchema> {
  return {
    success: delivery.state === 'success',
    status: delivery.state,
    eventId: eventIdOf(delivery),
    deliveryId: deliveryIdOf(delivery),
    event: delivery.type,
    responseCode: delivery.status,
    statusCode: delivery.status,
    responseTime: delivery.latencyMs,
    error: delivery.error,
    ...attemptTexts(delivery),
    waitingFor: waitingAnswer(delivery, seenAt),
    ...(warnings.length > 0 && { warnings }),
  }
}

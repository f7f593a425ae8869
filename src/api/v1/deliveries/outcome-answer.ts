import { z } from 'zod'
import type { LoggedDelivery } from '../../../history/delivery-log.sql.ts'
import { deliveryIdOf, eventIdOf } from '../../../model/delivery.ts'
import { deliveryTexts } from './delivery-answer.ts'

/** The outcome of one event sent to one receiver: the answer of tests and dispatches. */
export const outcomeAnswerSchema = z.object({
  success: z.boolean(),
  status: z.enum(['pending', 'success', 'failed', 'skipped']),
  eventId: z.string(),
  deliveryId: z.string(),
  event: z.string(),
  statusCode: z.int().nullable(),
  responseTime: z.int().nullable(),
  responseBody: z.string().nullable(),
  error: z.string().nullable(),
  explanation: z.string().nullable().describe('What kept the request from being made'),
  warnings: z.array(z.string()).optional().describe('What the catalogue of event types says against it'),
})

/** Shows the outcome of a delivery that was made for its answer. */
export function outcomeAnswer(
  delivery: LoggedDelivery,
  warnings: string[] = [],
): z.infer<typeof outcomeAnswerSchema> {
  return {
    success: delivery.state === 'success',
    status: delivery.state,
    eventId: eventIdOf(delivery),
    deliveryId: deliveryIdOf(delivery),
    event: delivery.type,
    statusCode: delivery.status,
    responseTime: delivery.latencyMs,
    ...deliveryTexts(delivery),
    error: delivery.error,
    ...(warnings.length > 0 && { warnings }),
  }
}

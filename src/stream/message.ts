import * as z from 'zod'
import { DELIVERY_STATES } from '../model/delivery.ts'

const shownShape = {
  deliveryId: z.string(),
  webhookId: z.string(),
  eventId: z.string(),
  event: z.string(),
  status: z.enum(DELIVERY_STATES).describe('Of the delivery, from now on'),
  reason: z.string().nullable().describe('Why a delivery was skipped'),
  test: z.boolean(),
  batchId: z.string().nullable(),
  at: z.string(),
  nextRetryAt: z.string().nullable(),
  attempt: z
    .object({
      id: z.string(),
      attempt: z.int(),
      responseCode: z.int().nullable(),
      responseTime: z.int(),
      error: z.string().nullable(),
    })
    .nullable()
    .describe('What was tried; null for a delivery that is skipped'),
}

/** One change of a delivery, as listeners see it. */
export const shownMessageSchema = z.object(shownShape).meta({ id: 'StreamMessage' })
export type ShownMessage = z.infer<typeof shownMessageSchema>

/** A message, and what decides who may see it. */
export const streamMessageSchema = z.strictObject({
  shown: shownMessageSchema,
  metadata: z.record(z.string(), z.string()),
})
export type StreamMessage = z.infer<typeof streamMessageSchema>

/** Most messages that are told at once. */
export const MESSAGES_PER_CALL_MAX = 200

/** What a consumer tells on the wire; `omitted` are those beyond the most that are told at once. */
export const tellCallSchema = z.strictObject({
  v: z.literal(1),
  messages: z.array(streamMessageSchema).max(MESSAGES_PER_CALL_MAX),
  omitted: z.int().nonnegative(),
})
export type TellCall = z.infer<typeof tellCallSchema>

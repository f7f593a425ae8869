import * as z from 'zod'

const dataSchema = z.record(z.string(), z.unknown())
const idSchema = z.string().describe('The same in every attempt and replay')

/** The payload of `standard` and `bigledger`. */
export const standardPayload = z
  .object({
    id: idSchema,
    event: z.string(),
    timestamp: z.iso.datetime({ offset: true }),
    livemode: z.boolean(),
    api_version: z.string(),
    data: dataSchema,
    context: dataSchema,
  })
  .meta({ id: 'StandardPayload' })

/** The payload of `core`. */
export const corePayload = z
  .object({
    id: idSchema,
    type: z.string(),
    created_at: z.iso.datetime({ offset: true }),
    data: z.object({ object: z.unknown() }).catchall(z.unknown()),
    workspace_id: z.union([z.int(), z.string()]),
  })
  .meta({ id: 'CorePayload' })

/** The payload of `ledgerly` and `marko`. */
export const eventAndData = z
  .object({ event: z.string(), data: dataSchema })
  .meta({ id: 'EventAndDataPayload' })

/** The payload of `standard-webhooks`. */
export const typeAndData = z
  .object({ type: z.string(), timestamp: z.iso.datetime({ offset: true }), data: dataSchema })
  .meta({ id: 'StandardWebhooksPayload' })

/** CloudEvents 1.0 in structured mode. */
export const cloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: idSchema,
    source: z.string(),
    type: z.string(),
    time: z.iso.datetime({ offset: true }),
    datacontenttype: z.literal('application/json'),
    livemode: z.boolean(),
    apiversion: z.string(),
    context: z.string().optional().describe("The event's `context` as JSON text"),
    data: dataSchema,
  })
  .meta({ id: 'CloudEvent' })

/** Several events in one request. */
export function batchOf(payload: z.ZodType): z.ZodType {
  return z.object({
    batch: z.literal(true),
    events: z.array(payload),
    batchId: z.string(),
    batchTimestamp: z.iso.datetime(),
  })
}

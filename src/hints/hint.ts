import { z } from 'zod'

const count = z.int().nonnegative()

/** "Look at these events": first attempts of a range of a workspace's events, to all or some of their subscriptions. */
export const eventsHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('events'),
  workspaceNo: count,
  firstSeq: count,
  lastSeq: count,
  /** Only these subscriptions; all when left out. */
  subscriptions: z.array(count).max(1000).optional(),
})

/** "Look at what is due for this subscription": retries and all else that waited in D1. */
export const dueHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('due'),
  subscriptionNo: count,
})

/** "Make this delivery now": a person requested it. */
export const deliveryHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('delivery'),
  subscriptionNo: count,
  seq: count,
})

/** "Go on with this replay". */
export const replayHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('replay'),
  replayNo: count,
})

/**
 * "Serve these paced subscriptions". `events`, `bytes` and `sinceMs` are of deliveries that began to wait, for the pacer
 * to count; without them a consumer looks in D1, unless it is the pacer's own `alarm`. `ordered` ones have no pacer.
 */
export const pacedHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('paced'),
  subscriptions: z
    .array(
      z.strictObject({
        no: count,
        ordered: z.literal(true).optional(),
        alarm: z.literal(true).optional(),
        events: count.optional(),
        bytes: count.optional(),
        sinceMs: count.optional(),
      }),
    )
    .max(100),
})

/** The hints of the retries queue. */
export const retriesHintSchema = z.discriminatedUnion('kind', [
  dueHintSchema,
  deliveryHintSchema,
  replayHintSchema,
])

/** A hint: ids only; may be lost, late or doubled without harm. */
export const hintSchema = z.discriminatedUnion('kind', [
  eventsHintSchema,
  dueHintSchema,
  deliveryHintSchema,
  replayHintSchema,
  pacedHintSchema,
])

export type EventsHint = z.infer<typeof eventsHintSchema>
export type DueHint = z.infer<typeof dueHintSchema>
export type DeliveryHint = z.infer<typeof deliveryHintSchema>
export type ReplayHint = z.infer<typeof replayHintSchema>
export type PacedHint = z.infer<typeof pacedHintSchema>
export type RetriesHint = z.infer<typeof retriesHintSchema>
export type Hint = z.infer<typeof hintSchema>

import * as z from 'zod'

const count = z.int().nonnegative()

/** Deliveries named by one hint: as many as one claim takes. */
export const PAIRS_PER_HINT = 100

/**
 * "Make these first attempts": `fanouts` lists events by their distance from `firstSeq`, each followed by subscriptions
 * it is owed to. Naming the pairs lets a consumer claim them without reading fan-outs again.
 */
export const pairsHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('pairs'),
  workspaceNo: count,
  firstSeq: count,
  fanouts: z.array(z.array(count).min(2)).max(PAIRS_PER_HINT),
})

/** "Look at these events": first attempts of a range of a workspace's events, of all or of some of their subscriptions. */
export const eventsHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('events'),
  workspaceNo: count,
  firstSeq: count,
  lastSeq: count,
  /** Only these subscriptions; all when left out. */
  subscriptions: z.array(count).max(1000).optional(),
})

/** "Look at what is due for this subscription": retries and everything else that rested in D1. */
export const dueHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('due'),
  subscriptionNo: count,
})

/** "Make this delivery now": a person asked for it. */
export const deliveryHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('delivery'),
  subscriptionNo: count,
  seq: count,
})

/** "Ask this subscription's receiver if it wants its deliveries". */
export const verifyHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('verify'),
  subscriptionNo: count,
})

/** "Go on with this replay". */
export const replayHintSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('replay'),
  replayNo: count,
})

/**
 * "Look at what waits for these paced subscriptions". `events`, `bytes` and `sinceMs` say what began to wait, for the
 * pacer to count; without them the consumer looks in D1, unless it is the pacer's own `alarm`. `ordered` ones have no
 * pacer.
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

/** The hints of both queues for first attempts. */
export const firstAttemptsHintSchema = z.discriminatedUnion('kind', [pairsHintSchema, eventsHintSchema])

/** The hints of the retries queue. */
export const retriesHintSchema = z.discriminatedUnion('kind', [
  dueHintSchema,
  deliveryHintSchema,
  verifyHintSchema,
  replayHintSchema,
])

/** A hint: ids only; may be lost, late or doubled without harm. */
export const hintSchema = z.discriminatedUnion('kind', [
  pairsHintSchema,
  eventsHintSchema,
  dueHintSchema,
  deliveryHintSchema,
  verifyHintSchema,
  replayHintSchema,
  pacedHintSchema,
])

export type PairsHint = z.infer<typeof pairsHintSchema>
export type FirstAttemptsHint = z.infer<typeof firstAttemptsHintSchema>
export type EventsHint = z.infer<typeof eventsHintSchema>
export type DueHint = z.infer<typeof dueHintSchema>
export type DeliveryHint = z.infer<typeof deliveryHintSchema>
export type ReplayHint = z.infer<typeof replayHintSchema>
export type PacedHint = z.infer<typeof pacedHintSchema>
export type RetriesHint = z.infer<typeof retriesHintSchema>
export type Hint = z.infer<typeof hintSchema>

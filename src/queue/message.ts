import { z } from 'zod'

const count = z.int().nonnegative()

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

/** A hint: ids only; may be lost, late or doubled without harm. */
export const hintSchema = z.discriminatedUnion('kind', [eventsHintSchema, dueHintSchema])

export type EventsHint = z.infer<typeof eventsHintSchema>
export type DueHint = z.infer<typeof dueHintSchema>
export type Hint = z.infer<typeof hintSchema>

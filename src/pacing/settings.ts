import { z } from 'zod'
import { eventPatternSchema } from '../model/event-type.ts'
import { fieldPathSchema } from '../model/event-view.ts'

/** Bounds of `batchSettings`; times in seconds, as seed 002 has them. */
export const BATCH_EVENTS_MAX = 1000
export const BATCH_WAIT_SECONDS_MAX = 300
export const BATCH_BYTES_MIN = 1_000
export const BATCH_BYTES_MAX = 5_000_000
const FLUSH_PATTERNS_MAX = 50

const FLAG = 'must be true or false'
const BATCH = 'must be an object of "enabled", "maxEvents", "maxWaitTime", "maxBytes" and "flushOnEvent"'

const batchShape = {
  enabled: z.boolean(FLAG),
  maxEvents: wholeNumber('a whole number', 1, BATCH_EVENTS_MAX),
  maxWaitTime: wholeNumber('whole seconds', 1, BATCH_WAIT_SECONDS_MAX).describe(
    'Seconds from the acceptance of the first event',
  ),
  maxBytes: wholeNumber('whole bytes', BATCH_BYTES_MIN, BATCH_BYTES_MAX).describe(
    'The whole body; an event that is larger by itself goes alone',
  ),
  flushOnEvent: z
    .array(eventPatternSchema, 'must be a list of event types')
    .max(FLUSH_PATTERNS_MAX, `must name at most ${FLUSH_PATTERNS_MAX} event types`)
    .describe('Types or patterns; one that is not subscribed only flushes'),
}

/** Several events in one request (seed 002, "Webhook Event Batching"), complete. What is left out has a default. */
export const batchSettingsSchema = z.strictObject({
  enabled: batchShape.enabled.default(true),
  maxEvents: batchShape.maxEvents.default(100),
  maxWaitTime: batchShape.maxWaitTime.default(30),
  maxBytes: batchShape.maxBytes.default(1_000_000),
  flushOnEvent: batchShape.flushOnEvent.default([]),
})

/** `batchSettings` as a subscriber gives it; `mergeBatchSettings` fills in what is left out. */
export const batchSettingsInputSchema = z.strictObject(batchShape, BATCH).partial()

/** At most so many requests in any span of so many seconds. */
export const rateLimitSchema = z.strictObject(
  {
    requests: wholeNumber('a whole number', 1, 100_000),
    perSeconds: wholeNumber('whole seconds', 1, 3_600),
  },
  'must be an object of "requests" and "perSeconds"',
)

/** Whether events arrive in accepted order, each after the one before it has ended. */
export const orderedSchema = z.boolean(FLAG)

/** Requests under way at once. */
export const concurrencySchema = wholeNumber('a whole number', 1, 100)

/** Events of one value under this path keep their order among themselves. */
export const orderingKeySchema = fieldPathSchema

/** What becomes of those behind a delivery that has used up its retries: wait for somebody, or go on. */
export const onExhaustedSchema = z.enum(['block', 'skip'], 'must be "block" or "skip"')

/** Batching with nothing left out. */
export type BatchSettings = z.infer<typeof batchSettingsSchema>
/** Batching with anything left out. */
export type BatchSettingsInput = z.infer<typeof batchSettingsInputSchema>
export type RateLimit = z.infer<typeof rateLimitSchema>
export type OnExhausted = z.infer<typeof onExhaustedSchema>

/** The settings that say how fast, in what order and in what company deliveries are made. */
export type PacingSettings = {
  batchSettings: BatchSettings | null
  ordered: boolean
  orderingKey: string | null
  onExhausted: OnExhausted
  rateLimit: RateLimit | null
  concurrency: number | null
}

/** The settings of a subscription that is not paced. */
export const UNPACED: PacingSettings = {
  batchSettings: null,
  ordered: false,
  orderingKey: null,
  onExhausted: 'block',
  rateLimit: null,
  concurrency: null,
}

const BATCH_DEFAULTS = batchSettingsSchema.parse({})

/**
 * `batchSettings` after a change: null ends batching and forgets its limits. What is left out keeps its value, so that
 * switching batching off and on keeps the limits; where there was none it has its default.
 */
export function mergeBatchSettings(
  current: BatchSettings | null,
  given: BatchSettingsInput | null | undefined,
): BatchSettings | null {
  if (given === undefined) return current
  if (given === null) return null
  const base = current ?? BATCH_DEFAULTS
  return {
    enabled: given.enabled ?? base.enabled,
    maxEvents: given.maxEvents ?? base.maxEvents,
    maxWaitTime: given.maxWaitTime ?? base.maxWaitTime,
    maxBytes: given.maxBytes ?? base.maxBytes,
    flushOnEvent: given.flushOnEvent ?? base.flushOnEvent,
  }
}

/**
 * How a subscription's deliveries are held back. `none`: they are made as they come. `ordered`: D1 alone sees to it.
 * `metered`: a pacer counts and times them, and D1 keeps their order where there is one.
 */
export type PacingLevel = 'none' | 'ordered' | 'limited'

/** Levels by their stored number; the order is part of the schema. */
export const PACING_LEVELS: readonly PacingLevel[] = ['none', 'ordered', 'limited']

/** How much of the machinery a subscription's settings need. */
export function pacingLevelOf(settings: PacingSettings): PacingLevel {
  const { batchSettings, ordered, rateLimit, concurrency } = settings
  if (batchSettings?.enabled || rateLimit !== null || concurrency !== null) return 'limited'
  return ordered ? 'ordered' : 'none'
}

/** Whether the subscriber bounds how many requests are made. */
export function hasRequestLimit({ rateLimit, concurrency }: PacingSettings): boolean {
  return rateLimit !== null || concurrency !== null
}

/** Whether publishes do the same under two settings: rows, ordering keys, flushes. */
export function pacesSame(one: PacingSettings, other: PacingSettings): boolean {
  const asPublished = (settings: PacingSettings) => {
    const { ordered, orderingKey, batchSettings } = settings
    const flushes = batchSettings?.enabled ? batchSettings.flushOnEvent : []
    return JSON.stringify([pacingLevelOf(settings), ordered, ordered ? orderingKey : null, flushes])
  }
  return asPublished(one) === asPublished(other)
}

/** What a pacer needs to know of a subscription. `version` is the subscription's. */
export type PacerTerms = {
  version: number
  batch: { maxEvents: number; maxBytes: number; maxWaitMs: number } | null
  rate: RateLimit | null
  concurrency: number | null
}

/** The terms under which a pacer works for a subscription. */
export function pacerTermsOf(settings: PacingSettings, version: number): PacerTerms {
  const { batchSettings, rateLimit, concurrency } = settings
  const batch = batchSettings?.enabled
    ? {
        maxEvents: batchSettings.maxEvents,
        maxBytes: batchSettings.maxBytes,
        maxWaitMs: batchSettings.maxWaitTime * 1000,
      }
    : null
  return { version, batch, rate: rateLimit, concurrency }
}

function wholeNumber(what: string, min: number, max: number): z.ZodInt {
  const message = `must be ${what}, ${min.toLocaleString('en')}-${max.toLocaleString('en')}`
  // A fraction or an unsafe integer is refused once, not once more for being out of bounds.
  return z.int({ error: message, abort: true }).min(min, message).max(max, message)
}

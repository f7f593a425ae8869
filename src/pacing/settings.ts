import * as z from 'zod'
import { eventPatternSchema } from '../model/event-type.ts'
import { fieldPathSchema } from '../model/event-view.ts'

/** Bounds of `batchSettings`. */
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

const batchSettingsShape = {
  enabled: batchShape.enabled.default(true),
  maxEvents: batchShape.maxEvents.default(100),
  maxWaitTime: batchShape.maxWaitTime.default(30),
  maxBytes: batchShape.maxBytes.default(1_000_000),
  flushOnEvent: batchShape.flushOnEvent.default([]),
}

/** Several events in one request, with all settings; those that are left out get a default. */
export const batchSettingsSchema = z.strictObject(batchSettingsShape).meta({ id: 'BatchSettings' })

/** `batchSettings` as a subscriber gives it; `mergeBatchSettings` fills in the missing members. */
export const batchSettingsInputSchema = z
  .strictObject(batchShape, BATCH)
  .partial()
  .meta({ id: 'BatchSettingsChange' })

/** At most so many requests in any span of so many seconds. */
export const rateLimitSchema = z
  .strictObject(
    {
      requests: wholeNumber('a whole number', 1, 100_000),
      perSeconds: wholeNumber('whole seconds', 1, 3_600),
    },
    'must be an object of "requests" and "perSeconds"',
  )
  .meta({ id: 'RateLimit' })

/** True: events arrive in accepted order, each after the one before it has ended. */
export const orderedSchema = z.boolean(FLAG)

/** Requests under way at once. */
export const concurrencySchema = wholeNumber('a whole number', 1, 100)

/** Events of one value under this path keep their order among themselves. */
export const orderingKeySchema = fieldPathSchema

/** Deliveries behind one that has used up its retries wait for a person (`block`) or go on (`skip`). */
export const onExhaustedSchema = z.enum(['block', 'skip'], 'must be "block" or "skip"')

/** Batching with all members. */
export type BatchSettings = z.infer<typeof batchSettingsSchema>
/** Batching with any members missing. */
export type BatchSettingsInput = z.infer<typeof batchSettingsInputSchema>
export type RateLimit = z.infer<typeof rateLimitSchema>
export type OnExhausted = z.infer<typeof onExhaustedSchema>

/** The settings for the rate, the order and the batching of deliveries. */
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
 * `batchSettings` after a change: null ends batching and forgets its limits. A missing member keeps its
 * value or gets its default, so that switching batching off and on keeps the limits.
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
 * The way in which a subscription's deliveries are held back. `none`: they are made as they come.
 * `ordered`: D1 alone keeps their order. `limited`: a pacer counts and times them, beside any order.
 */
export type PacingLevel = 'none' | 'ordered' | 'limited'

/** Levels by their stored number; the order is part of the schema. */
export const PACING_LEVELS: readonly PacingLevel[] = ['none', 'ordered', 'limited']

/** The level that a subscription's settings need. */
export function pacingLevelOf(settings: PacingSettings): PacingLevel {
  const { batchSettings, ordered, rateLimit, concurrency } = settings
  if (batchSettings?.enabled || rateLimit !== null || concurrency !== null) return 'limited'
  return ordered ? 'ordered' : 'none'
}

/** True when the subscriber bounds the number of requests. */
export function hasRequestLimit({ rateLimit, concurrency }: PacingSettings): boolean {
  return rateLimit !== null || concurrency !== null
}

/** True when publishes do the same under both settings: rows, ordering keys, flushes. */
export function pacesSame(one: PacingSettings, other: PacingSettings): boolean {
  const asPublished = (settings: PacingSettings) => {
    const { ordered, orderingKey, batchSettings } = settings
    const flushes = batchSettings?.enabled ? batchSettings.flushOnEvent : []
    return JSON.stringify([pacingLevelOf(settings), ordered, ordered ? orderingKey : null, flushes])
  }
  return asPublished(one) === asPublished(other)
}

/** The part of a subscription that a pacer needs. `version` is the subscription's. */
export type PacerTerms = {
  version: number
  batch: { maxEvents: number; maxBytes: number; maxWaitMs: number } | null
  rate: RateLimit | null
  concurrency: number | null
}

/** The terms under which a pacer works for a subscription. */
export function pacerTermsOf({
  settings,
  version,
}: {
  settings: PacingSettings
  version: number
}): PacerTerms {
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

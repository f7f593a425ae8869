import { z } from 'zod'
import { deliveryHeadersSchema } from './delivery-headers.ts'
import { eventPatternSchema } from './event-type.ts'
import { namedRecord } from './named-record.ts'
import { retryPolicySchema } from './retry-policy.ts'

/** Seconds a receiver has to answer when the subscription does not say (seed 001's `timeout`). */
export const TIMEOUT_SECONDS_DEFAULT = 10
/** Most event patterns of one subscription. */
export const EVENT_PATTERNS_MAX = 200

const metadataSchema = namedRecord(
  z.string().regex(/^[\s\S]{1,100}$/, 'must have a name of 1-100 characters'),
  z.string().max(500, 'must be at most 500 characters'),
  { max: 50, message: 'must hold at most 50 entries' },
)

/** Everything a subscriber may set, but for the secret, which is kept apart and encrypted. Names are seed 002's. */
const settingsShape = {
  url: z.string().min(1, 'is required: where to deliver').max(2048, 'must be at most 2,048 characters'),
  events: z
    .array(eventPatternSchema)
    .min(1, 'must name at least one event type, "prefix.*" or "*"')
    .max(EVENT_PATTERNS_MAX, `must name at most ${EVENT_PATTERNS_MAX} event types`),
  description: z.string().max(1000, 'must be at most 1,000 characters').nullable().optional(),
  active: z.boolean().optional(),
  metadata: metadataSchema.optional(),
  headers: deliveryHeadersSchema.optional(),
  retryPolicy: retryPolicySchema.nullable().optional(),
  timeoutSeconds: z.int('must be whole seconds').min(1, 'must be 1-30').max(30, 'must be 1-30').optional(),
  profile: z.literal('standard', 'must be "standard"').optional(),
}

const secretSchema = z.string('must be a string of 8-256 characters')

/** Body of `POST /webhooks/subscribe`. */
export const createSubscriptionSchema = z.strictObject({ ...settingsShape, secret: secretSchema.optional() })

/** Body of `PUT` and `PATCH /webhooks/{id}`: what is named is changed, the rest stays (seed 002's example). */
export const updateSubscriptionSchema = z.strictObject({
  ...settingsShape,
  url: settingsShape.url.optional(),
  events: settingsShape.events.optional(),
  secret: secretSchema.optional(),
})

export type CreateSubscription = z.infer<typeof createSubscriptionSchema>
export type UpdateSubscription = z.infer<typeof updateSubscriptionSchema>

/** A subscription's settings as stored: parsed once when saved, complete with defaults. */
export const storedSettingsSchema = z.object({
  url: z.string(),
  events: z.array(z.string()),
  description: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  /** Custom headers, sealed as a whole: they may carry credentials. */
  headersCipher: z.string().nullable(),
  retryPolicy: retryPolicySchema.nullable(),
  timeoutSeconds: z.number(),
  profile: z.literal('standard'),
})
export type SubscriptionSettings = z.infer<typeof storedSettingsSchema>

/** How a subscription's receiver has behaved of late; decides which queue its deliveries take. */
export type Health = 'unproven' | 'healthy' | 'suspect'

/** A subscription without its secret. */
export type Subscription = {
  no: number
  workspaceNo: number
  id: string
  version: number
  active: boolean
  health: Health
  settings: SubscriptionSettings
  secretCipher: string | null
  createdAtMs: number
  updatedAtMs: number
  deletedAtMs: number | null
}

/** The settings of a new subscription, defaults filled in. */
export function newSettings(input: CreateSubscription, headersCipher: string | null): SubscriptionSettings {
  return {
    url: input.url,
    events: input.events,
    description: input.description ?? null,
    metadata: input.metadata ?? {},
    headersCipher,
    retryPolicy: input.retryPolicy ?? null,
    timeoutSeconds: input.timeoutSeconds ?? TIMEOUT_SECONDS_DEFAULT,
    profile: 'standard',
  }
}

/** Settings after a change: what is named replaces, the rest stays. `headersCipher` counts where headers are named. */
export function mergeSettings(
  settings: SubscriptionSettings,
  change: UpdateSubscription,
  headersCipher: string | null,
): SubscriptionSettings {
  return {
    url: change.url ?? settings.url,
    events: change.events ?? settings.events,
    description: change.description === undefined ? settings.description : change.description,
    metadata: change.metadata ?? settings.metadata,
    headersCipher: change.headers === undefined ? settings.headersCipher : headersCipher,
    retryPolicy: change.retryPolicy === undefined ? settings.retryPolicy : change.retryPolicy,
    timeoutSeconds: change.timeoutSeconds ?? settings.timeoutSeconds,
    profile: 'standard',
  }
}

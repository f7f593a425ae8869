import * as z from 'zod'
import { namedRecord } from '../base/json/named-record.ts'
import { MASK } from '../base/secret/redaction.ts'
import { destinationAuthSchema } from '../destination/auth.ts'
import { destinationIpsSchema } from '../destination/dns/check-addresses.ts'
import { conditionLogicSchema, conditionsSchema } from '../match/conditions.ts'
import { filtersSchema } from '../match/filters.ts'
import { callerIdSchema } from '../model/event.ts'
import { expiresAfterSecondsSchema } from '../model/event-timing.ts'
import { apiVersionSchema, eventPatternSchema } from '../model/event-type.ts'
import { responseRulesSchema } from '../outcome/response-rules.ts'
import { retryPolicySchema } from '../outcome/retry-policy.ts'
import {
  batchSettingsInputSchema,
  concurrencySchema,
  onExhaustedSchema,
  orderedSchema,
  orderingKeySchema,
  rateLimitSchema,
} from '../pacing/settings.ts'
import { disablePolicySchema } from '../receiver/failure-budget.ts'
import { changedHeadersSchema, deliveryHeadersSchema } from '../shape/headers.ts'
import { customInputSchema, profileSchema } from '../shape/profile.ts'
import { transformSchema } from '../shape/transform.ts'
import { SUBSCRIPTION_ID_PREFIX } from './row.ts'

/** Most event patterns of one subscription. */
export const EVENT_PATTERNS_MAX = 200

const NAME_CHARS_MAX = 200
const NAME = `must be a text of 1-${NAME_CHARS_MAX} characters, or null`

const metadataSchema = namedRecord(
  z.string().regex(/^[\s\S]{1,100}$/, 'must have a name of 1-100 characters'),
  z.string().max(500, 'must be at most 500 characters'),
  { max: 50, message: 'must hold at most 50 entries' },
)

/** Ids that callers choose never look like generated ones, so that a path names one subscription at most. */
export const uidSchema = callerIdSchema.refine(
  (uid) => !uid.startsWith(SUBSCRIPTION_ID_PREFIX),
  `must not begin with "${SUBSCRIPTION_ID_PREFIX}", as generated ids do`,
)

const POST_ONLY =
  'must be "POST": deliveries are POST requests, which is what receivers and signatures expect'
const CERTIFICATES =
  'must be true: certificates are always checked, since without that anyone on the way could read and forge deliveries'

/** Settings that have one value so far: taken where they say what is so. */
export const fixedShape = {
  method: z
    .string(POST_ONLY)
    .refine((method) => method.toUpperCase() === 'POST', POST_ONLY)
    .optional(),
  sslVerification: z.literal(true, CERTIFICATES).optional(),
}

/** Everything a subscriber may set but the secret, which is stored apart. */
const settingsShape = {
  ...fixedShape,
  uid: uidSchema.nullable().optional(),
  url: z.string().min(1, 'is required: where to deliver').max(2048, 'must be at most 2,048 characters'),
  events: z
    .array(eventPatternSchema)
    .min(1, 'must name at least one event type, "prefix.*" or "*"')
    .max(EVENT_PATTERNS_MAX, `must name at most ${EVENT_PATTERNS_MAX} event types`),
  name: z.string().min(1, NAME).max(NAME_CHARS_MAX, NAME).nullable().optional(),
  description: z.string().max(1000, 'must be at most 1,000 characters').nullable().optional(),
  active: z.boolean().optional(),
  metadata: metadataSchema.optional(),
  headers: deliveryHeadersSchema.optional(),
  retryPolicy: retryPolicySchema.nullable().optional(),
  timeoutSeconds: z.int('must be whole seconds').min(1, 'must be 1-30').max(30, 'must be 1-30').optional(),
  filters: filtersSchema.nullable().optional(),
  conditions: conditionsSchema.nullable().optional(),
  conditionLogic: conditionLogicSchema.optional(),
  /** true: live events only, false: test events only, null: both. */
  livemode: z.boolean('must be true (live events), false (test events) or null (both)').nullable().optional(),
  /** Only events published under this version; null: all. */
  apiVersion: apiVersionSchema.nullable().optional(),
  transform: transformSchema.nullable().optional(),
  profile: profileSchema.optional(),
  custom: customInputSchema.nullable().optional(),
  /** Ed25519 signatures (`v1a`) beside the secret's, where the profile has `webhook-signature`. */
  asymmetric: z.boolean().optional(),
  responseRules: responseRulesSchema.nullable().optional(),
  disablePolicy: disablePolicySchema.nullable().optional(),
  expiresAfterSeconds: expiresAfterSecondsSchema.nullable().optional(),
  batchSettings: batchSettingsInputSchema.nullable().optional(),
  ordered: orderedSchema.optional(),
  orderingKey: orderingKeySchema.nullable().optional(),
  onExhausted: onExhaustedSchema.optional(),
  rateLimit: rateLimitSchema.nullable().optional(),
  concurrency: concurrencySchema.nullable().optional(),
  auth: destinationAuthSchema.nullable().optional(),
  /** All addresses of the host must lie in these; null: any. */
  destinationIps: destinationIpsSchema.nullable().optional(),
}

const SECRET = 'must be a string of 8-256 characters'

/** Refuses the mask that answers show for a secret: sent back, it would replace the secret. */
export const secretSchema = z
  .string(SECRET)
  .refine(
    (secret) => secret !== MASK,
    'must be the secret itself, not what answers show in its place; leave it out to keep it',
  )

/** Body of `POST /webhooks/subscribe`. */
export const createSubscriptionSchema = z
  .strictObject({ ...settingsShape, secret: secretSchema.optional() })
  .meta({ id: 'SubscriptionSettings' })

const subscriptionChangeShape = {
  ...settingsShape,
  url: settingsShape.url.optional(),
  events: settingsShape.events.optional(),
  headers: changedHeadersSchema.optional(),
  secret: z
    .string(SECRET)
    .transform((secret) => (secret === MASK ? undefined : secret))
    .optional(),
}

/** Body of `PUT` and `PATCH /webhooks/{id}`: only settings that are named change, and none that is masked. */
export const updateSubscriptionSchema = z
  .strictObject(subscriptionChangeShape)
  .meta({ id: 'SubscriptionChange' })

export type CreateSubscription = z.infer<typeof createSubscriptionSchema>
export type UpdateSubscription = z.infer<typeof updateSubscriptionSchema>

/** The target of a dispatch: its address, and how to shape, sign and retry. */
export const dispatchTargetShape = {
  url: settingsShape.url,
  secret: secretSchema,
  profile: settingsShape.profile,
  custom: settingsShape.custom,
  headers: settingsShape.headers,
  auth: settingsShape.auth,
  transform: settingsShape.transform,
  timeoutSeconds: settingsShape.timeoutSeconds,
  retryPolicy: settingsShape.retryPolicy,
  responseRules: settingsShape.responseRules,
}

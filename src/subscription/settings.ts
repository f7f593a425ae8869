import * as z from 'zod'
import { type Rules, storedRulesSchema } from '../match/rules.ts'
import { timeoutSecondsOf } from '../outcome/profile-defaults.ts'
import { responseRulesSchema } from '../outcome/response-rules.ts'
import { retryPolicySchema } from '../outcome/retry-policy.ts'
import {
  batchSettingsSchema,
  concurrencySchema,
  mergeBatchSettings,
  onExhaustedSchema,
  orderedSchema,
  orderingKeySchema,
  type PacingSettings,
  pacesSame,
  rateLimitSchema,
  UNPACED,
} from '../pacing/settings.ts'
import { disablePolicySchema } from '../receiver/failure-budget.ts'
import { customProfileSchema, profileSchema } from '../shape/profile.ts'
import { storedTransformSchema } from '../shape/transform.ts'
import type { CreateSubscription, UpdateSubscription } from './input.ts'

/**
 * A subscription's settings as stored, parsed once and complete.
 * Members with a default here are missing in older rows.
 */
export const storedSettingsSchema = z.object({
  url: z.string(),
  events: z.array(z.string()),
  name: z.string().nullable().default(null),
  description: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  /** Custom headers, sealed as a whole: they may carry credentials. */
  headersCipher: z.string().nullable(),
  retryPolicy: retryPolicySchema.nullable(),
  timeoutSeconds: z.number(),
  rules: storedRulesSchema.nullable().default(null),
  livemode: z.boolean().nullable().default(null),
  apiVersion: z.string().nullable().default(null),
  transform: storedTransformSchema.nullable().default(null),
  profile: profileSchema,
  custom: customProfileSchema.nullable().default(null),
  asymmetric: z.boolean().default(false),
  responseRules: responseRulesSchema.nullable().default(null),
  disablePolicy: disablePolicySchema.nullable().default(null),
  expiresAfterSeconds: z.number().nullable().default(null),
  batchSettings: batchSettingsSchema.nullable().default(UNPACED.batchSettings),
  ordered: orderedSchema.default(UNPACED.ordered),
  orderingKey: orderingKeySchema.nullable().default(UNPACED.orderingKey),
  onExhausted: onExhaustedSchema.default(UNPACED.onExhausted),
  rateLimit: rateLimitSchema.nullable().default(UNPACED.rateLimit),
  concurrency: concurrencySchema.nullable().default(UNPACED.concurrency),
  destinationIps: z.array(z.string()).nullable().default(null),
})
export type SubscriptionSettings = z.infer<typeof storedSettingsSchema>

/** The settings of a new subscription, defaults filled in. */
export function newSettings(input: CreateSubscription, headersCipher: string | null): SubscriptionSettings {
  const profile = input.profile ?? 'standard'
  return {
    url: input.url,
    events: input.events,
    name: input.name ?? null,
    description: input.description ?? null,
    metadata: input.metadata ?? {},
    headersCipher,
    retryPolicy: input.retryPolicy ?? null,
    timeoutSeconds: input.timeoutSeconds ?? timeoutSecondsOf(profile),
    rules: mergeRules(null, input),
    livemode: input.livemode ?? null,
    apiVersion: input.apiVersion ?? null,
    transform: input.transform ?? null,
    profile,
    custom: input.custom ?? null,
    asymmetric: input.asymmetric ?? false,
    responseRules: input.responseRules ?? null,
    disablePolicy: input.disablePolicy ?? null,
    expiresAfterSeconds: input.expiresAfterSeconds ?? null,
    ...mergePacing(UNPACED, input),
    destinationIps: input.destinationIps ?? null,
  }
}

/**
 * Applies a change: a setting that is named replaces the
 * stored one. `headersCipher` counts if headers are named.
 */
export function mergeSettings(
  settings: SubscriptionSettings,
  change: UpdateSubscription,
  headersCipher: string | null,
): SubscriptionSettings {
  return {
    url: change.url ?? settings.url,
    events: change.events ?? settings.events,
    name: named(change.name, settings.name),
    description: named(change.description, settings.description),
    metadata: change.metadata ?? settings.metadata,
    headersCipher: change.headers === undefined ? settings.headersCipher : headersCipher,
    retryPolicy: named(change.retryPolicy, settings.retryPolicy),
    timeoutSeconds: change.timeoutSeconds ?? settings.timeoutSeconds,
    rules: mergeRules(settings.rules, change),
    livemode: named(change.livemode, settings.livemode),
    apiVersion: named(change.apiVersion, settings.apiVersion),
    transform: named(change.transform, settings.transform),
    profile: change.profile ?? settings.profile,
    custom: named(change.custom, leavesCustom(change) ? null : settings.custom),
    asymmetric: change.asymmetric ?? settings.asymmetric,
    responseRules: named(change.responseRules, settings.responseRules),
    disablePolicy: named(change.disablePolicy, settings.disablePolicy),
    expiresAfterSeconds: named(change.expiresAfterSeconds, settings.expiresAfterSeconds),
    ...mergePacing(settings, change),
    destinationIps: named(change.destinationIps, settings.destinationIps),
  }
}

/**
 * True when two settings select the same events and make
 * the same of them wait, so that none need match afresh.
 */
export function selectSame(one: SubscriptionSettings, other: SubscriptionSettings): boolean {
  const selection = ({ events, rules, livemode, apiVersion }: SubscriptionSettings) =>
    JSON.stringify([events, rules, livemode, apiVersion])
  return selection(one) === selection(other) && pacesSame(one, other)
}

/** True for a change to another profile, which has no use for a custom configuration. */
function leavesCustom({ profile }: UpdateSubscription): boolean {
  return profile !== undefined && profile !== 'custom'
}

function mergePacing(settings: PacingSettings, change: Partial<UpdateSubscription>): PacingSettings {
  return {
    batchSettings: mergeBatchSettings(settings.batchSettings, change.batchSettings),
    ordered: change.ordered ?? settings.ordered,
    // A key has no use without an order, as a custom scheme has none under another profile.
    orderingKey: named(change.orderingKey, change.ordered === false ? null : settings.orderingKey),
    onExhausted: change.onExhausted ?? settings.onExhausted,
    rateLimit: named(change.rateLimit, settings.rateLimit),
    concurrency: named(change.concurrency, settings.concurrency),
  }
}

function mergeRules(
  rules: Rules | null,
  change: Pick<UpdateSubscription, 'filters' | 'conditions' | 'conditionLogic'>,
): Rules | null {
  const filters = named(change.filters, rules?.filters ?? null)
  const conditions = named(change.conditions, rules?.conditions ?? null)
  const conditionLogic = change.conditionLogic ?? rules?.conditionLogic ?? 'AND'
  const isDefault = filters === null && conditions === null && conditionLogic === 'AND'
  return isDefault ? null : { filters, conditions, conditionLogic }
}

function named<T>(value: T | undefined, otherwise: T): T {
  return value === undefined ? otherwise : value
}

import * as z from 'zod'
import { maskUrl } from '../../../base/secret/mask-url.ts'
import { MASK } from '../../../base/secret/redaction.ts'
import type { Vault } from '../../../base/secret/vault.ts'
import { iso, isoOrNull } from '../../../base/time.ts'
import { destinationAuthSchema, maskAuth } from '../../../destination/auth.ts'
import { isListenerAddress } from '../../../destination/listener-address.ts'
import { openAuth, openHeaders } from '../../../destination/sealed.ts'
import { type Counters, emptyCounters } from '../../../history/counters.ts'
import { totalCounters } from '../../../history/statistics.sql.ts'
import { conditionsSchema } from '../../../match/conditions.ts'
import { filtersSchema } from '../../../match/filters.ts'
import type { Problem } from '../../../model/errors.ts'
import { policyInForce } from '../../../outcome/profile-defaults.ts'
import { responseRulesSchema } from '../../../outcome/response-rules.ts'
import { retryPolicySchema } from '../../../outcome/retry-policy.ts'
import {
  batchSettingsSchema,
  concurrencySchema,
  onExhaustedSchema,
  rateLimitSchema,
} from '../../../pacing/settings.ts'
import { breakerName, heldUntilOf } from '../../../receiver/breaker.ts'
import { assessBudget, disablePolicySchema, resolveDisablePolicy } from '../../../receiver/failure-budget.ts'
import { maskHeaders } from '../../../shape/headers.ts'
import { customProfileAnswerSchema, profileSchema } from '../../../shape/profile.ts'
import { transformSchema } from '../../../shape/transform.ts'
import { STANDINGS, standingOf } from '../../../subscription/overview/standing.ts'
import { isInOverlap } from '../../../subscription/secrets/credentials.ts'
import { publicKeysOf } from '../../../subscription/secrets/public-keys.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import type { ApiDeps } from '../../context.ts'
import { findLiveSubscription } from '../../find.ts'
import { lastDaySchema } from '../statistics/last-day.ts'

const subscriptionShape = {
  id: z.string(),
  uid: z.string().nullable().describe('The id that its creator chose: it can be named by either'),
  url: z.string().describe('A credential in it is masked, as in Slack’s; GET /webhooks/{id}/secret shows it'),
  events: z.array(z.string()),
  secret: z.string().describe('Masked, but in the answer to creation; GET /webhooks/{id}/secret shows it'),
  name: z.string().nullable(),
  description: z.string().nullable(),
  active: z.boolean(),
  temporary: z.boolean().describe('It is a listener’s, and ends with it'),
  metadata: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  retryPolicy: retryPolicySchema.nullable(),
  retryPolicyInForce: z
    .object({ source: z.enum(['subscription', 'profile']) })
    .catchall(z.unknown())
    .describe('The policy that counts; `source` says if its delays are its own or those of its profile'),
  timeoutSeconds: z.int(),
  filters: filtersSchema.nullable(),
  conditions: conditionsSchema.nullable(),
  conditionLogic: z.enum(['AND', 'OR']),
  livemode: z.boolean().nullable().describe('true: live events only, false: test events only, null: both'),
  apiVersion: z.string().nullable(),
  transform: transformSchema.nullable(),
  profile: profileSchema,
  custom: customProfileAnswerSchema.nullable(),
  asymmetric: z.boolean(),
  publicKeys: z.array(z.string()).optional().describe('For v1a signatures; also at GET /jwks/{id}'),
  previousSecretValidUntil: z.string().optional().describe('While a rotated secret is still signed with'),
  auth: destinationAuthSchema.nullable().describe('Credentials masked'),
  responseRules: responseRulesSchema.nullable(),
  disablePolicy: disablePolicySchema.nullable(),
  expiresAfterSeconds: z.int().nullable(),
  batchSettings: batchSettingsSchema.nullable(),
  ordered: z.boolean(),
  orderingKey: z.string().nullable(),
  onExhausted: onExhaustedSchema,
  rateLimit: rateLimitSchema.nullable(),
  concurrency: concurrencySchema.nullable(),
  destinationIps: z
    .array(z.string())
    .nullable()
    .describe('All addresses of its host must lie in these; null: any'),
  pausedAt: z.string().nullable(),
  disabledReason: z.enum(['manual', 'gone', 'failing', 'unverified']).nullable(),
  verification: z
    .object({ challengedAt: z.string().nullable(), problem: z.string().nullable() })
    .nullable()
    .describe('Of an unverified subscription: when its host was challenged, and why that was not enough'),
  breaker: z.object({
    state: z.enum(['closed', 'open', 'half_open', 'throttled']),
    faultsInRow: z.int(),
    heldUntil: z.string().nullable(),
  }),
  health: z.enum(STANDINGS).describe('How it stands, in one word: the first of these that holds'),
  failing: z
    .object({ since: z.string(), failedAttempts: z.int(), percent: z.int() })
    .nullable()
    .describe('How much of the failure budget is spent; null while nothing fails'),
  warnings: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe(
      'Rules that can never hold, templates that fail, secrets that can be guessed; in answers to changes',
    ),
  createdAt: z.string(),
  updatedAt: z.string(),
  statistics: z.object({
    totalDelivered: z.int(),
    totalFailed: z.int(),
    lastDelivery: z.string().nullable(),
  }),
  lastDay: lastDaySchema.optional().describe('In lists'),
}

/** A subscription as the API shows it. */
export const subscriptionAnswerSchema = z.object(subscriptionShape).meta({ id: 'Subscription' })

type Shown = {
  counters?: Counters | undefined
  secret?: string
  warnings?: Problem[]
  nowMs?: number
  lastDay?: z.infer<typeof lastDaySchema>
}

/** Shows a subscription; `secret` is masked unless it is given. */
export async function subscriptionAnswer(
  vault: Vault,
  subscription: Subscription,
  {
    counters = emptyCounters(),
    secret = MASK,
    warnings = [],
    nowMs = subscription.updatedAtMs,
    lastDay,
  }: Shown = {},
): Promise<z.infer<typeof subscriptionAnswerSchema>> {
  const { id, uid, active, sealed, settings, createdAtMs, updatedAtMs } = subscription
  const { url, events, name, description, metadata, headersCipher, rules, ...shown } = settings
  const headers =
    headersCipher === null ? {} : maskHeaders(await openHeaders(vault, subscription, headersCipher))
  const auth =
    sealed.authCipher === null ? null : maskAuth(await openAuth(vault, subscription, sealed.authCipher))
  return {
    // The members that people look for come first.
    id,
    uid,
    url: secret === MASK ? maskUrl(url) : url,
    events,
    secret,
    name,
    description,
    active,
    temporary: isListenerAddress(url),
    metadata,
    headers,
    ...shown,
    retryPolicyInForce: policyInForce(settings.retryPolicy, settings.profile),
    auth,
    filters: rules?.filters ?? null,
    conditions: rules?.conditions ?? null,
    conditionLogic: rules?.conditionLogic ?? 'AND',
    health: standingOf(subscription),
    ...receiverAnswer(subscription, nowMs),
    ...(await keysAnswer(vault, subscription, nowMs)),
    ...(warnings.length > 0 && { warnings }),
    createdAt: iso(createdAtMs),
    updatedAt: iso(updatedAtMs),
    statistics: statisticsAnswer(counters),
    ...(lastDay !== undefined && { lastDay }),
  }
}

function statisticsAnswer({ delivered, failed, lastDeliveryAtMs }: Counters) {
  return {
    totalDelivered: delivered,
    totalFailed: failed,
    lastDelivery: lastDeliveryAtMs === 0 ? null : iso(lastDeliveryAtMs),
  }
}

/** A subscription read afresh, with its counters; 404 when it is gone. */
export async function showSubscription(deps: ApiDeps, workspaceId: string, id: string) {
  return await showFound(deps, await findLiveSubscription(deps, workspaceId, id))
}

/** A subscription that was just read, with its counters. */
export async function showFound(deps: ApiDeps, subscription: Subscription, shown: Shown = {}) {
  const counters = await totalCounters(deps.db, [subscription.no])
  return await subscriptionAnswer(deps.vault, subscription, {
    ...shown,
    counters: counters.get(subscription.no),
    nowMs: deps.now(),
  })
}

/** Shows the receiver's state, which may make deliveries wait. */
function receiverAnswer(
  { pausedAtMs, disabledReason, challenge, breaker, budget, settings }: Subscription,
  nowMs: number,
) {
  const untilMs = heldUntilOf(breaker, nowMs)
  const { percent } = assessBudget(budget, resolveDisablePolicy(settings.disablePolicy), nowMs)
  const { failingSinceMs, failedAttempts } = budget
  return {
    pausedAt: isoOrNull(pausedAtMs),
    disabledReason,
    verification:
      disabledReason === 'unverified'
        ? { challengedAt: isoOrNull(challenge.atMs), problem: challenge.problem }
        : null,
    breaker: {
      state: breakerName(breaker, nowMs),
      faultsInRow: breaker.faultsInRow,
      heldUntil: isoOrNull(untilMs),
    },
    failing: failingSinceMs === null ? null : { since: iso(failingSinceMs), failedAttempts, percent },
  }
}

/** Shows the keys that receivers need while secrets change, and for asymmetric signatures. */
async function keysAnswer(vault: Vault, subscription: Subscription, nowMs: number) {
  const untilMs = subscription.sealed.previousSecretUntilMs
  const publicKeys = await publicKeysOf(vault, subscription, nowMs)
  return {
    ...(publicKeys.length > 0 && { publicKeys: publicKeys.map(({ text }) => text) }),
    ...(isInOverlap(subscription, nowMs) && untilMs !== null && { previousSecretValidUntil: iso(untilMs) }),
  }
}

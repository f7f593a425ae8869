import * as z from 'zod'
import { namedRecord } from '../base/json/named-record.ts'
import { eventTypeSchema } from '../model/event-type.ts'
import { RETRY_AFTER_SECONDS_MAX } from './retry-after.ts'

/** Most retries of one delivery in any form of the policy. */
const RETRIES_MAX = 100
/** Longest delay and longest life of a delivery, in seconds: 30 days. */
const DELAY_SECONDS_MAX = 30 * 86_400
/** Most event types with a policy of their own in one subscription. */
const EVENT_POLICIES_MAX = 100

/** Standard Webhooks' example schedule, in seconds: 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. */
const DEFAULT_SCHEDULE: readonly number[] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
/** Only the default schedule is jittered unasked; delays that a subscriber wrote down are kept exactly. */
const DEFAULT_JITTER = 0.1

/** The policy of a profile that has none of its own. */
export const DEFAULT_POLICY: RetryPolicy = { schedule: [...DEFAULT_SCHEDULE], jitter: DEFAULT_JITTER }

/** The defaults of the form `{maxRetries, retryDelay, backoffMultiplier}`: 5, 10, 20, 40, 80 s. */
const EXPONENTIAL_DEFAULTS = { maxRetries: 5, retryDelay: 5, backoffMultiplier: 2 }

const delaySchema = z.number().min(0).max(DELAY_SECONDS_MAX)

const policyFields = {
  maxRetries: z.int().min(0).max(RETRIES_MAX).optional(),
  retryDelay: delaySchema.optional(),
  backoffMultiplier: z.number().min(0).max(100).optional(),
  schedule: z.array(delaySchema).max(RETRIES_MAX).optional(),
  tries: z
    .int()
    .min(1)
    .max(RETRIES_MAX + 1)
    .optional(),
  backoff: z.array(delaySchema).min(1).max(RETRIES_MAX).optional(),
  maxAgeSeconds: z.number().min(1).max(DELAY_SECONDS_MAX).optional(),
  maxRetryAfterSeconds: z
    .number()
    .min(0)
    .max(RETRY_AFTER_SECONDS_MAX)
    .optional()
    .describe("Longest wait that a receiver's Retry-After can ask for; 0 ignores it"),
  jitter: z.number().min(0).max(1).optional(),
  retryClientErrors: z.boolean().optional(),
}

const eventPolicySchema = z.strictObject(policyFields).superRefine(requireOneForm)

/**
 * Validates a `retryPolicy`, delays in seconds, in one of three forms: `{maxRetries, retryDelay,
 * backoffMultiplier}`, `{schedule}` or `{tries, backoff}`. It is stored as it was given.
 */
export const retryPolicySchema = z
  .strictObject({
    ...policyFields,
    byEvent: namedRecord(eventTypeSchema, eventPolicySchema, {
      max: EVENT_POLICIES_MAX,
      message: `must name at most ${EVENT_POLICIES_MAX} event types`,
    }).optional(),
  })
  .superRefine(requireOneForm)
  .meta({ id: 'RetryPolicy', description: 'Delays in seconds, in one of three forms' })

/** A validated `retryPolicy`. */
export type RetryPolicy = z.infer<typeof retryPolicySchema>
type EventPolicy = z.infer<typeof eventPolicySchema>

/** A policy resolved for one event type. `delaysSeconds[n]` is the delay after attempt n + 1. */
type ResolvedPolicy = {
  delaysSeconds: readonly number[]
  /** 0-1: a delay may be shorter or longer by this part of itself. */
  jitter: number
  /** No attempt is due later than this after the event was accepted; null for no such limit. */
  maxAgeSeconds: number | null
  /** Longest wait that a receiver can ask for; 0 where its `Retry-After` does not count. */
  maxRetryAfterSeconds: number
  retryClientErrors: boolean
  /** True where these are not retried: not even 408, 425 and 429. */
  everyClientErrorIsFinal?: true
  /** Attempts in all, the first one included. */
  maxAttempts: number
}

/** The retries of a profile, for subscriptions that do not say. */
export type PolicyDefaults = {
  /** Null for the schedule of Standard Webhooks. */
  policy: RetryPolicy | null
  /** Every 4xx is final, 408, 425 and 429 too, unless the subscription asks for retries of client errors. */
  everyClientErrorIsFinal: boolean
}

const NO_DEFAULTS: PolicyDefaults = { policy: null, everyClientErrorIsFinal: false }

/**
 * Resolves the policy of one event type. An entry of `byEvent` overrides its own members and
 * inherits the others; where the policy is silent its profile's counts.
 */
export function resolvePolicy(
  policy: RetryPolicy | null,
  eventType: string,
  defaults: PolicyDefaults = NO_DEFAULTS,
): ResolvedPolicy {
  const own = ownPolicy(policy, eventType)
  const given = (own && delaysOf(own)) ?? (policy && delaysOf(policy)) ?? null
  const preset = given === null ? (defaults.policy ?? DEFAULT_POLICY) : null
  const delaysSeconds = given ?? (preset && delaysOf(preset)) ?? DEFAULT_SCHEDULE
  return {
    delaysSeconds,
    jitter: own?.jitter ?? policy?.jitter ?? preset?.jitter ?? 0,
    maxAgeSeconds: own?.maxAgeSeconds ?? policy?.maxAgeSeconds ?? preset?.maxAgeSeconds ?? null,
    maxRetryAfterSeconds:
      own?.maxRetryAfterSeconds ?? policy?.maxRetryAfterSeconds ?? RETRY_AFTER_SECONDS_MAX,
    retryClientErrors:
      own?.retryClientErrors ?? policy?.retryClientErrors ?? defaults.policy?.retryClientErrors ?? true,
    ...(defaults.everyClientErrorIsFinal && { everyClientErrorIsFinal: true }),
    maxAttempts: delaysSeconds.length + 1,
  }
}

/** The consequence of a failed attempt. Times are unix milliseconds. */
export type NextAttempt =
  | { kind: 'retry'; dueAtMs: number }
  | { kind: 'exhausted'; reason: 'attempts' | 'age' }

/**
 * Decides when a delivery is tried again after its `attemptsMade`-th attempt failed at `nowMs`.
 *
 * @param input.random a number in [0, 1) for the jitter
 * @param input.retryAfterSeconds the receiver's request, or null; it can delay the retry beyond the
 * policy's own delay (up to `maxRetryAfterSeconds`), never bring it forward
 */
export function nextAttempt(input: {
  policy: ResolvedPolicy
  attemptsMade: number
  acceptedAtMs: number
  nowMs: number
  random: number
  retryAfterSeconds: number | null
}): NextAttempt {
  const { policy, attemptsMade, acceptedAtMs, nowMs } = input
  const delaySeconds = policy.delaysSeconds[Math.max(attemptsMade, 1) - 1]
  if (delaySeconds === undefined) return { kind: 'exhausted', reason: 'attempts' }
  const jittered = delaySeconds * (1 + policy.jitter * (2 * input.random - 1))
  const ownSeconds = Math.min(jittered, DELAY_SECONDS_MAX)
  const askedSeconds = Math.min(input.retryAfterSeconds ?? 0, policy.maxRetryAfterSeconds)
  const dueAtMs = nowMs + Math.round(Math.max(ownSeconds, askedSeconds) * 1000)
  if (policy.maxAgeSeconds !== null && dueAtMs > acceptedAtMs + policy.maxAgeSeconds * 1000) {
    return { kind: 'exhausted', reason: 'age' }
  }
  return { kind: 'retry', dueAtMs }
}

function ownPolicy(policy: RetryPolicy | null, eventType: string): EventPolicy | undefined {
  const byEvent = policy?.byEvent
  // `constructor` is a valid event type: only own members count.
  return byEvent !== undefined && Object.hasOwn(byEvent, eventType) ? byEvent[eventType] : undefined
}

/** True where a policy has delays of its own, for all event types that it does not name. */
export function hasDelays(policy: RetryPolicy): boolean {
  return delaysOf(policy) !== null
}

/** The delays a policy gives, in seconds, or null when it gives none. */
function delaysOf(policy: EventPolicy): readonly number[] | null {
  if (policy.schedule !== undefined) return policy.schedule
  if (policy.tries !== undefined) return repeatLast(policy.backoff ?? [], policy.tries - 1)
  if (exponentialFields(policy).length === 0) return null
  const maxRetries = policy.maxRetries ?? EXPONENTIAL_DEFAULTS.maxRetries
  const retryDelay = policy.retryDelay ?? EXPONENTIAL_DEFAULTS.retryDelay
  const multiplier = policy.backoffMultiplier ?? EXPONENTIAL_DEFAULTS.backoffMultiplier
  return Array.from({ length: maxRetries }, (_, retry) =>
    Math.min(retryDelay * multiplier ** retry, DELAY_SECONDS_MAX),
  )
}

/**
 * Laravel's reading of `backoff`, from which this form takes its words: the last delay serves all
 * further retries.
 */
function repeatLast(backoff: readonly number[], retries: number): readonly number[] {
  return Array.from({ length: retries }, (_, retry) => backoff[Math.min(retry, backoff.length - 1)] ?? 0)
}

function exponentialFields(policy: EventPolicy): (keyof EventPolicy)[] {
  return (['maxRetries', 'retryDelay', 'backoffMultiplier'] as const).filter(
    (name) => policy[name] !== undefined,
  )
}

function requireOneForm(policy: EventPolicy, context: z.RefinementCtx): void {
  const issue = (path: keyof EventPolicy, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message })
  const forms = [
    exponentialFields(policy),
    (['schedule'] as const).filter((name) => policy[name] !== undefined),
    (['tries', 'backoff'] as const).filter((name) => policy[name] !== undefined),
  ].flatMap(([first]) => (first === undefined ? [] : [first]))
  const [first, ...others] = forms
  for (const other of others) {
    issue(
      other,
      `cannot be combined with "${first}": give {maxRetries, retryDelay, backoffMultiplier}, {schedule} or {tries, backoff}`,
    )
  }
  if (policy.backoff !== undefined && policy.tries === undefined) {
    issue('tries', 'is required with "backoff": the number of attempts, the first one included')
  }
  if (policy.backoff === undefined && policy.tries !== undefined && policy.tries > 1) {
    issue(
      'backoff',
      'is required with "tries": the delays between the attempts, in seconds, such as [10, 30, 60]',
    )
  }
}

/**
 * The due time of a delivery that blocks those behind it: 9999-12-31, in unix milliseconds. A due
 * delivery counts as outstanding, so that a person may still retry or cancel it.
 */
export const BLOCKED_UNTIL_MS = 253_402_300_799_999

/** A subscription's order, and the effect of an exhausted delivery on it. */
type OrderedSettings = { ordered: boolean; onExhausted: 'block' | 'skip' }

/**
 * The due time of a delivery without attempts left: null, or `BLOCKED_UNTIL_MS` when it blocks its
 * key.
 */
export function dueWhenExhausted({ ordered, onExhausted }: OrderedSettings): number | null {
  return ordered && onExhausted === 'block' ? BLOCKED_UNTIL_MS : null
}

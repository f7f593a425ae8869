import * as z from 'zod'
import { maskUrl } from '../../../base/secret/mask-url.ts'
import { iso, isoOrNull } from '../../../base/time.ts'
import type { LoggedAttempt } from '../../../history/attempt-log.sql.ts'
import type { LoggedDelivery } from '../../../history/delivery-log.sql.ts'
import { attemptIdOf, batchIdOf, deliveryIdOf, eventIdOf } from '../../../model/delivery.ts'
import { BLOCKED_UNTIL_MS } from '../../../outcome/retry-policy.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { WAITING_REASONS, waitingFor } from '../../../subscription/waiting-for.ts'
import { attemptTexts } from './attempt-texts.ts'
import { type DeliveryWords, deliveryInWords } from './words/delivery-words.ts'

/** The receiver of a delivery, as it is now. */
const receiverShape = {
  webhookId: z.string().describe('The subscription; of a dispatch, its target'),
  url: z.string().describe("The subscription's URL as it is now"),
}

/** What came of an attempt. */
export const attemptResultShape = {
  responseCode: z
    .int()
    .nullable()
    .describe('The status that came, also where the body of a 2xx did not come to its end'),
  responseTime: z.int().nullable().describe('Milliseconds'),
  responseBody: z.string().nullable(),
  error: z.string().nullable().describe('What the last attempt failed of, in one word'),
  errorMessage: z.string().nullable().describe("The same in a sentence: the fault's own where there is one"),
  explanation: z.string().nullable().describe('What kept the request from being made'),
}

/** An attempt as lists show it. */
export const attemptShape = {
  id: z.string(),
  attempt: z.int(),
  ...receiverShape,
  attemptedAt: z.string(),
  ...attemptResultShape,
}
const attemptAnswerSchema = z.object(attemptShape).meta({ id: 'Attempt' })

export const waitingForSchema = z
  .object({ reason: z.enum(WAITING_REASONS), until: z.string().nullable() })
  .nullable()
  .describe('What an outstanding delivery waits for, and until when where a time is known')

/** The members of a delivery. */
export const deliveryShape = {
  id: z.string(),
  ...receiverShape,
  eventId: z.string(),
  event: z.string(),
  deliveredAt: z.string().nullable().describe('When the last attempt was made'),
  ...attemptResultShape,
  retryCount: z.int(),
  attemptCount: z.int(),
  status: z.enum(['pending', 'success', 'failed', 'skipped']),
  reason: z.string().nullable().describe('Why a delivery was skipped'),
  nextRetryAt: z.string().nullable(),
  waitingFor: waitingForSchema,
  blocked: z
    .boolean()
    .describe(
      'Whether it has used up its retries and holds those behind it until it is retried or cancelled',
    ),
  test: z.boolean(),
  batchId: z.string().nullable().describe('The batch that carried the event in the last attempt'),
  summary: z.string().describe('What became of it, in words'),
  advice: z
    .string()
    .nullable()
    .describe('What a person can do about it; null where nothing needs to be done'),
  attempts: z.array(attemptAnswerSchema),
}

/** A row of the log: a delivery with its attempts. */
export const deliveryAnswerSchema = z
  .object(deliveryShape)
  .meta({ id: 'Delivery', description: 'An event on its way to one subscription, with its attempts' })

/** The state of a delivery's subscription at a time. */
export type SeenAt = { subscription: Subscription; nowMs: number }

/**
 * Shows a delivery. One that is outstanding for a deleted
 * subscription is shown as the skipped one it becomes.
 */
export function deliveryAnswer(
  delivery: LoggedDelivery,
  earlier: readonly LoggedAttempt[],
  seenAt: SeenAt,
): z.infer<typeof deliveryAnswerSchema> {
  const { dueAtMs, lastAtMs, attempts } = delivery
  const isStopped = seenAt.subscription.deletedAtMs !== null && !isEnded(delivery)
  const status = isStopped ? 'skipped' : delivery.state
  const isBlocked = status === 'failed' && dueAtMs === BLOCKED_UNTIL_MS
  const isScheduled = status === 'failed' && !isBlocked && dueAtMs !== null
  const last = lastAttemptOf(delivery)
  const { subscription } = seenAt
  const error = status === 'skipped' ? null : delivery.error
  return {
    id: deliveryIdOf(delivery),
    ...receiverAnswer(subscription),
    eventId: eventIdOf(delivery),
    event: delivery.type,
    deliveredAt: isoOrNull(lastAtMs),
    responseCode: delivery.status,
    responseTime: delivery.latencyMs,
    error,
    ...attemptTexts({ ...delivery, error }),
    retryCount: Math.max(0, attempts - 1),
    attemptCount: attempts,
    status,
    reason: isStopped ? 'deleted' : status === 'skipped' ? delivery.error : null,
    nextRetryAt: isScheduled ? iso(dueAtMs) : null,
    waitingFor: waitingAnswer({ ...delivery, state: status }, seenAt),
    blocked: isBlocked,
    test: delivery.isTest,
    batchId: batchId(delivery),
    ...wordsOf({ ...delivery, state: status, error: isStopped ? 'deleted' : delivery.error }, seenAt),
    attempts: [...earlier, ...last].map((attempt) => attemptAnswer(attempt, subscription)),
  }
}

function receiverAnswer({ id, settings }: Subscription) {
  return { webhookId: id, url: maskUrl(settings.url) }
}

/** Shows what a delivery waits for; null for one that waits for nothing. */
export function waitingAnswer(
  delivery: LoggedDelivery,
  { subscription, nowMs }: SeenAt,
): z.infer<typeof waitingForSchema> {
  if (!isOutstanding(delivery)) return null
  const { reason, untilMs } = waitingFor(delivery, subscription, nowMs)
  return { reason, until: isoOrNull(untilMs) }
}

function wordsOf(delivery: LoggedDelivery, { subscription, nowMs }: SeenAt): DeliveryWords {
  const { state, dueAtMs, error, attempts, status, latencyMs } = delivery
  return deliveryInWords({
    state,
    skipReason: state === 'skipped' ? error : null,
    isBlocked: state === 'failed' && dueAtMs === BLOCKED_UNTIL_MS,
    attempts,
    status,
    error: state === 'skipped' ? null : error,
    latencyMs,
    waitingFor: isOutstanding(delivery) ? waitingFor(delivery, subscription, nowMs) : null,
    nowMs,
  })
}

/** False for a delivery that is over, or blocked until someone decides. */
function isOutstanding(delivery: LoggedDelivery): boolean {
  const isRetried = delivery.state === 'failed' && delivery.dueAtMs !== BLOCKED_UNTIL_MS
  return !isEnded(delivery) && (delivery.state === 'pending' || isRetried)
}

function isEnded({ state, dueAtMs }: LoggedDelivery): boolean {
  return state === 'success' || state === 'skipped' || (state === 'failed' && dueAtMs === null)
}

/** Shows an attempt. */
export function attemptAnswer(
  attempt: LoggedAttempt,
  subscription: Subscription,
): z.infer<typeof attemptAnswerSchema> {
  return {
    id: attemptIdOf({ subscriptionNo: subscription.no, seq: attempt.seq, n: attempt.n }),
    attempt: attempt.n,
    ...receiverAnswer(subscription),
    attemptedAt: iso(attempt.atMs),
    responseCode: attempt.status,
    responseTime: attempt.latencyMs,
    error: attempt.error,
    ...attemptTexts(attempt),
  }
}

function batchId({ subscriptionNo, batchNo }: LoggedDelivery): string | null {
  return batchNo === null ? null : batchIdOf({ subscriptionNo, batchNo })
}

/** The last attempt, which the delivery's own row has; none where none was made. */
export function lastAttemptOf(delivery: LoggedDelivery): LoggedAttempt[] {
  const { lastAtMs, attempts } = delivery
  return lastAtMs !== null && attempts > 0 ? [lastAttempt(delivery, lastAtMs)] : []
}

function lastAttempt(delivery: LoggedDelivery, atMs: number): LoggedAttempt {
  const { seq, attempts, status, error, latencyMs, response, state } = delivery
  return {
    seq,
    n: attempts,
    atMs,
    status,
    error: state === 'skipped' ? null : error,
    latencyMs,
    response,
  }
}

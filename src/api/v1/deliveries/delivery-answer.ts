import { z } from 'zod'
import { iso, isoOrNull } from '../../../base/time.ts'
import type { LoggedAttempt, LoggedDelivery } from '../../../history/delivery-log.sql.ts'
import { batchIdOf, deliveryIdOf, eventIdOf } from '../../../model/delivery.ts'
import type { AttemptError } from '../../../outcome/classify.ts'
import { BLOCKED_UNTIL_MS } from '../../../outcome/retry-policy.ts'
import type { Subscription } from '../../../subscription/subscription.ts'
import { WAITING_REASONS, waitingFor } from '../../../subscription/waiting-for.ts'

const responseCodeSchema = z
  .int()
  .nullable()
  .describe('The status that came, also where the body of a 2xx did not come to its end')

const attemptAnswerSchema = z.object({
  attempt: z.int(),
  attemptedAt: z.string(),
  responseCode: responseCodeSchema,
  responseTime: z.int().nullable().describe('Milliseconds'),
  responseBody: z.string().nullable(),
  error: z.string().nullable(),
  explanation: z.string().nullable().describe('What kept the request from being made'),
})

/** A row of the log: a delivery with its attempts. */
export const deliveryAnswerSchema = z.object({
  id: z.string(),
  eventId: z.string(),
  event: z.string(),
  deliveredAt: z.string().nullable().describe('When the last attempt was made'),
  responseCode: responseCodeSchema,
  responseTime: z.int().nullable().describe('Milliseconds'),
  responseBody: z.string().nullable(),
  retryCount: z.int(),
  status: z.enum(['pending', 'success', 'failed', 'skipped']),
  reason: z.string().nullable().describe('Why a delivery was skipped'),
  error: z.string().nullable().describe('What the last attempt failed of'),
  explanation: z.string().nullable().describe('What kept the last request from being made'),
  nextRetryAt: z.string().nullable(),
  waitingFor: z
    .object({ reason: z.enum(WAITING_REASONS), until: z.string().nullable() })
    .nullable()
    .describe('What an outstanding delivery waits for, and until when where a time is known'),
  blocked: z
    .boolean()
    .describe(
      'Whether it has used up its retries and holds those behind it until it is retried or cancelled',
    ),
  test: z.boolean(),
  batchId: z.string().nullable().describe('The batch that carried the event in the last attempt'),
  attempts: z.array(attemptAnswerSchema),
})

/** Errors of attempts that made no request: their text is the relay's, not the receiver's. */
const UNSENT: ReadonlySet<string> = new Set<AttemptError>(['blocked', 'template', 'auth', 'internal'])

/** Splits an attempt's text: the receiver's answer, or the reason why it was not asked. */
export function deliveryTexts({ error, response }: { error: string | null; response: string | null }): {
  responseBody: string | null
  explanation: string | null
} {
  const unsent = error !== null && UNSENT.has(error)
  return { responseBody: unsent ? null : response, explanation: unsent ? response : null }
}

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
  const last = lastAtMs !== null && attempts > 0 ? [lastAttempt(delivery, lastAtMs)] : []
  return {
    id: deliveryIdOf(delivery),
    eventId: eventIdOf(delivery),
    event: delivery.type,
    deliveredAt: isoOrNull(lastAtMs),
    responseCode: delivery.status,
    responseTime: delivery.latencyMs,
    ...deliveryTexts(delivery),
    retryCount: Math.max(0, attempts - 1),
    status,
    reason: isStopped ? 'deleted' : status === 'skipped' ? delivery.error : null,
    error: status === 'skipped' ? null : delivery.error,
    nextRetryAt: isScheduled ? iso(dueAtMs) : null,
    waitingFor: status === 'pending' || isScheduled ? waitingAnswer(delivery, seenAt) : null,
    blocked: isBlocked,
    test: delivery.isTest,
    batchId: batchId(delivery),
    attempts: [...earlier, ...last].map(attemptAnswer),
  }
}

function waitingAnswer(delivery: LoggedDelivery, { subscription, nowMs }: SeenAt) {
  const { reason, untilMs } = waitingFor(delivery, subscription, nowMs)
  return { reason, until: isoOrNull(untilMs) }
}

function isEnded({ state, dueAtMs }: LoggedDelivery): boolean {
  return state === 'success' || state === 'skipped' || (state === 'failed' && dueAtMs === null)
}

function attemptAnswer(attempt: LoggedAttempt): z.infer<typeof attemptAnswerSchema> {
  return {
    attempt: attempt.n,
    attemptedAt: iso(attempt.atMs),
    responseCode: attempt.status,
    responseTime: attempt.latencyMs,
    ...deliveryTexts(attempt),
    error: attempt.error,
  }
}

function batchId({ subscriptionNo, batchNo }: LoggedDelivery): string | null {
  return batchNo === null ? null : batchIdOf({ subscriptionNo, batchNo })
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

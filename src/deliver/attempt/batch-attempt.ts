import { batchIdOf } from '../../model/delivery.ts'
import { BATCH_BYTES_MAX } from '../../pacing/settings.ts'
import { type BreakerSignal, breakerSignal } from '../../receiver/breaker.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { answerFields, dueAfter } from './attempt.ts'
import type { FailedMember } from './batch-renderer.ts'
import type { ClaimedBatch, ClaimedDelivery } from './claimed-delivery.ts'
import { decide } from './decide.ts'
import { keepPayload } from './keep-payload.ts'
import type { PayloadRenderer } from './payload-renderer.ts'
import { buildBatchRequest } from './request.ts'
import { type Answer, type AttemptDeps, brokenAnswer, transmit, unsentAnswer } from './send.ts'

/** One request to be made for a batch; `members` in accepted order. */
export type BatchAttempt = {
  subscription: Subscription
  batch: ClaimedBatch
  members: readonly ClaimedDelivery[]
  renderer: PayloadRenderer
  /** Binds members anew that do not fit, before the request is made. */
  shrink: (carried: number[], overflow: number[]) => Promise<void>
}

/** What it came to: the same for all that were carried. */
export type BatchReport = {
  atMs: number
  success: boolean
  /** When it is to be sent again; null when it is over. */
  dueAtMs: number | null
  /** The receiver finds it too large: it is to be halved. */
  isTooLarge: boolean
  fields: ReturnType<typeof answerFields>
  payload: Awaited<ReturnType<typeof keepPayload>>
  carried: number[]
  /** Left out: they fail alone. */
  failed: FailedMember[]
  signal: BreakerSignal
  retryAfterUntilMs: number | null
  isGone: boolean
}

const CONTENT_TOO_LARGE = 413

/**
 * Makes one request for a batch and says what came of it. Rejects only when members that do not fit could not be bound
 * anew: then nothing was sent.
 */
export async function makeBatchAttempt(deps: AttemptDeps, attempt: BatchAttempt): Promise<BatchReport> {
  const { subscription, batch } = attempt
  const atMs = deps.now()
  const sent = await send(deps, attempt, atMs)
  const { answer, carried, failed } = sent
  const asked = {
    subscription,
    type: BATCH,
    isTest: false,
    attemptsMade: batch.attempts + 1,
    startedAtMs: batch.boundAtMs,
  }
  const decision = decide(deps, asked, answer)
  const { outcome, isExpected, retryAfterUntilMs } = decision
  const success = outcome.kind === 'success'
  const isTooLarge =
    outcome.kind === 'retry' || outcome.kind === 'final'
      ? 'status' in answer.result &&
        answer.result.status === CONTENT_TOO_LARGE &&
        carried.length > 1 &&
        !isExpected
      : false
  const isKept = success || isTooLarge || batch.payload !== 'none'
  return {
    atMs,
    success,
    dueAtMs: isTooLarge ? deps.now() : dueAfter(subscription, decision, false),
    isTooLarge,
    fields: answerFields(answer, success),
    payload: isKept ? { payload: batch.payload, kept: null } : await keepPayload(deps, answer.payload),
    carried,
    failed,
    signal: isTooLarge ? 'answer' : breakerSignal(answer.result, isExpected),
    retryAfterUntilMs,
    isGone: outcome.kind === 'gone',
  }
}

/** What stands for an event's type where a whole batch is concerned. */
const BATCH = 'batch'

async function send(
  deps: AttemptDeps,
  { subscription, batch, members, renderer, shrink }: BatchAttempt,
  atMs: number,
): Promise<{ answer: Answer; carried: number[]; failed: FailedMember[] }> {
  const all = members.map(({ event }) => event.seq)
  const { no, boundAtMs, kept, payload } = batch
  const id = batchIdOf({ subscriptionNo: subscription.no, batchNo: no })
  const { batchSettings } = subscription.settings
  const built = await buildBatchRequest(
    deps.request,
    {
      subscription,
      batch: { id, boundAtMs, kept, payloadKind: payload },
      members,
      maxBytes: batch.attempts > 0 ? Number.MAX_SAFE_INTEGER : (batchSettings?.maxBytes ?? BATCH_BYTES_MAX),
      renderer,
    },
    atMs,
  ).catch(() => null)
  if (built === null) return { answer: brokenAnswer(), carried: all, failed: [] }
  const { carried, failed, overflow } = built
  // Members of a batch that was sent before cannot be bound anew: it waits as a whole.
  if (overflow.length > 0 && batch.attempts > 0) return { answer: brokenAnswer(), carried: all, failed: [] }
  // Also where nothing is sent: what is kept for the retry holds those alone.
  if (overflow.length > 0) await shrink(carried, overflow)
  if (built.kind === 'unsent') return { answer: unsentAnswer(built), carried, failed }
  const answer = await transmit(deps, subscription, built).catch(brokenAnswer)
  return { answer, carried, failed }
}

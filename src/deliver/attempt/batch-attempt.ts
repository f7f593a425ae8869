import { batchIdOf } from '../../model/delivery.ts'
import { BATCH_BYTES_MAX } from '../../pacing/settings.ts'
import { type BreakerSignal, breakerSignal } from '../../receiver/breaker.ts'
import type { Subscription } from '../../subscription/subscription.ts'
import { detailOf } from './answer-detail.ts'
import { answerFields } from './attempt.ts'
import type { ClaimedBatch, ClaimedDelivery } from './claimed-delivery.ts'
import { type Decision, type DecisionInput, decide } from './decide.ts'
import type { FailedMember } from './payload/batch-renderer.ts'
import { type Keeping, keepPayload } from './payload/keep-payload.ts'
import type { PayloadRenderer } from './payload/payload-renderer.ts'
import { type AddressedBatch, buildBatchRequest } from './request.ts'
import { type Answer, type AttemptDeps, brokenAnswer, send, unsentAnswer } from './send.ts'

/** One request to be made for a batch; `members` in accepted order. */
export type BatchAttempt = {
  subscription: Subscription
  batch: ClaimedBatch
  members: readonly ClaimedDelivery[]
  renderer: PayloadRenderer
  /** Puts members that do not fit into another batch, before the request is made. */
  shrink: (carried: number[], overflow: number[]) => Promise<void>
}

/** The result of the request: the same for all members that were carried. */
export type BatchReport = {
  atMs: number
  success: boolean
  /** When it is to be sent again; null when it is over. */
  dueAtMs: number | null
  /** The receiver finds it too large: it is to be halved. */
  isTooLarge: boolean
  fields: ReturnType<typeof answerFields>
  /** What else is kept of the answer: in short, as each member has it. */
  detail: string | null
  payload: Keeping
  carried: number[]
  /** Left out: they fail alone. */
  failed: FailedMember[]
  signal: BreakerSignal
  retryAfterUntilMs: number | null
  isGone: boolean
}

const CONTENT_TOO_LARGE = 413
/** Stands for an event's type where a whole batch is concerned. */
const BATCH = 'batch'

/**
 * Makes one request for a batch, in the same steps as an attempt. Rejects only when members that do not fit could not be
 * put into another batch: then nothing was sent.
 */
export async function makeBatchAttempt(deps: AttemptDeps, attempt: BatchAttempt): Promise<BatchReport> {
  const atMs = deps.now()
  const { answer, carried, failed } = await buildAndSend(deps, attempt, atMs)
  const decision = decide(deps, decisionInput(attempt), answer)
  const { outcome, isExpected, retryAfterUntilMs } = decision
  const success = outcome.kind === 'success'
  const isTooLarge = carried.length > 1 && isFoundTooLarge(answer, decision)
  return {
    atMs,
    success,
    dueAtMs: isTooLarge ? deps.now() : decision.dueAtMs,
    isTooLarge,
    fields: answerFields(answer, success),
    detail: detailOf(answer, { version: attempt.subscription.version, isShort: true }),
    payload: await keepForRetries(deps, attempt.batch, { answer, needsNoCopy: success || isTooLarge }),
    carried,
    failed,
    signal: isTooLarge ? 'answer' : breakerSignal(answer.result, isExpected),
    retryAfterUntilMs,
    isGone: outcome.kind === 'gone',
  }
}

/** An answer and the members that it is for. */
type Sent = { answer: Answer; carried: number[]; failed: FailedMember[] }

async function buildAndSend(deps: AttemptDeps, attempt: BatchAttempt, atMs: number): Promise<Sent> {
  const { subscription, batch, shrink } = attempt
  const built = await buildBatchRequest(deps.request, addressedOf(attempt), atMs).catch(() => null)
  if (built === null) return brokenWhole(attempt)
  const { carried, failed, overflow } = built
  // Members of a batch that was sent before cannot go in another one: it waits as a whole.
  if (overflow.length > 0 && batch.attempts > 0) return brokenWhole(attempt)
  // Also where nothing is sent: the bytes kept for the retry hold those alone.
  if (overflow.length > 0) await shrink(carried, overflow)
  if (built.kind === 'unsent') return { answer: unsentAnswer(built), carried, failed }
  const answer = await send(deps, subscription, built).catch(brokenAnswer)
  return { answer, carried, failed }
}

function addressedOf({ subscription, batch, members, renderer }: BatchAttempt): AddressedBatch {
  const { no, boundAtMs, kept, payload } = batch
  const id = batchIdOf({ subscriptionNo: subscription.no, batchNo: no })
  const { batchSettings } = subscription.settings
  const maxBytes = batch.attempts > 0 ? Number.MAX_SAFE_INTEGER : (batchSettings?.maxBytes ?? BATCH_BYTES_MAX)
  const sent = { id, attemptNo: batch.attempts + 1, boundAtMs, kept, payloadKind: payload }
  return { subscription, batch: sent, members, maxBytes, renderer }
}

function brokenWhole({ members }: BatchAttempt): Sent {
  return { answer: brokenAnswer(), carried: members.map(({ event }) => event.seq), failed: [] }
}

function decisionInput({ subscription, batch }: BatchAttempt): DecisionInput {
  const { attempts, boundAtMs } = batch
  return { subscription, type: BATCH, isTest: false, attemptsMade: attempts + 1, startedAtMs: boundAtMs }
}

/** A receiver may find a batch too large, unless a response rule says what its 413 means. */
function isFoundTooLarge({ result }: Answer, { outcome, isExpected }: Decision): boolean {
  const isFailure = outcome.kind === 'retry' || outcome.kind === 'final'
  return isFailure && !isExpected && 'status' in result && result.status === CONTENT_TOO_LARGE
}

async function keepForRetries(
  deps: AttemptDeps,
  { payload }: ClaimedBatch,
  { answer, needsNoCopy }: { answer: Answer; needsNoCopy: boolean },
): Promise<Keeping> {
  return needsNoCopy || payload !== 'none' ? { payload, kept: null } : await keepPayload(deps, answer.payload)
}

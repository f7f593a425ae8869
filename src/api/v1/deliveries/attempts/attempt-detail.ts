import * as z from 'zod'
import { type Caller, mayCall } from '../../../../access/caller.ts'
import { maskUrl } from '../../../../base/secret/mask-url.ts'
import {
  MISSING_REASONS,
  type MissingReason,
  type RebuiltRequest,
  rebuildRequest,
} from '../../../../deliver/attempt/rebuild-request.ts'
import { type KeptAttempt, readKeptAttempt } from '../../../../history/attempt-detail.sql.ts'
import type { LoggedAttempt } from '../../../../history/attempt-log.sql.ts'
import type { LoggedDelivery } from '../../../../history/delivery-log.sql.ts'
import { findEventBySeq } from '../../../../history/event-log.sql.ts'
import { ANSWERERS, type Answerer, answeredBy } from '../../../../outcome/answered-by.ts'
import { adviceOn } from '../../../../outcome/reachability.ts'
import type { Subscription } from '../../../../subscription/subscription.ts'
import type { ApiDeps } from '../../../context.ts'
import { maskOwn } from '../../subscriptions/preview-answer.ts'
import { attemptAnswer, attemptShape } from '../delivery-answer.ts'

/** Characters of a request's body that are shown. */
const BODY_CHARS_MAX = 262_144

const requestShape = {
  method: z.literal('POST'),
  url: z.string().describe('A credential in it is masked'),
  headers: z
    .record(z.string(), z.string())
    .nullable()
    .describe('Signatures and credentials masked; null where the settings have changed since'),
  body: z.string(),
  truncated: z.boolean().describe(`Whether only the first ${BODY_CHARS_MAX} characters are shown`),
  reconstructed: z
    .boolean()
    .describe('True for a body that was rendered from the event once more; false for bytes that were kept'),
}

const detailShape = {
  ...attemptShape,
  request: z.object(requestShape).nullable().describe('What was sent'),
  requestMissing: z.enum(MISSING_REASONS).nullable().describe('Why `request` is null'),
  responseHeaders: z
    .record(z.string(), z.string())
    .nullable()
    .describe('Of a failure up to 2,000 characters, of a success a few; null where no answer came'),
  timings: z.object({
    waiting: z
      .int()
      .nullable()
      .describe('Milliseconds from acceptance, or the attempt before, to this request'),
    firstByte: z.int().nullable().describe('Milliseconds to the head of the answer'),
    whole: z.int().nullable().describe('Milliseconds to the end of the answer'),
  }),
  answeredBy: z.enum(ANSWERERS).nullable().describe('As far as known marks tell; null where no answer came'),
  advice: z.string().nullable().describe('What to do about a failure'),
}

/** One attempt with what was sent and what came back. */
export const attemptDetailSchema = z.object(detailShape).meta({ id: 'AttemptDetail' })

/** An attempt of a delivery, and what came before it. */
export type DetailedAttempt = {
  delivery: LoggedDelivery
  subscription: Subscription
  attempt: LoggedAttempt
  /** The attempt before; undefined for the first. */
  before: LoggedAttempt | undefined
}

/** Shows an attempt with what was sent and what came back, as far as that is kept or can be made once more. */
export async function attemptDetail(
  deps: ApiDeps,
  caller: Caller,
  detailed: DetailedAttempt,
): Promise<z.infer<typeof attemptDetailSchema>> {
  const { subscription, attempt, delivery } = detailed
  const { seq, n } = attempt
  const kept = await readKeptAttempt(deps.db, { subscriptionNo: subscription.no, seq, n })
  const detail = kept?.detail ?? null
  const sent = await readRequest(deps, caller, detailed, kept)
  const answerer = answererOf(attempt, kept)
  return {
    ...attemptAnswer(attempt, subscription),
    request: sent.kind === 'rebuilt' ? requestAnswer(sent) : null,
    requestMissing: sent.kind === 'missing' ? sent.reason : null,
    responseHeaders: detail === null || detail.status === null ? null : Object.fromEntries(detail.headers),
    timings: {
      waiting: waitingMs(detailed, delivery),
      firstByte: detail?.firstByteMs ?? null,
      whole: attempt.latencyMs,
    },
    answeredBy: answerer,
    advice: adviceFor(detailed, answerer),
  }
}

/** The content of events is for those who may read events. */
async function readRequest(
  deps: ApiDeps,
  caller: Caller,
  { subscription, delivery, attempt }: DetailedAttempt,
  kept: KeptAttempt | null,
): Promise<RebuiltRequest | { kind: 'missing'; reason: MissingReason }> {
  if (!mayCall(caller, 'events:read')) return { kind: 'missing', reason: 'scope' }
  if (kept === null || kept.detail === null) return { kind: 'missing', reason: 'not_sent' }
  const event = await findEventBySeq(deps.db, subscription.workspaceId, attempt.seq)
  if (event === null) return { kind: 'missing', reason: 'not_kept' }
  const { batchNo } = delivery
  return await rebuildRequest(deps.preview, {
    ...{ subscription, event, kept, batchNo },
    ...{ n: attempt.n, atMs: attempt.atMs },
  })
}

function requestAnswer({ url, headers, ownHeaders, body, isReconstructed }: RebuiltRequest) {
  const truncated = body.length > BODY_CHARS_MAX
  return {
    method: 'POST' as const,
    url: maskUrl(url),
    headers: headers === null ? null : maskOwn(headers, ownHeaders),
    body: truncated ? body.slice(0, BODY_CHARS_MAX).toWellFormed() : body,
    truncated,
    reconstructed: isReconstructed,
  }
}

function answererOf({ response }: LoggedAttempt, kept: KeptAttempt | null): Answerer | null {
  const { status, headers } = kept?.detail ?? { status: null, headers: [] }
  return status === null ? null : answeredBy({ status, headers, text: response })
}

function waitingMs({ attempt, before }: DetailedAttempt, delivery: LoggedDelivery): number | null {
  const sinceMs = before === undefined ? delivery.acceptedAtMs : before.atMs + (before.latencyMs ?? 0)
  return sinceMs === null ? null : Math.max(0, attempt.atMs - sinceMs)
}

function adviceFor({ attempt, subscription }: DetailedAttempt, answerer: Answerer | null): string | null {
  const { url, timeoutSeconds } = subscription.settings
  return adviceOn({
    error: attempt.error,
    status: attempt.status,
    isEncrypted: url.startsWith('https:'),
    timeoutSeconds,
    addresses: null,
    explanation: null,
    isChallenged: answerer === 'challenge',
  })
}

import { describeError } from '../../base/log.ts'
import { sha256 } from '../../base/secret/digest.ts'
import type { SealOwner } from '../../base/secret/vault.ts'
import { DAY_MS } from '../../base/time.ts'
import { RelayError, statusOf } from '../../model/errors.ts'
import { endLease, freeKey, type KeyedRequest, keepAnswer, takeKey } from '../../store/request-answers.sql.ts'
import type { ApiDeps } from '../context.ts'

/** A request is answered by then: a dispatch that waits for its receiver takes longest. */
const LEASE_MS = 60_000
const KEPT_MS = DAY_MS
const RETRY_AFTER_SECONDS = 2
/** Longest answer that is kept: sealed, it still fits into a row of D1. */
const ANSWER_CHARS_MAX = 1_000_000

/** What a call answers with; `isRepeated` where an earlier request has had the same answer. */
export type OnceAnswer = { status?: number; data: unknown; isRepeated?: boolean }

/** A request with an `Idempotency-Key`, and all that makes it this request and no other. */
export type OnceRequest = { workspaceId: string; key: string; content: readonly string[] }

/**
 * Answers a request with an `Idempotency-Key` once: the same request again gets the first answer, another one under
 * the same key a conflict. A request that is refused gives its key back. `work` makes ids by `newKey`, so that a
 * request that was cut off creates nothing twice.
 */
export async function answerOnce<A extends OnceAnswer>(
  deps: ApiDeps,
  { workspaceId, key, content }: OnceRequest,
  work: (deps: ApiDeps) => Promise<A>,
): Promise<A> {
  const request = { workspaceId, key, hash: await sha256(JSON.stringify(content)) }
  const nowMs = deps.now()
  const times = { nowMs, leasedUntilMs: nowMs + LEASE_MS, expiresAtMs: nowMs + KEPT_MS }
  const taken = await takeKey(deps.db, request, { seed: deps.newKey(), ...times })
  switch (taken.kind) {
    case 'taken': {
      const answering = answerFirst(deps, request, () => work(seeded(deps, taken.seed)))
      // A client that leaves must find the answer when it asks again.
      deps.background(answering.catch(() => undefined))
      return await answering
    }
    case 'leased':
      throw conflict('is of a request that is still being answered; send it again in a moment', true)
    case 'other_request':
      throw conflict(
        'was already used for another request; a request is sent again as it was, or under a new key',
      )
    case 'answered': {
      if (taken.answerCipher === null) throw conflict('was already used; its answer was too long to be kept')
      const text = await deps.vault.open(taken.answerCipher, ownerOf(request), 'answer')
      return { ...(JSON.parse(text) as A), isRepeated: true }
    }
  }
}

async function answerFirst<A extends OnceAnswer>(
  { db, vault, log }: ApiDeps,
  request: KeyedRequest,
  work: () => Promise<A>,
): Promise<A> {
  let answer: A
  try {
    answer = await work()
  } catch (error) {
    const isRefused = error instanceof RelayError && statusOf(error.code) < 500
    const ending = isRefused ? freeKey(db, request) : endLease(db, request)
    // The lease ends by itself, and the caller is to hear of the first failure.
    await ending.catch((cause) => log('request.failed', { error: describeError(cause) }))
    throw error
  }
  const text = JSON.stringify(answer)
  const answerCipher =
    text.length > ANSWER_CHARS_MAX ? null : await vault.seal(text, ownerOf(request), 'answer')
  await keepAnswer(db, request, { status: answer.status ?? 200, answerCipher })
  return answer
}

/** The same dependencies, with an id from the request for the first thing that is created. */
function seeded(deps: ApiDeps, seed: string): ApiDeps {
  let isUsed = false
  const newKey = () => {
    if (isUsed) return deps.newKey()
    isUsed = true
    return seed
  }
  return { ...deps, newKey }
}

function ownerOf({ workspaceId, key }: KeyedRequest): SealOwner {
  return { workspaceId, id: `request ${workspaceId} ${key}` }
}

function conflict(message: string, isPassing = false): RelayError {
  const details = [{ path: 'Idempotency-Key', message }]
  const extra = isPassing ? { details, retryAfterSeconds: RETRY_AFTER_SECONDS } : { details }
  return new RelayError('conflict', `Idempotency-Key ${message}.`, extra)
}

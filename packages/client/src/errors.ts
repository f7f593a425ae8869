import { ERROR_CODES } from '../../../src/model/errors.ts'
import type { Schemas } from './api.ts'

/** Codes with which the relay refuses a call. */
export type RefusalCode = Schemas['Error']['error']['code']

/** Codes of what went wrong on this side, or on the way. */
export type LocalCode =
  /** There was no answer: the relay is down, or the url is another's. */
  | 'connection'
  /** There was no answer in time. */
  | 'timeout'
  /** The answer is none of this API: a proxy's page, a redirect, or a code of a later version. */
  | 'unexpected_answer'
  /** A publisher holds as many events as it may. */
  | 'buffer_full'
  /** A publisher was closed. */
  | 'closed'

/** Every code of an error; the list is closed, so a switch over it can be exhaustive. */
export type ErrorCode = RefusalCode | LocalCode

/** What is wrong with one field. */
export type Problem = Schemas['Problem']

export type ErrorFacts = {
  /** The status of the answer; null where there was none. */
  status?: number | null
  /** The request's name in the relay's log. */
  requestId?: string | null
  details?: readonly Problem[]
  /** The wait that the relay asked for. */
  retryAfterMs?: number | null
  cause?: unknown
}

/** A call that did not succeed. */
export class PosthornError extends Error {
  override readonly name = 'PosthornError'
  readonly code: ErrorCode
  readonly status: number | null
  readonly requestId: string | null
  readonly details: readonly Problem[]
  readonly retryAfterMs: number | null

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.status = facts.status ?? null
    this.requestId = facts.requestId ?? null
    this.details = facts.details ?? []
    this.retryAfterMs = facts.retryAfterMs ?? null
  }

  /** True where the same call may succeed later. */
  get isTransient(): boolean {
    return isTransient(this)
  }
}

/** True for an error of this package, also where it was loaded both as ESM and as CommonJS. */
export function isPosthornError(error: unknown): error is PosthornError {
  return error instanceof Error && error.name === 'PosthornError' && 'code' in error && 'requestId' in error
}

/** The code of a refusal; null for one that this version does not know. */
export function refusalCode(code: unknown): RefusalCode | null {
  return ERROR_CODES.find((known) => known === code) ?? null
}

/** Statuses of relays, proxies and Cloudflare itself that say nothing of the request. */
const TRANSIENT_STATUSES = [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530]

function isTransient({ code, status, retryAfterMs }: PosthornError): boolean {
  if (code === 'connection' || code === 'timeout') return true
  // The first request under the same Idempotency-Key is still being answered.
  if (code === 'conflict') return retryAfterMs !== null
  return status !== null && TRANSIENT_STATUSES.includes(status)
}

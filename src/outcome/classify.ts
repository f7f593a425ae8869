/**
 * The errors of an attempt, a closed list that is kept in the log. workerd's exceptions do not tell
 * `dns` from `tls` nor `refused` from `connection`; those words come from production's 52x answers.
 */
export type AttemptError =
  | 'timeout_headers'
  | 'timeout_body'
  | 'connection'
  | 'dns_or_tls'
  | 'tls'
  | 'dns'
  | 'refused'
  | 'blocked'
  | 'template'
  | 'auth'
  | 'http_status'
  | 'internal'

/** An attempt that got no answer from the receiver. */
export type AttemptFault = Exclude<AttemptError, 'http_status'>

/** The result of one attempt: the receiver's status, or the fault that kept it from answering. */
export type AttemptResult = { status: number } | { fault: AttemptFault }

/** The consequence of an attempt; `retryAfterHonoured` lets the answer's `Retry-After` count. */
export type Outcome =
  | { kind: 'success' }
  | { kind: 'retry'; retryAfterHonoured: boolean }
  | { kind: 'final' }
  /** The receiver wants nothing more: its subscription is to be disabled. */
  | { kind: 'gone' }

/** The one status by which a receiver says that it wants nothing more. */
export const GONE_STATUS = 410

/** The part of a retry policy that says which answers are final. */
export type ClientErrorPolicy = { retryClientErrors: boolean; everyClientErrorIsFinal?: true }

/** Decides the consequence of an attempt, for all callers. */
export function classify(result: AttemptResult, policy: ClientErrorPolicy): Outcome {
  return 'fault' in result ? classifyFault(result.fault) : classifyStatus(result.status, policy)
}

/** The error for the log; null for a success. */
export function attemptError(result: AttemptResult): AttemptError | null {
  if ('fault' in result) return result.fault
  return isSuccess(result.status) ? null : 'http_status'
}

/**
 * Finds the fault behind a 52x or 530 that Cloudflare answered because it could not reach the
 * receiver; null for the receiver's own answer.
 *
 * @param viaCloudflare true when the answer says `server: cloudflare` and carries no mark of an
 * origin
 */
export function faultOfStatus(status: number, viaCloudflare: boolean): AttemptFault | null {
  if (!viaCloudflare) return null
  switch (status) {
    case 520:
    case 523:
    case 527:
      return 'connection'
    case 521:
      return 'refused'
    case 522:
    case 524:
      return 'timeout_headers'
    case 525:
    case 526:
      return 'tls'
    case 530:
      return 'dns'
    default:
      return null
  }
}

function classifyStatus(status: number, policy: ClientErrorPolicy): Outcome {
  if (isSuccess(status)) return { kind: 'success' }
  if (status === GONE_STATUS) return { kind: 'gone' }
  const isFinal = isClientError(status) && !policy.retryClientErrors
  if (isFinal && policy.everyClientErrorIsFinal) return { kind: 'final' }
  switch (status) {
    case 429:
    case 503:
      return { kind: 'retry', retryAfterHonoured: true }
    case 408:
    case 425:
      return { kind: 'retry', retryAfterHonoured: false }
    default:
      return isFinal ? { kind: 'final' } : { kind: 'retry', retryAfterHonoured: false }
  }
}

function classifyFault(fault: AttemptFault): Outcome {
  switch (fault) {
    case 'timeout_headers':
    case 'timeout_body':
    case 'connection':
    case 'dns_or_tls':
    case 'tls':
    case 'dns':
    case 'refused':
    case 'auth':
      return { kind: 'retry', retryAfterHonoured: false }
    // Another attempt would meet the same rule, the same template and the same poison.
    case 'blocked':
    case 'template':
    case 'internal':
      return { kind: 'final' }
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299
}

function isClientError(status: number): boolean {
  return status >= 400 && status <= 499
}

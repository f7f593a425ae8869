/** The codes with which a call can be refused; the list is closed and part of the API. */
export const ERROR_CODES = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'conflict',
  'gone',
  'payload_too_large',
  'uri_too_long',
  'unsupported_media_type',
  'rate_limited',
  'headers_too_large',
  'unavailable',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** A problem of one field: its path, and a message that says what would be right. */
export type Problem = { path: string; message: string }

/** Becomes headers: `Retry-After` and `Allow`. */
type Extra = { details?: Problem[]; retryAfterSeconds?: number; allow?: readonly string[] }

/** A refusal, to be thrown at the HTTP edge only. */
export class RelayError extends Error {
  readonly code: ErrorCode
  readonly details: Problem[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly allow: readonly string[] | undefined

  constructor(code: ErrorCode, message: string, extra: Extra = {}) {
    super(message)
    this.name = 'RelayError'
    this.code = code
    this.details = extra.details
    this.retryAfterSeconds = extra.retryAfterSeconds
    this.allow = extra.allow
  }
}

/** The HTTP status of an error code. */
export function statusOf(
  code: ErrorCode,
): 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 414 | 415 | 429 | 431 | 500 | 503 {
  switch (code) {
    case 'invalid_request':
      return 400
    case 'unauthorized':
      return 401
    case 'forbidden':
      return 403
    case 'not_found':
      return 404
    case 'method_not_allowed':
      return 405
    case 'conflict':
      return 409
    case 'gone':
      return 410
    case 'payload_too_large':
      return 413
    case 'uri_too_long':
      return 414
    case 'unsupported_media_type':
      return 415
    case 'rate_limited':
      return 429
    case 'headers_too_large':
      return 431
    case 'unavailable':
      return 503
    case 'internal':
      return 500
  }
}

/** Shorthand for a refusal that names one field. */
export function invalidField(path: string, message: string): RelayError {
  return new RelayError('invalid_request', `${path}: ${message}`, { details: [{ path, message }] })
}

/** A refusal that names several fields. */
export function invalidFields(details: Problem[]): RelayError {
  return new RelayError(
    'invalid_request',
    details.map(({ path, message }) => `${path}: ${message}`).join('; '),
    { details },
  )
}

/** Shorthand for "there is no such thing in this workspace". */
export function notFound(what: string): RelayError {
  return new RelayError('not_found', `There is no such ${what} in this workspace.`)
}

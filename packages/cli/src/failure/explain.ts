import { type ErrorCode, isPosthornError, type PosthornError } from '../../../client/src/index.ts'
import type { ExitName } from './exit-codes.ts'
import { Failure, Interrupted } from './failure.ts'

/** Puts an error of a command into words; what is no expected failure keeps its own message. */
export function explain(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof Interrupted) return new Failure('interrupted', 'Stopped.')
  if (isPosthornError(error)) return ofRelay(error)
  const message = error instanceof Error ? error.message : String(error)
  return new Failure('failed', message)
}

function ofRelay(error: PosthornError): Failure {
  const { code, message, details, requestId } = error
  const lines = details.length > 1 ? details.map((each) => `${each.path}: ${each.message}`) : []
  return new Failure(exitOf(code), message, { details: lines, next: nextStep(error), code, requestId })
}

function exitOf(code: ErrorCode): ExitName {
  switch (code) {
    case 'unauthorized':
    case 'forbidden':
      return 'access'
    case 'not_found':
    case 'gone':
      return 'not_found'
    case 'conflict':
      return 'conflict'
    case 'connection':
    case 'timeout':
    case 'unexpected_answer':
    case 'unavailable':
      return 'unreachable'
    case 'invalid_request':
    case 'method_not_allowed':
    case 'payload_too_large':
    case 'uri_too_long':
    case 'unsupported_media_type':
    case 'rate_limited':
    case 'headers_too_large':
    case 'internal':
    case 'buffer_full':
    case 'closed':
      return 'failed'
  }
}

function nextStep({ code, retryAfterMs, requestId }: PosthornError): string | null {
  switch (code) {
    case 'connection':
      return 'See that the relay runs and that the url is its own (posthorn login); posthorn dev starts one here.'
    case 'unexpected_answer':
      return 'The url may be that of something else: posthorn login --url https://your-relay'
    case 'timeout':
      return 'Try again; posthorn status says how the relay is.'
    case 'unauthorized':
      return 'The key may have expired or been revoked: posthorn login, or set POSTHORN_KEY.'
    case 'forbidden':
      return 'posthorn status shows what the key may do.'
    case 'not_found':
      return 'See that id and workspace are right: posthorn status shows the workspace.'
    case 'gone':
      return 'The workspace is being deleted: name another by --workspace.'
    case 'rate_limited':
    case 'unavailable':
      return retryAfterMs === null
        ? 'Try again in a while.'
        : `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`
    case 'internal':
      return requestId === null ? null : `The relay's log has more under ${requestId}.`
    case 'conflict':
    case 'invalid_request':
    case 'method_not_allowed':
    case 'payload_too_large':
    case 'uri_too_long':
    case 'unsupported_media_type':
    case 'headers_too_large':
    case 'buffer_full':
    case 'closed':
      return null
  }
}

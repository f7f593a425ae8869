import { type ErrorFacts, isPosthornError, PosthornError, type Problem, refusalCode } from '../errors.ts'
import { readRetryAfter } from './backoff.ts'
import type { Answer } from './transport.ts'

/** What an error's message names. */
export type Sent = { name: string; timeoutMs: number }

type Refusal = { code?: unknown; message?: unknown; details?: Problem[]; requestId?: string }

const EXCERPT_CHARS = 120

/**
 * Reads the answer of a call.
 *
 * @throws PosthornError for a refusal, and for what is no answer of this API
 */
export async function readAnswer(response: Response, sent: Sent): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const retryAfterMs = readRetryAfter(headers.get('Retry-After'), Date.now())
  const facts = { status, retryAfterMs, requestId: headers.get('X-Request-Id') }
  // Browsers hide a redirect, its status too.
  if (String(response.type) === 'opaqueredirect' || (status >= 300 && status < 400)) {
    throw unexpected(
      `is redirected to ${headers.get('Location') ?? 'another url'}: use that as url`,
      sent,
      facts,
    )
  }
  const answer = parse(text)
  if (response.ok && isSuccess(answer)) return answer
  const refusal = answer !== null && isObject(answer['error']) ? (answer['error'] as Refusal) : null
  if (refusal !== null && typeof refusal.message === 'string') throw refused(refusal, sent, facts)
  const excerpt = text.slice(0, EXCERPT_CHARS).replaceAll(/\s+/g, ' ')
  throw unexpected(`was answered ${status}, not by a relay's API: ${excerpt || 'nothing'}`, sent, facts)
}

/** The error of an attempt that has no answer, or none that could be read. */
export function unreached(error: unknown, { name, timeoutMs }: Sent, isLate: boolean): PosthornError {
  if (isPosthornError(error)) return error
  if (isLate) return new PosthornError('timeout', `${name} was not answered within ${timeoutMs} ms`)
  const message = `${name} has no answer (${reasonOf(error)}): does the relay run there?`
  return new PosthornError('connection', message, { cause: error })
}

function refused(
  { code, message, details, requestId }: Refusal,
  sent: Sent,
  facts: ErrorFacts,
): PosthornError {
  const known = refusalCode(code)
  if (known === null) return unexpected(`was refused as ${String(code)}: ${String(message)}`, sent, facts)
  const named = requestId ?? facts.requestId ?? null
  return new PosthornError(known, String(message), { ...facts, requestId: named, details: details ?? [] })
}

function unexpected(what: string, { name }: Sent, facts: ErrorFacts): PosthornError {
  return new PosthornError('unexpected_answer', `${name} ${what}`, facts)
}

/** Node names the cause of a failed fetch in the cause of the error only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (isObject(cause) && typeof cause['code'] === 'string') return cause['code']
  return error.message
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isSuccess(answer: Record<string, unknown> | null): answer is Answer & Record<string, unknown> {
  return answer?.['success'] === true
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

import type { AttemptError } from '../../../src/outcome/classify.ts'
import { type Expected, RETRY_SECONDS, type Row, TIMEOUT_MS } from './run.ts'

/** A line of the table. */
export function row(
  name: string,
  behaviour: Row['behaviour'],
  expected: Row['expected'],
  options?: Row['options'],
): Row {
  return { name, behaviour, expected, ...(options && { options }) }
}

/** The receiver has accepted. */
export function accepted(code = 200, body: string | null = null): Expected {
  return { status: 'success', code, error: null, retryInSeconds: null, body }
}

/** The receiver has answered otherwise. */
export function refused(
  code: number,
  body: string | null = null,
  retryInSeconds: number | null = RETRY_SECONDS,
) {
  return { status: 'failed', code, error: 'http_status', retryInSeconds, body } as const satisfies Expected
}

/** There is no answer to go by. */
export function fault(...words: AttemptError[]): Expected {
  return { status: 'failed', code: null, error: words, retryInSeconds: RETRY_SECONDS, body: null }
}

/** The receiver has used up the whole of its time. */
export function timeout(word: 'timeout_headers' | 'timeout_body'): Expected {
  return { ...fault(word), atLeastMs: TIMEOUT_MS - 50 }
}

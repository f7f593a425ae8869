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

/** A success by its head whose body does not come to its end. */
export function cutShort(code = 200): Expected {
  return { ...fault('connection'), code }
}

/** The receiver has used up the whole of its time. */
export function timeout(word: 'timeout_headers' | 'timeout_body'): Expected {
  return { ...fault(word), code: word === 'timeout_body' ? 200 : null, atLeastMs: TIMEOUT_MS - 50 }
}

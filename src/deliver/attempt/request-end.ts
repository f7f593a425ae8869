import type { RequestEnd } from '../../base/concurrency/adaptive-limit.ts'
import { isWholeAnswer } from '../../model/delivery.ts'
import type { AttemptReport } from './attempt.ts'

/** The end of an attempt's request: a receiver that times out, or asks for fewer requests, is overloaded. */
export function requestEndOf({ record, retryAfterUntilMs }: AttemptReport): RequestEnd {
  const isOverloaded =
    record.error?.startsWith('timeout') || record.status === 429 || retryAfterUntilMs !== null
  if (isOverloaded) return { kind: 'overloaded' }
  return isWholeAnswer(record) ? { kind: 'answered', latencyMs: record.latencyMs } : { kind: 'other' }
}

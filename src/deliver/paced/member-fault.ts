import { answerFields, dueAfter } from '../attempt/attempt.ts'
import type { Task } from '../attempt/claimed-delivery.ts'
import { type AttemptDeps, decide, unsentAnswer } from '../attempt/send.ts'
import type { AttemptRecord } from '../settle/outcomes.sql.ts'

/** The outcome of a delivery that its batch had to leave out, as if it had been tried alone. */
export function nextAfterFault(
  deps: AttemptDeps,
  { subscription, event, n, row }: Task,
  { fault, message, atMs }: { fault: 'template' | 'internal'; message: string; atMs: number },
): AttemptRecord {
  const answer = unsentAnswer({ fault, message, payload: null })
  const attemptsMade = n - (row?.replayBase ?? 0)
  const startedAtMs = row?.replayId ? deps.now() : event.acceptedAtMs
  const asked = { subscription, type: event.type, isTest: false, attemptsMade, startedAtMs }
  return {
    subscriptionNo: subscription.no,
    seq: event.seq,
    type: event.type,
    isTest: false,
    n,
    success: false,
    dueAtMs: dueAfter(subscription, decide(deps, asked, answer), false),
    atMs,
    ...answerFields(answer, false),
    payload: 'none',
    kept: null,
    batchNo: null,
    isCounted: true,
  }
}

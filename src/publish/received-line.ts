import type { Log } from '../base/log.ts'

/** The answer for one event of a publish request, as far as its log line counts it. */
export type ReceivedAnswer =
  | { status: 'accepted'; id: string; matched: number }
  | { status: 'duplicate'; id: string }
  | { status: 'rejected' }

export type Received = { workspace: string; requestId: string; bytes: number; startedAtMs: number }

/**
 * Draws publish requests for a log line: a sample, and all with a rejected event. Null draws none.
 */
export function isReceivedLogged(
  { settings, random }: { settings: { logSample: number | null }; random: () => number },
  answers: readonly ReceivedAnswer[],
): boolean {
  const { logSample } = settings
  if (logSample === null) return false
  return answers.some(({ status }) => status === 'rejected') || random() < logSample
}

/** Writes the one line of a publish request that was answered 202. */
export function logReceived(
  { log, now }: { log: Log; now: () => number },
  { workspace, requestId, bytes, startedAtMs }: Received,
  answers: readonly ReceivedAnswer[],
): void {
  const count = (status: ReceivedAnswer['status']) =>
    answers.filter((answer) => answer.status === status).length
  log('event.received', {
    workspace,
    requestId,
    eventId: onlyId(answers),
    events: answers.length,
    bytes,
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: count('rejected'),
    matched: answers.reduce((sum, answer) => sum + (answer.status === 'accepted' ? answer.matched : 0), 0),
    durationMs: now() - startedAtMs,
  })
}

/** The id of the event where a request has published one alone. */
function onlyId(answers: readonly ReceivedAnswer[]): string | null {
  const [first] = answers
  return first !== undefined && answers.length === 1 && 'id' in first ? first.id : null
}

import type { LineBudget } from '../base/line-budget.ts'
import type { Log } from '../base/log.ts'

/** The answer for one event of a publish request, as far as its log line counts it. */
export type ReceivedAnswer =
  | { status: 'accepted'; id: string; matched: number }
  | { status: 'duplicate'; id: string }
  | { status: 'rejected' }

/** What decides whether a publish request has a line of its own. */
type LineDraw = { settings: { logSample: number | null }; lineBudget: LineBudget; random: () => number }

export type Received = { workspace: string; requestId: string; bytes: number; startedAtMs: number }

/**
 * Draws publish requests for a log line: a sample as far as the budget reaches, and all with a rejected event. Null
 * draws none.
 */
export function isReceivedLogged(
  { settings, lineBudget, random }: LineDraw,
  answers: readonly ReceivedAnswer[],
): boolean {
  const { logSample } = settings
  if (logSample === null) return false
  if (answers.some(({ status }) => status === 'rejected')) return true
  if (random() >= logSample) return false
  const isAllowed = lineBudget.take()
  if (!isAllowed) lineBudget.withhold({ published: countOf(answers, 'accepted') })
  return isAllowed
}

/** Writes the one line of a publish request that was answered 202. */
export function logReceived(
  { log, now }: { log: Log; now: () => number },
  { workspace, requestId, bytes, startedAtMs }: Received,
  answers: readonly ReceivedAnswer[],
): void {
  log('event.received', {
    workspace,
    requestId,
    eventId: onlyId(answers),
    events: answers.length,
    bytes,
    accepted: countOf(answers, 'accepted'),
    duplicates: countOf(answers, 'duplicate'),
    rejected: countOf(answers, 'rejected'),
    matched: answers.reduce((sum, answer) => sum + (answer.status === 'accepted' ? answer.matched : 0), 0),
    durationMs: now() - startedAtMs,
  })
}

function countOf(answers: readonly ReceivedAnswer[], status: ReceivedAnswer['status']): number {
  return answers.filter((answer) => answer.status === status).length
}

/** The id of the event where a request has published one alone. */
function onlyId(answers: readonly ReceivedAnswer[]): string | null {
  const [first] = answers
  return first !== undefined && answers.length === 1 && 'id' in first ? first.id : null
}

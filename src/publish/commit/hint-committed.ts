import { describeError, type Log } from '../../base/log.ts'
import type { HintSender, PacedEntry } from '../../hints/hint-sender.ts'
import { pairsHints } from '../../hints/pairs.ts'
import type { Committed, WaitingNote } from './committed.ts'

/**
 * Sends hints for the deliveries a commit owes. A failure is logged only: the sweeper finds the
 * events.
 */
export async function hintCommitted(
  hints: HintSender,
  log: Log,
  { pairs, waiting }: Committed,
): Promise<void> {
  const firstAttempts = pairsHints(pairs)
  const sending = [hints.firstAttempts(firstAttempts), hints.paced(waiting.flatMap(pacedEntries))]
  for (const sent of await Promise.allSettled(sending)) {
    if (sent.status === 'rejected') {
      log('hint.failed', { hints: firstAttempts.length + waiting.length, error: describeError(sent.reason) })
    }
  }
}

/** The counts of deliveries that began to wait; a flush also asks for a look. */
function pacedEntries({
  subscriptionNo: no,
  level,
  isFlushed,
  events,
  bytes,
  sinceMs,
}: WaitingNote): PacedEntry[] {
  if (level === 'ordered') return [{ no, ordered: true }]
  return [...(events > 0 ? [{ no, events, bytes, sinceMs }] : []), ...(isFlushed ? [{ no }] : [])]
}

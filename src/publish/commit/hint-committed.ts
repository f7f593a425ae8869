import { chunksOf } from '../../base/chunks.ts'
import { eachInTurns } from '../../base/concurrency/in-turn.ts'
import { describeError, type Log } from '../../base/log.ts'
import type { HintSender, PacedEntry } from '../../hints/hint-sender.ts'
import { pairsHints } from '../../hints/pairs.ts'
import type { Pair } from '../../model/delivery.ts'
import type { Committed, WaitingNote } from './committed.ts'

/** Deliveries whose hints are made before others have their turn: some ten milliseconds. */
const PAIRS_PER_TURN = 10_000

/**
 * Sends hints for the deliveries a commit owes. A failure is logged only: the sweeper finds the
 * events.
 */
export async function hintCommitted(
  hints: HintSender,
  log: Log,
  { pairs, waiting }: Committed,
): Promise<void> {
  let count = waiting.length
  const firstAttempts = async (part: readonly Pair[]) => {
    const made = pairsHints(part)
    count += made.length
    await hints.firstAttempts(made)
  }
  const sending = [
    eachInTurns(chunksOf(pairs, PAIRS_PER_TURN), firstAttempts, 1),
    hints.paced(waiting.flatMap(pacedEntries)),
  ]
  for (const sent of await Promise.allSettled(sending)) {
    if (sent.status === 'rejected') {
      log('hint.failed', { hints: count, error: describeError(sent.reason) })
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

import type { ConsumeReport } from '../../hints/consume-batch.ts'
import type { Hint } from '../../hints/hint.ts'
import { pairsOf } from '../../hints/pairs.ts'
import { addDueRows, addDueRowsOf } from './dead-letters.sql.ts'

/**
 * Repairs hints that failed again and again: deliveries of their events get rows that are due, for
 * the sweeper to find. Hints of other kinds name work that has rows already.
 */
export async function repairDeadLetters(
  { db, now }: { db: D1Database; now: () => number },
  hints: readonly Hint[],
  report: ConsumeReport,
): Promise<void> {
  for (const [i, hint] of hints.entries()) {
    if (hint.kind === 'events') {
      await addDueRows(db, { ...hint, subscriptions: hint.subscriptions ?? null }, now()).run()
    }
    if (hint.kind === 'pairs') await addDueRowsOf(db, pairsOf(hint), now()).run()
    report.done[i] = true
  }
}

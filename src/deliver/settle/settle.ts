import { sleep } from '../../base/time.ts'
import { retryDelayMs, TRIES } from './outcome-times.ts'
import { type Settlement, settle } from './settle.sql.ts'

/**
 * Records outcomes, trying again when D1 fails: the requests have been made, and forgetting them would make them
 * twice. A failed call may have committed; the settlement is written so that running it again changes nothing.
 */
export async function settleWithRetries(
  db: D1Database,
  settlement: Settlement,
  now: () => number,
  random: () => number,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await settle(db, settlement, now())
      return
    } catch (error) {
      if (attempt === TRIES) throw error
      await sleep(retryDelayMs(attempt, random()))
    }
  }
}

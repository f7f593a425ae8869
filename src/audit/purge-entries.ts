import { DAY_MS } from '../base/time.ts'
import { readDown } from './audit.sql.ts'
import { type AuditEntry, type ChainPlace, hashOf } from './entry.ts'
import { type AgedChain, readAgedChains, removeEntries } from './purge.sql.ts'

/** How long a row is kept. */
export const AUDIT_KEPT_MS = 400 * DAY_MS
const CHAINS_PER_STEP = 100
const ROWS_PER_STEP = 500

/** Where a daily round over the chains is; `afterChain` is null at its start. */
export type AuditRound = { roundAtMs: number; isRunning: boolean; afterChain: string | null }

/** The same with what this run has done; `broken` are chains that it left as they are. */
export type AuditPurge = AuditRound & { removed: number; broken: number }

type Run = { nowMs: number; takeStep: () => boolean }

/**
 * Removes rows past their time, oldest first. Rows that do not verify are left as they are: a row that is made to look
 * old does not take the evidence with it.
 */
export async function purgeEntries(
  db: D1Database,
  round: AuditRound,
  { nowMs, takeStep }: Run,
): Promise<AuditPurge> {
  const done: AuditPurge = { ...round, removed: 0, broken: 0 }
  if (!done.isRunning && nowMs - done.roundAtMs < DAY_MS) return done
  if (!done.isRunning) Object.assign(done, { roundAtMs: nowMs, isRunning: true, afterChain: null })
  const beforeMs = nowMs - AUDIT_KEPT_MS
  while (takeStep()) {
    const page = { afterChain: done.afterChain, beforeMs, limit: CHAINS_PER_STEP }
    const { aged, lastChain } = await readAgedChains(db, page)
    for (const chain of aged) {
      if (!takeStep()) return done
      await purgeChain(db, chain, { beforeMs, takeStep, done })
      done.afterChain = chain.chain
    }
    done.afterChain = lastChain
    done.isRunning = lastChain !== null
    if (!done.isRunning) return done
  }
  return done
}

type ChainRun = { beforeMs: number; takeStep: () => boolean; done: AuditPurge }

async function purgeChain(db: D1Database, chain: AgedChain, run: ChainRun): Promise<void> {
  const { purged } = chain
  // One row more than is removed: it vouches for those before it, as the head does where it is the last.
  const fromNo = purged.no + ROWS_PER_STEP + 1
  const { ends, entries } = await readDown(db, chain.chain, { fromNo, limit: ROWS_PER_STEP + 2 })
  const rows = entries.toReversed()
  const aged = rows.slice(0, Math.min(ROWS_PER_STEP, countAged(rows, run.beforeMs)))
  const last = await followed(purged, aged)
  const vouched = rows[aged.length]?.previousHash ?? ends?.head.hash
  if (last === null || last.hash !== vouched) {
    run.done.broken++
    return
  }
  await removeEntries(db, chain, last)
  run.done.removed += aged.length
  if (aged.length === ROWS_PER_STEP && run.takeStep())
    await purgeChain(db, { chain: chain.chain, purged: last }, run)
}

function countAged(rows: readonly AuditEntry[], beforeMs: number): number {
  const firstKept = rows.findIndex(({ atMs }) => atMs >= beforeMs)
  return firstKept === -1 ? rows.length : firstKept
}

/** The last of rows that follow a place, one after the other, as they were written; null where they do not. */
async function followed(place: ChainPlace, rows: readonly AuditEntry[]): Promise<ChainPlace | null> {
  let last = place
  for (const row of rows) {
    const follows = row.no === last.no + 1 && row.previousHash === last.hash
    if (!follows || (await hashOf(row)) !== row.hash) return null
    last = { no: row.no, hash: row.hash }
  }
  return last
}

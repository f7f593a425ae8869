import { DAY_MS } from '../base/time.ts'
import { readDown } from './audit.sql.ts'
import { AUDIT_KEPT_MS, type AuditEntry, type ChainPlace, hashOf } from './entry.ts'
import { type DueChain, putOffChains, readDueChains, removeEntries } from './purge.sql.ts'

const CHAINS_PER_STEP = 100
const ROWS_PER_STEP = 500
/** A chain that does not verify is looked at again by then. */
const BROKEN_AGAIN_MS = DAY_MS

/** The rows that a purge has removed; `broken` are chains that it left as they are. */
export type AuditPurge = { removed: number; broken: number }

type Run = { nowMs: number; takeStep: () => boolean; done: AuditPurge }

/**
 * Removes rows past their time, oldest first, of the chains whose oldest row is: an idle purge looks at none. Rows that do
 * not verify are left as they are: a row that is made to look old does not take the evidence with it.
 */
export async function purgeEntries(db: D1Database, terms: Omit<Run, 'done'>): Promise<AuditPurge> {
  const run: Run = { ...terms, done: { removed: 0, broken: 0 } }
  while (run.takeStep()) {
    const chains = await readDueChains(db, { nowMs: run.nowMs, limit: CHAINS_PER_STEP })
    const young = chains.filter((chain) => !isAged(chain, run.nowMs))
    if (young.length > 0)
      await putOffChains(
        db,
        young.map((chain) => nextLook(chain, run.nowMs)),
      )
    for (const chain of chains.filter((each) => isAged(each, run.nowMs))) {
      if (!run.takeStep()) return run.done
      await purgeChain(db, chain, run)
    }
    if (chains.length < CHAINS_PER_STEP) return run.done
  }
  return run.done
}

function isAged({ oldestAtMs }: DueChain, nowMs: number): boolean {
  return oldestAtMs !== null && oldestAtMs < nowMs - AUDIT_KEPT_MS
}

/** A chain without rows may get its next one now. */
function nextLook({ chain, oldestAtMs }: DueChain, nowMs: number): { chain: string; purgeAtMs: number } {
  return { chain, purgeAtMs: (oldestAtMs ?? nowMs) + AUDIT_KEPT_MS + 1 }
}

async function purgeChain(db: D1Database, due: Pick<DueChain, 'chain' | 'purged'>, run: Run): Promise<void> {
  const { chain, purged } = due
  // One row more than is removed: it vouches for those before it, as the head does where it is the last.
  const fromNo = purged.no + ROWS_PER_STEP + 1
  const { ends, entries } = await readDown(db, chain, { fromNo, limit: ROWS_PER_STEP + 2 })
  const rows = entries.toReversed()
  const aged = rows.slice(0, Math.min(ROWS_PER_STEP, countAged(rows, run.nowMs - AUDIT_KEPT_MS)))
  const upTo = await followed(purged, aged)
  const kept = rows[aged.length]
  if (upTo === null || upTo.hash !== (kept?.previousHash ?? ends?.head.hash)) {
    run.done.broken++
    await putOffChains(db, [{ chain, purgeAtMs: run.nowMs + BROKEN_AGAIN_MS }])
    return
  }
  const { purgeAtMs } = nextLook({ chain, purged: upTo, oldestAtMs: kept?.atMs ?? null }, run.nowMs)
  await removeEntries(db, due, { upTo, purgeAtMs })
  run.done.removed += aged.length
  if (aged.length === ROWS_PER_STEP && run.takeStep()) await purgeChain(db, { chain, purged: upTo }, run)
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

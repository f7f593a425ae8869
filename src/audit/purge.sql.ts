import type { ChainPlace } from './entry.ts'

/** A chain that is to be looked at: where it begins, and the time of its oldest row; null where it has none. */
export type DueChain = { chain: string; purged: ChainPlace; oldestAtMs: number | null }

type DueRow = { chain: string; no: number; hash: string; oldestAtMs: number | null }

const DUE = `SELECT c.chain, c.purged_no AS no, c.purged_hash AS hash, (SELECT e.at_ms FROM audit_entry e WHERE e.chain = c.chain AND e.no > c.purged_no ORDER BY e.no LIMIT 1) AS oldestAtMs
FROM audit_chain c INDEXED BY audit_chain_to_purge WHERE c.purge_at_ms <= ?1 ORDER BY c.purge_at_ms LIMIT ?2`

/** Reads the chains that the purge is to look at; others cost nothing. */
export async function readDueChains(
  db: D1Database,
  { nowMs, limit }: { nowMs: number; limit: number },
): Promise<DueChain[]> {
  const { results } = await db.prepare(DUE).bind(nowMs, limit).all<DueRow>()
  return results.map(({ chain, no, hash, oldestAtMs }) => ({ chain, purged: { no, hash }, oldestAtMs }))
}

const PUT_OFF = `UPDATE audit_chain SET purge_at_ms = p.value ->> 1 FROM json_each(?1) p WHERE audit_chain.chain = p.value ->> 0`

/** Says when chains are to be looked at next. */
export async function putOffChains(
  db: D1Database,
  chains: readonly { chain: string; purgeAtMs: number }[],
): Promise<void> {
  const pairs = chains.map(({ chain, purgeAtMs }) => [chain, purgeAtMs])
  await db.prepare(PUT_OFF).bind(JSON.stringify(pairs)).run()
}

/** Removes the rows of a chain up to one, in one transaction with the note of where the chain begins from then on. */
export async function removeEntries(
  db: D1Database,
  { chain, purged }: Pick<DueChain, 'chain' | 'purged'>,
  { upTo, purgeAtMs }: { upTo: ChainPlace; purgeAtMs: number },
): Promise<void> {
  await db.batch([
    db
      .prepare(
        'UPDATE audit_chain SET purged_no = ?4, purged_hash = ?5, purge_at_ms = ?6 WHERE chain = ?1 AND purged_no = ?2 AND purged_hash = ?3',
      )
      .bind(chain, purged.no, purged.hash, upTo.no, upTo.hash, purgeAtMs),
    db
      .prepare(
        `DELETE FROM audit_entry WHERE chain = ?1 AND no > ?2 AND no <= ?3 AND (SELECT purged_no FROM audit_chain WHERE chain = ?1) >= ?3`,
      )
      .bind(chain, purged.no, upTo.no),
  ])
}

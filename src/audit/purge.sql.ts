import type { ChainPlace } from './entry.ts'

/** A chain whose oldest row is past its time. */
export type AgedChain = { chain: string; purged: ChainPlace }

type AgedRow = { chain: string; no: number; hash: string; oldest_at_ms: number | null }

/** Reads the next chains by name, and says which of them have rows from before a time. */
export async function readAgedChains(
  db: D1Database,
  { afterChain, beforeMs, limit }: { afterChain: string | null; beforeMs: number; limit: number },
): Promise<{ aged: AgedChain[]; lastChain: string | null }> {
  const { results } = await db
    .prepare(
      `SELECT c.chain, c.purged_no AS no, c.purged_hash AS hash, (SELECT e.at_ms FROM audit_entry e WHERE e.chain = c.chain AND e.no > c.purged_no ORDER BY e.no LIMIT 1) AS oldest_at_ms
       FROM audit_chain c WHERE ?1 IS NULL OR c.chain > ?1 ORDER BY c.chain LIMIT ?2`,
    )
    .bind(afterChain, limit)
    .all<AgedRow>()
  const aged = results
    .filter(({ oldest_at_ms: atMs }) => atMs !== null && atMs < beforeMs)
    .map(({ chain, no, hash }) => ({ chain, purged: { no, hash } }))
  return { aged, lastChain: results.at(-1)?.chain ?? null }
}

/** Removes the rows of a chain up to one, in one transaction with the note of where the chain begins from then on. */
export async function removeEntries(
  db: D1Database,
  { chain, purged }: AgedChain,
  upTo: ChainPlace,
): Promise<void> {
  await db.batch([
    db
      .prepare(
        'UPDATE audit_chain SET purged_no = ?4, purged_hash = ?5 WHERE chain = ?1 AND purged_no = ?2 AND purged_hash = ?3',
      )
      .bind(chain, purged.no, purged.hash, upTo.no, upTo.hash),
    db
      .prepare(
        `DELETE FROM audit_entry WHERE chain = ?1 AND no > ?2 AND no <= ?3 AND (SELECT purged_no FROM audit_chain WHERE chain = ?1) >= ?3`,
      )
      .bind(chain, purged.no, upTo.no),
  ])
}

import { releaseStatement } from '../claims.sql.ts'
import type { PacedClaim } from './paced-claims.sql.ts'

/**
 * Cuts a claim down to the deliveries before the first that has crashed a consumer, or to that one
 * alone: so the poison is found, and takes no others along. Gives up the rest of the claim.
 */
export async function isolatePoison(db: D1Database, claimed: PacedClaim): Promise<PacedClaim> {
  const kept = withoutPoison(claimed)
  if (kept === null) return claimed
  await releaseStatement(db, claimed.claim.id, kept.claim.pairs).run()
  return kept
}

/** The part of a claim to go on with; null when that is all of it. */
export function withoutPoison({ claim, batches }: PacedClaim): PacedClaim | null {
  const poison = new Set(claim.rows.flatMap(({ seq, crashes }) => (crashes > 0 ? [seq] : [])))
  if (poison.size === 0) return null
  const units = unitsOf({ claim, batches })
  const first = units.findIndex((unit) => unit.some((seq) => poison.has(seq)))
  if (first === -1 || units.length === 1) return null
  const chosen = new Set(units.slice(0, Math.max(1, first)).flat())
  return {
    claim: { ...claim, pairs: claim.pairs.filter(({ seq }) => chosen.has(seq)) },
    batches: batches.filter(({ members }) => members.some((seq) => chosen.has(seq))),
  }
}

/** The deliveries of each request, in accepted order. */
function unitsOf({ claim, batches }: PacedClaim): number[][] {
  const batched = new Set(batches.flatMap(({ members }) => members))
  const single = claim.pairs.flatMap(({ seq }) => (batched.has(seq) ? [] : [[seq]]))
  return [...batches.map(({ members }) => members), ...single]
}

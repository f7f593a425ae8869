import { releaseStatement } from '../claims.sql.ts'
import type { PacedClaim } from './paced-claims.sql.ts'

/**
 * What of a claim may be worked on together. A delivery that has cost a consumer its life is tried alone, so that the one
 * that kills is found and takes no others along; those before it go first. The rest is given up.
 */
export async function isolatePoison(db: D1Database, claimed: PacedClaim): Promise<PacedClaim> {
  const kept = withoutPoison(claimed)
  if (kept === null) return claimed
  await releaseStatement(db, claimed.claim.id, kept.claim.pairs).run()
  return kept
}

/** The part of a claim to go on with; null for all of it. */
export function withoutPoison({ claim, batches }: PacedClaim): PacedClaim | null {
  const troubled = new Set(claim.rows.flatMap(({ seq, crashes }) => (crashes > 0 ? [seq] : [])))
  if (troubled.size === 0) return null
  const units = unitsOf({ claim, batches })
  const first = units.findIndex((unit) => unit.some((seq) => troubled.has(seq)))
  if (first === -1 || units.length === 1) return null
  const chosen = new Set(units.slice(0, Math.max(1, first)).flat())
  return {
    claim: { ...claim, pairs: claim.pairs.filter(({ seq }) => chosen.has(seq)) },
    batches: batches.filter(({ members }) => members.some((seq) => chosen.has(seq))),
  }
}

/** What goes in one request, in accepted order. */
function unitsOf({ claim, batches }: PacedClaim): number[][] {
  const bound = new Set(batches.flatMap(({ members }) => members))
  const single = claim.pairs.flatMap(({ seq }) => (bound.has(seq) ? [] : [[seq]]))
  return [...batches.map(({ members }) => members), ...single]
}

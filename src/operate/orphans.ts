/** An event above the sweeper's mark. `orphan`: some delivery of it has no row yet. */
export type Scanned = { seq: number; acceptedAtMs: number; orphan: boolean }

/** A range of sequence numbers, inclusive. */
export type SeqRange = { firstSeq: number; lastSeq: number }

/** What the sweeper does about a scan: send hints again, give rows, and move the mark. */
export type OrphanPlan = { rehint: SeqRange[]; giveRows: SeqRange[]; markSeq: number | null }

/** When this sweep and the last one run; `queuedSinceMs` is when the oldest hint still waiting in a queue was sent. */
export type SweepTime = { nowMs: number; lastSweepMs: number; alone: boolean; queuedSinceMs: number }

/** Ages at which a hint is sent again: it may only be waiting its turn, and doubled hints cost queue operations. */
const REHINT_AGES_MS = [20_000, 60_000, 180_000] as const
/** From this age on an orphan gets a row, so that one stuck event cannot hold the mark back for ever. */
const ROW_AGE_MS = 600_000
/** Events named by one hint. */
const EVENTS_PER_RANGE_MAX = 100

/**
 * Decides about scanned events, oldest first. An orphan is hinted again when it crossed one of the ages since the last
 * sweep and the queue is past it, or at once when `alone` says that no consumer can be at work on it; from ten minutes
 * on it gets a row.
 * The mark rises to just below the first event that is left without one.
 */
export function planOrphans(
  scanned: readonly Scanned[],
  { nowMs, lastSweepMs, alone, queuedSinceMs }: SweepTime,
): OrphanPlan {
  const plan: OrphanPlan = { rehint: [], giveRows: [], markSeq: null }
  let markHeld = false
  for (const { seq, acceptedAtMs, orphan } of scanned) {
    const old = nowMs - acceptedAtMs >= ROW_AGE_MS
    if (orphan && old) append(plan.giveRows, seq)
    else if (
      orphan &&
      (alone || (acceptedAtMs < queuedSinceMs && crossedAnAge(acceptedAtMs, nowMs, lastSweepMs)))
    ) {
      append(plan.rehint, seq)
    }
    if (orphan && !old) markHeld = true
    if (!markHeld) plan.markSeq = seq
  }
  return plan
}

function crossedAnAge(acceptedAtMs: number, nowMs: number, lastSweepMs: number): boolean {
  return REHINT_AGES_MS.some((ageMs) => acceptedAtMs + ageMs <= nowMs && acceptedAtMs + ageMs > lastSweepMs)
}

/** Extends the last range across gaps: numbers that no event has cost a consumer nothing. */
function append(ranges: SeqRange[], seq: number): void {
  const last = ranges.at(-1)
  if (last !== undefined && seq - last.firstSeq < EVENTS_PER_RANGE_MAX) last.lastSeq = seq
  else ranges.push({ firstSeq: seq, lastSeq: seq })
}

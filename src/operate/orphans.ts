/** An event above the watermark. `isOrphan`: one of its deliveries has no row yet. */
type Scanned = { seq: number; acceptedAtMs: number; isOrphan: boolean }

/** A range of sequence numbers, inclusive. */
export type SeqRange = { firstSeq: number; lastSeq: number }

/** The sweeper's work after a scan: hints to send again, rows to give, and the new watermark. */
export type OrphanPlan = { rehint: SeqRange[]; giveRows: SeqRange[]; watermark: number | null }

/**
 * The times of this sweep and the last one, and of the oldest hint that waits in a queue.
 * `isAlone`: no consumer of another process can be at work.
 */
export type SweepTime = { nowMs: number; lastSweepMs: number; isAlone: boolean; queuedSinceMs: number }

/**
 * Ages at which a hint is sent again: it may only wait its turn, and doubled hints cost operations.
 */
const REHINT_AGES_MS = [20_000, 60_000, 180_000] as const
/**
 * From this age on an orphan gets a row, so that one stuck event never holds the watermark back.
 */
const ROW_AGE_MS = 600_000
/** Events named by one hint. */
const EVENTS_PER_RANGE_MAX = 100

/**
 * Decides about scanned events, oldest first. The watermark rises to just below the first event
 * that is left with a delivery without a row.
 */
export function planOrphans(scanned: readonly Scanned[], time: SweepTime): OrphanPlan {
  const plan: OrphanPlan = { rehint: [], giveRows: [], watermark: null }
  let mayRise = true
  for (const event of scanned) {
    const isOld = time.nowMs - event.acceptedAtMs >= ROW_AGE_MS
    if (event.isOrphan && isOld) append(plan.giveRows, event.seq)
    else if (event.isOrphan && isHintLost(event, time)) append(plan.rehint, event.seq)
    mayRise &&= isOld || !event.isOrphan
    if (mayRise) plan.watermark = event.seq
  }
  return plan
}

/**
 * A hint counts as lost at some ages, once the queue is past it; at once where no consumer has it.
 */
function isHintLost({ acceptedAtMs }: Scanned, { nowMs, lastSweepMs, isAlone, queuedSinceMs }: SweepTime) {
  if (isAlone) return true
  return (
    acceptedAtMs < queuedSinceMs &&
    REHINT_AGES_MS.some((ageMs) => acceptedAtMs + ageMs <= nowMs && acceptedAtMs + ageMs > lastSweepMs)
  )
}

/** Extends the last range across gaps: numbers without an event cost a consumer nothing. */
function append(ranges: SeqRange[], seq: number): void {
  const last = ranges.at(-1)
  if (last !== undefined && seq - last.firstSeq < EVENTS_PER_RANGE_MAX) last.lastSeq = seq
  else ranges.push({ firstSeq: seq, lastSeq: seq })
}

/**
 * Sequence numbers order a workspace's events. D1 assigns them inside the commit as
 * max(last, floor from now) + 1 + i, so they also place an event in time without an index.
 */

/** Bits of a primary key that hold the sequence number; the workspace's number is above them. */
export const SEQ_BITS = 44
/** Largest sequence number. */
export const SEQ_MAX = 2 ** SEQ_BITS - 1
const EPOCH_MS = Date.UTC(2026, 0, 1)
/** Numbers per millisecond: above 32,000 events a second in one workspace they outrun the clock. */
const SEQ_PER_MS = 32
/** Bound of the drift between numbers and clock that a search by date allows for. */
const DRIFT_MS = 600_000

/** The lowest number an event accepted at `nowMs` may get. 44 bits last until the year 2043. */
export function seqFloor(nowMs: number): number {
  return Math.min(SEQ_MAX, Math.max(0, Math.floor((nowMs - EPOCH_MS) * SEQ_PER_MS)))
}

/** About when the event with a number was accepted: numbers outrun the clock only above 32,000 events a second. */
export function timeOfSeq(seq: number): number {
  return EPOCH_MS + Math.ceil(seq / SEQ_PER_MS)
}

/**
 * Inclusive bounds around every event accepted in a date range; null means open. Rows decide
 * exactly.
 */
export function seqRange(fromMs: number | null, toMs: number | null): { min: number; max: number } {
  return {
    min: fromMs === null ? 0 : seqFloor(fromMs - DRIFT_MS),
    max: toMs === null ? SEQ_MAX : seqFloor(toMs + DRIFT_MS),
  }
}

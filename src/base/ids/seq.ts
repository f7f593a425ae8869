/**
 * Sequence numbers order a workspace's events. D1 assigns them inside the commit as
 * max(last, floor from now) + 1 + i, so they also place an event in time without an index.
 */

/** Bits of a primary key that hold the sequence number; the workspace's number is above them. */
export const SEQ_BITS = 44
/** Largest sequence number. */
export const SEQ_MAX = 2 ** SEQ_BITS - 1
const EPOCH_MS = Date.UTC(2026, 0, 1)
/** Numbers set aside per millisecond: above 32,000 events a second in one workspace the numbers run ahead of the clock. */
const SEQ_PER_MS = 32
/** How far the numbers may run ahead of the clock, or clocks apart, before a search by date would miss an event. */
const DRIFT_MS = 600_000

/** The lowest number an event accepted at `nowMs` may get. 44 bits last until the year 2043. */
export function seqFloor(nowMs: number): number {
  return Math.min(SEQ_MAX, Math.max(0, Math.floor((nowMs - EPOCH_MS) * SEQ_PER_MS)))
}

/** Inclusive bounds that hold every event accepted in a date range; null means open. Exact dates are checked per row. */
export function seqRange(fromMs: number | null, toMs: number | null): { min: number; max: number } {
  return {
    min: fromMs === null ? 0 : seqFloor(fromMs - DRIFT_MS),
    max: toMs === null ? SEQ_MAX : seqFloor(toMs + DRIFT_MS),
  }
}

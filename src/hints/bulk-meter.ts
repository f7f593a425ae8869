/** Deliveries a workspace may owe at once and still have their hints in the queue that others' single events use. */
const BURST_PAIRS = 1_000
/** Deliveries a second by which what it owes is taken to shrink. */
const PAIRS_PER_SECOND = 500
const WORKSPACES_MAX = 10_000

/**
 * Tells bulk from single events, by workspace: a queue serves its hints in the order of their coming, so a hundred
 * thousand deliveries of one tenant must not stand before another's one. A bucket that leaks.
 */
export class BulkMeter {
  readonly #levels = new Map<number, { pairs: number; atMs: number }>()

  /** Counts deliveries of a workspace; true when they belong with the bulk. */
  add(workspaceNo: number, pairs: number, nowMs: number): boolean {
    const { pairs: before, atMs } = this.#levels.get(workspaceNo) ?? { pairs: 0, atMs: nowMs }
    const left = Math.max(0, before - ((nowMs - atMs) * PAIRS_PER_SECOND) / 1_000)
    const level = Math.min(left + pairs, 100 * BURST_PAIRS)
    if (this.#levels.size >= WORKSPACES_MAX) this.#levels.clear()
    this.#levels.set(workspaceNo, { pairs: level, atMs: nowMs })
    return level > BURST_PAIRS
  }
}

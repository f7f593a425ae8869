/** Longest time an outcome waits for company before it is written. */
export const PART_AFTER_MS = 400

/** How often the write of an outcome is tried. */
export const TRIES = 4
const FIRST_DELAY_MS = 100

/** The pause after a try that failed; `chance` is in [0, 1). */
export function retryDelayMs(attempt: number, chance: number): number {
  return FIRST_DELAY_MS * 4 ** (attempt - 1) * (0.5 + chance)
}

/** The longest that all pauses of one write may come to. */
export function retriesMsMax(): number {
  const delaysMs = Array.from({ length: TRIES - 1 }, (_, i) => retryDelayMs(i + 1, 1))
  return delaysMs.reduce((sum, ms) => sum + ms, 0)
}

/** Values a log line may carry. Never payloads, secrets or full URLs. */
export type LogFields = Record<string, string | number | boolean | null | undefined>

/** Writes one wide, structured line per unit of work. */
export type Log = (event: string, fields: LogFields) => void

/** The relay's only use of the console: one JSON line. */
export const logToConsole: Log = (event, fields) => {
  console.log(JSON.stringify({ event, ...fields }))
}

/**
 * Draws a share of all pairs of numbers, always the same pairs, spread evenly. It costs a few
 * multiplications, so a line that is not drawn costs little.
 */
export function isDrawn(a: number, b: number, share: number): boolean {
  if (share <= 0 || share >= 1) return share >= 1
  let mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b | 0, 0x85ebca6b) ^ Math.floor(b / 2 ** 32)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32 < share
}

/** A short text for an unknown error: its name and message, cut; never its stack. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.slice(0, 300)
}

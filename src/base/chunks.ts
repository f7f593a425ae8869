/** Cuts a list into parts of at most `countMax` items. */
export function chunksOf<T>(items: readonly T[], countMax: number): T[][] {
  return chunksByWeight(items, countMax, () => 1)
}

/**
 * Cuts a list into parts of at most `weightMax` together; an item that is heavier is a part of its
 * own.
 */
export function chunksByWeight<T>(
  items: readonly T[],
  weightMax: number,
  weightOf: (item: T) => number,
): T[][] {
  const chunks: T[][] = []
  let open: T[] = []
  let weight = 0
  for (const item of items) {
    const more = weightOf(item)
    if (open.length > 0 && weight + more > weightMax) {
      chunks.push(open)
      open = []
      weight = 0
    }
    open.push(item)
    weight += more
  }
  return open.length === 0 ? chunks : [...chunks, open]
}

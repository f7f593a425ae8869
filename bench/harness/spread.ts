/** A median as text, with the smallest and the largest value in brackets. */
export function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  const text = (value: number | undefined) =>
    (value ?? Number.NaN).toLocaleString('en', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
  return sorted.length === 1 ? text(median) : `${text(median)} (${text(sorted[0])}–${text(sorted.at(-1))})`
}

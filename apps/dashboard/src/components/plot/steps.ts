import type { Line } from './plot.tsx'

/** Steps of time from one to another, each with what the API has of it: it leaves out those without any. */
export type Steps<Row> = { times: readonly number[]; rows: readonly (Row | undefined)[] }

/** Lays rows on a line of time without gaps; times are seconds since 1970, as plots take them. */
export function fillSteps<Row>(
  rows: readonly Row[],
  timeOf: (row: Row) => string,
  { from, to, stepMs }: { from: number; to: number; stepMs: number },
): Steps<Row> {
  const byTime = new Map(rows.map((row) => [Date.parse(timeOf(row)), row]))
  const first = Math.floor(from / stepMs) * stepMs
  const count = Math.max(1, Math.floor((to - first) / stepMs) + 1)
  const times = Array.from({ length: count }, (_, n) => first + n * stepMs)
  return { times: times.map((time) => time / 1_000), rows: times.map((time) => byTime.get(time)) }
}

type Counted = { delivered: number; failed: number }

/** Deliveries as bars: what was delivered, and failures on top of it. */
export function outcomeLines(rows: readonly (Counted | undefined)[]): Line[] {
  return [
    { label: 'Delivered', tone: 'good', values: rows.map((row) => row?.delivered ?? 0) },
    { label: 'Failed for good', tone: 'bad', values: rows.map((row) => row?.failed ?? 0) },
  ]
}

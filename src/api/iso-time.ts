/** ISO 8601 in UTC, as every answer of the API shows times. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

export function isoTimeOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : isoTime(timeMs)
}

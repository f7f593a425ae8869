import { type EntryFilter, scanEntries } from './audit.sql.ts'
import type { AuditEntry } from './entry.ts'

/** Rows that one statement may look at, and statements for one page: filtered lists are read in bounded steps. */
const ROWS_PER_SCAN = 2_000
const SCANS_MAX = 5
/** The clocks of isolates differ: rows are in the order of their numbers, and their times nearly so. */
const CLOCKS_APART_MS = 60_000

/** Rows found, newest first; the next page begins below `next`, up to whose time all was looked at. */
type EntriesPage = { entries: AuditEntry[]; next: { no: number; atMs: number } | null }

/** Reads a page of a chain's rows. It is short where its scans are spent; then the next goes on there. */
export async function listEntries(
  db: D1Database,
  chain: string,
  query: EntryFilter & { belowNo: number; limit: number },
): Promise<EntriesPage> {
  const entries: AuditEntry[] = []
  let belowNo = query.belowNo
  let next: EntriesPage['next'] = null
  for (let scans = 0; scans < SCANS_MAX && entries.length < query.limit; scans++) {
    const limit = query.limit - entries.length
    const found = await scanEntries(db, chain, { ...query, belowNo, rowsMax: ROWS_PER_SCAN, limit })
    entries.push(...found.entries)
    next = found.last
    if (next === null || isPast(next.atMs, query.fromMs)) return { entries, next: null }
    belowNo = next.no
  }
  return { entries, next }
}

function isPast(atMs: number, fromMs: number | null): boolean {
  return fromMs !== null && atMs < fromMs - CLOCKS_APART_MS
}

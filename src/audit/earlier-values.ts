import type { AuditEntry } from './entry.ts'
import { listEntries } from './list-entries.ts'

/** Rows about the same object that are looked at. */
const ROWS_MAX = 200

/** A value that a field was given by an earlier row. */
export type EarlierValue = { value: unknown; no: number; atMs: number }

/**
 * Finds, for each field that a row names, the newest row before it that has given the same object's field a value. Fields
 * that no row within reach has named are left out.
 */
export async function earlierValues(
  db: D1Database,
  { chain, no, object, fields }: AuditEntry,
): Promise<Map<string, EarlierValue>> {
  const wanted = new Set(Object.keys(JSON.parse(fields) as object))
  const found = new Map<string, EarlierValue>()
  if (wanted.size === 0) return found
  const query = { actor: null, object, action: null, fromMs: null, toMs: null }
  const { entries } = await listEntries(db, chain, { ...query, belowNo: no, limit: ROWS_MAX })
  for (const entry of entries.filter(({ outcome }) => outcome === 'done')) {
    for (const [name, value] of Object.entries(JSON.parse(entry.fields) as object)) {
      if (!wanted.delete(name)) continue
      found.set(name, { value, no: entry.no, atMs: entry.atMs })
    }
    if (wanted.size === 0) break
  }
  return found
}

import { SEQ_BITS } from '../../base/ids/seq.ts'

/** Archives of purged events: their rows, and their objects in R2. */

/** An archive; `restoredAtMs` is set while its events are back. Times are unix milliseconds. */
export type Archive = {
  no: number
  workspaceNo: number
  key: string
  firstSeq: number
  lastSeq: number
  events: number
  bytes: number
  acceptedFromMs: number
  acceptedToMs: number
  createdAtMs: number
  restoredAtMs: number | null
}

const COLUMNS = `a.no, a.workspace_no AS workspaceNo, a.key, a.first_seq AS firstSeq, a.last_seq AS lastSeq, a.events, a.bytes,
a.accepted_from_ms AS acceptedFromMs, a.accepted_to_ms AS acceptedToMs, a.created_at_ms AS createdAtMs, a.restored_at_ms AS restoredAtMs`

/** An archive whose object has been written. */
export type NewArchive = Omit<Archive, 'no' | 'restoredAtMs'>

/**
 * Names an archive's object, in one batch with the removal of its events and before it. Does
 * nothing when another purge has removed them meanwhile, which has an archive of its own.
 */
export function insertArchive(
  db: D1Database,
  archive: NewArchive,
  seqs: readonly number[],
): D1PreparedStatement {
  const { workspaceNo, key, firstSeq, lastSeq, events, bytes } = archive
  return db
    .prepare(
      `INSERT INTO archive (workspace_no, key, first_seq, last_seq, events, bytes, accepted_from_ms, accepted_to_ms, created_at_ms)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (
         SELECT 1 FROM json_each(?10) v JOIN event e ON e.pk = (?1 << ${SEQ_BITS}) | v.value)`,
    )
    .bind(
      workspaceNo,
      key,
      firstSeq,
      lastSeq,
      events,
      bytes,
      archive.acceptedFromMs,
      archive.acceptedToMs,
      archive.createdAtMs,
      JSON.stringify(seqs),
    )
}

/** Reads a page of a workspace's archives, newest first, below a number. */
export async function listArchives(
  db: D1Database,
  workspaceId: string,
  page: { belowNo: number; limit: number },
): Promise<Archive[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM archive a INDEXED BY archive_workspace
       WHERE a.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND a.no < ?2 ORDER BY a.no DESC LIMIT ?3`,
    )
    .bind(workspaceId, page.belowNo, page.limit)
    .all<Archive>()
  return results
}

/** Finds a workspace's archive by its number. */
export async function findArchive(db: D1Database, workspaceId: string, no: number): Promise<Archive | null> {
  return await db
    .prepare(
      `SELECT ${COLUMNS} FROM archive a JOIN workspace w ON w.no = a.workspace_no WHERE a.no = ?2 AND w.id = ?1`,
    )
    .bind(workspaceId, no)
    .first<Archive>()
}

/**
 * Marks an archive as restored, before its first event is back: nothing else would take them away
 * again.
 */
export async function markRestored(db: D1Database, no: number, nowMs: number): Promise<void> {
  await db.prepare('UPDATE archive SET restored_at_ms = ?2 WHERE no = ?1').bind(no, nowMs).run()
}

/** Finds the archive that was restored longest ago, if before a time. */
export async function restoredBefore(db: D1Database, beforeMs: number): Promise<Archive | null> {
  return await db
    .prepare(
      `SELECT ${COLUMNS} FROM archive a INDEXED BY archive_restored
       WHERE a.restored_at_ms IS NOT NULL AND a.restored_at_ms < ?1 ORDER BY a.restored_at_ms LIMIT 1`,
    )
    .bind(beforeMs)
    .first<Archive>()
}

/** Marks a restored archive's events as gone, unless it was restored anew meanwhile. */
export async function endRestored(db: D1Database, archive: Archive): Promise<void> {
  await db
    .prepare('UPDATE archive SET restored_at_ms = NULL WHERE no = ?1 AND restored_at_ms = ?2')
    .bind(archive.no, archive.restoredAtMs)
    .run()
}

/** Writes an archive's object. */
export async function putArchive(bucket: R2Bucket, key: string, bytes: Uint8Array): Promise<void> {
  await bucket.put(key, bytes, { httpMetadata: { contentType: 'application/gzip' } })
}

/** Opens an archive's object; null when it is missing. */
export async function openArchive(bucket: R2Bucket, key: string): Promise<R2ObjectBody | null> {
  return await bucket.get(key)
}

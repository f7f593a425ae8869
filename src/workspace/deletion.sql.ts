import { type Deletion, readDeletion } from './deletion.ts'

/** A workspace that is being deleted. */
export type DeletedWorkspace = { no: number; id: string; deletion: Deletion }

/**
 * Begins a workspace's deletion; one that has begun goes on as it is. The version of the configuration changes with it:
 * from then on every publish meets the deletion, on every isolate. False when there is no such workspace.
 */
export async function startDeletion(db: D1Database, id: string, deletion: Deletion): Promise<boolean> {
  const [, found] = await db.batch([
    db
      .prepare(
        `UPDATE workspace SET deletion = ?2, config_version = config_version + 1 + (random() & 1048575) WHERE id = ?1 AND deletion IS NULL`,
      )
      .bind(id, JSON.stringify(deletion)),
    db.prepare('SELECT 1 FROM workspace WHERE id = ?1').bind(id),
  ])
  return (found?.results.length ?? 0) > 0
}

/** Reads the names of workspaces that are being deleted. */
export async function deletingIds(db: D1Database): Promise<string[]> {
  const { results } = await db
    .prepare('SELECT id FROM workspace INDEXED BY workspace_deletion WHERE deletion IS NOT NULL')
    .all<{ id: string }>()
  return results.map(({ id }) => id)
}

type Row = { no: number; id: string; deletion: string }

/** Reads workspaces that are being deleted and in no run's hand; first those that were worked on longest ago. */
export async function deletionsToRun(
  db: D1Database,
  nowMs: number,
  limit: number,
): Promise<DeletedWorkspace[]> {
  const { results } = await db
    .prepare(
      `SELECT no, id, deletion FROM workspace INDEXED BY workspace_deletion
       WHERE deletion IS NOT NULL AND deletion ->> 'phase' <> 'done' AND deletion ->> 'leasedUntilMs' <= ?1
       ORDER BY deletion ->> 'leasedUntilMs', no LIMIT ?2`,
    )
    .bind(nowMs, limit)
    .all<Row>()
  return results.flatMap(({ no, id, deletion: text }) => {
    const deletion = readDeletion(text)
    return deletion === null ? [] : [{ no, id, deletion }]
  })
}

/** Takes a deletion in hand until a time; null when another run has it, or has ended it. */
export async function leaseDeletion(
  db: D1Database,
  no: number,
  lease: { leaseId: string; leasedUntilMs: number; nowMs: number },
): Promise<Deletion | null> {
  const text = await db
    .prepare(
      `UPDATE workspace SET deletion = json_set(deletion, '$.leaseId', ?2, '$.leasedUntilMs', ?3)
       WHERE no = ?1 AND deletion ->> 'phase' <> 'done' AND deletion ->> 'leasedUntilMs' <= ?4 RETURNING deletion`,
    )
    .bind(no, lease.leaseId, lease.leasedUntilMs, lease.nowMs)
    .first<string>('deletion')
  return readDeletion(text)
}

/** Writes how far a deletion is. False when the lease was lost: then another run goes on with it. */
export async function saveDeletion(db: D1Database, no: number, deletion: Deletion): Promise<boolean> {
  const row = await db
    .prepare(`UPDATE workspace SET deletion = ?2 WHERE no = ?1 AND deletion ->> 'leaseId' = ?3 RETURNING no`)
    .bind(no, JSON.stringify(deletion), deletion.leaseId)
    .first()
  return row !== null
}

// The newest workspace, and that of the newest subscription, stay as bare rows: the next ones would be given their numbers.
const BARE = `SELECT no FROM workspace INDEXED BY workspace_deletion WHERE deletion IS NOT NULL AND deletion ->> 'phase' = 'done'`

/** The statements that remove the bare rows whose numbers cannot be given out again. */
function removeBareRows(db: D1Database): D1PreparedStatement[] {
  return [
    db.prepare(
      `DELETE FROM subscription WHERE workspace_no IN (${BARE}) AND no < (SELECT max(no) FROM subscription)`,
    ),
    db.prepare(
      `DELETE FROM workspace WHERE no IN (${BARE}) AND no < (SELECT max(no) FROM workspace)
         AND NOT EXISTS (SELECT 1 FROM subscription s WHERE s.workspace_no = workspace.no)`,
    ),
  ]
}

/** Frees the name of a workspace of which nothing else is left, and removes its row as soon as that can go. */
export async function endDeletion(db: D1Database, no: number, deletion: Deletion): Promise<void> {
  const { requestedAtMs, phaseAtMs, leaseId } = deletion
  const bare = JSON.stringify({ requestedAtMs, phase: 'done', phaseAtMs, leasedUntilMs: 0 })
  await db.batch([
    db
      .prepare(
        `UPDATE workspace SET id = 'deleted/' || no, settings = '{}', stored_bytes = 0, deletion = ?3 WHERE no = ?1 AND deletion ->> 'leaseId' = ?2`,
      )
      .bind(no, leaseId, bare),
    ...removeBareRows(db),
  ])
}

/** Removes what earlier deletions had to leave. */
export async function removeBare(db: D1Database): Promise<void> {
  await db.batch(removeBareRows(db))
}

import { bumpConfigVersion } from '../../workspace/workspaces.sql.ts'
import type { PortalEpoch } from './token.ts'

/** The columns of a workspace `w` that say which portal tokens it has not ended. */
export const PORTAL_COLUMNS = 'w.portal_epoch, w.created_at_ms'

export type PortalRow = { portal_epoch: number; created_at_ms: number }

/** Reads these columns. */
export function toPortalEpoch(row: PortalRow): PortalEpoch {
  return { epoch: row.portal_epoch, workspaceMadeAtMs: row.created_at_ms }
}

/** The epoch of a workspace's portal tokens, in one indexed read; null where it is not there, or not for long. */
export async function findPortalEpoch(db: D1Database, workspaceId: string): Promise<PortalEpoch | null> {
  const row = await db
    .prepare(`SELECT ${PORTAL_COLUMNS} FROM workspace w WHERE w.id = ?1 AND w.deletion IS NULL`)
    .bind(workspaceId)
    .first<PortalRow>()
  return row === null ? null : toPortalEpoch(row)
}

/**
 * Ends all portal tokens of a workspace: once this has resolved none is accepted on any isolate. The step is random, so
 * that a database restored to an earlier time does not come to an epoch again.
 */
export async function endPortalTokens(db: D1Database, workspaceNo: number): Promise<void> {
  await db.batch([
    db
      .prepare('UPDATE workspace SET portal_epoch = portal_epoch + 1 + (random() & 1048575) WHERE no = ?1')
      .bind(workspaceNo),
    bumpConfigVersion(db, workspaceNo),
  ])
}

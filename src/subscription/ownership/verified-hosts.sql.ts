import { bumpConfigVersion } from '../../workspace/workspaces.sql.ts'
import type { Subscription } from '../subscription.ts'

/** True for a host that has shown that it wants the workspace's deliveries. */
export async function isVerifiedHost(db: D1Database, workspaceId: string, host: string): Promise<boolean> {
  const found = await db
    .prepare(
      'SELECT 1 FROM verified_host h WHERE h.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND h.host = ?2',
    )
    .bind(workspaceId, host)
    .first()
  return found !== null
}

type Challenged = Pick<Subscription, 'no' | 'workspaceNo' | 'version'>

/**
 * Records that the host has answered, unless it is null, and lets deliveries begin with the next publish. Writes nothing for a
 * subscription that was changed or deleted meanwhile: it may point elsewhere.
 */
export async function recordVerified(
  db: D1Database,
  { no, workspaceNo, version }: Challenged,
  { host, nowMs }: { host: string | null; nowMs: number },
): Promise<void> {
  await db.batch([
    // Null is no host, and is not kept.
    db
      .prepare(
        `INSERT INTO verified_host (workspace_no, host, verified_at_ms)
         SELECT workspace_no, ?3, ?4 FROM subscription WHERE no = ?1 AND version = ?2 AND deleted_at_ms IS NULL AND ?3 IS NOT NULL
         ON CONFLICT DO NOTHING`,
      )
      .bind(no, version, host, nowMs),
    db
      .prepare(
        `UPDATE subscription SET active = 1, disabled_reason = NULL, challenged_at_ms = ?3, challenge_problem = NULL, version = version + 1
         WHERE no = ?1 AND version = ?2 AND disabled_reason = 'unverified' AND deleted_at_ms IS NULL`,
      )
      .bind(no, version, nowMs),
    bumpConfigVersion(db, workspaceNo),
  ])
}

/** Records a challenge that was not answered as it must be. */
export async function recordUnanswered(
  db: D1Database,
  { no, version }: Challenged,
  { problem, nowMs }: { problem: string; nowMs: number },
): Promise<void> {
  await db
    .prepare(
      'UPDATE subscription SET challenged_at_ms = ?3, challenge_problem = ?4 WHERE no = ?1 AND version = ?2',
    )
    .bind(no, version, nowMs, problem)
    .run()
}

/** Lets a subscription that is not active wait for its host's answer. */
export async function markUnverified(
  db: D1Database,
  { no }: Pick<Subscription, 'no'>,
  nowMs: number,
): Promise<void> {
  await db
    .prepare(
      `UPDATE subscription SET disabled_reason = 'unverified', updated_at_ms = ?2, version = version + 1
       WHERE no = ?1 AND active = 0 AND deleted_at_ms IS NULL`,
    )
    .bind(no, nowMs)
    .run()
}

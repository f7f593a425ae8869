/** Counts the subscriptions of a workspace, the first parameter, that end with their listeners. */
export const TEMPORARY_COUNT =
  "SELECT count(*) AS n FROM subscription WHERE workspace_no = ?1 AND kind = 0 AND deleted_at_ms IS NULL AND config ->> 'url' GLOB 'listener:*'"

/** Counts a workspace's subscriptions that end with their listeners. */
export async function countTemporary(db: D1Database, workspaceNo: number): Promise<number> {
  return (await db.prepare(TEMPORARY_COUNT).bind(workspaceNo).first<number>('n')) ?? 0
}

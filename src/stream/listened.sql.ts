/** The workspace's row says until when consumers tell its hub. It is moved on in steps, however many listen. */
const MARK = `UPDATE workspace SET streamed_until_ms = ?2 WHERE id = ?1 AND streamed_until_ms < ?3`

/** Makes consumers tell a workspace's hub for a while: at most a row written in each half of that time. */
export async function markListened(
  db: D1Database,
  workspaceId: string,
  { nowMs, forMs }: { nowMs: number; forMs: number },
): Promise<void> {
  await db
    .prepare(MARK)
    .bind(workspaceId, nowMs + forMs, nowMs + forMs / 2)
    .run()
}

const INSERT_WORKSPACE =
  'INSERT INTO workspace (id, created_at_ms) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING'

/** Creates a workspace if there is none; running it twice changes nothing. */
export async function ensureWorkspace(db: D1Database, id: string, nowMs: number): Promise<void> {
  await db.prepare(INSERT_WORKSPACE).bind(id, nowMs).run()
}

/** A workspace's number, or null. */
export async function findWorkspaceNo(db: D1Database, id: string): Promise<number | null> {
  return await db.prepare('SELECT no FROM workspace WHERE id = ?1').bind(id).first<number>('no')
}

/**
 * Makes every isolate match afresh: to be batched with each change of matching. The step is random, so
 * that a database restored to an earlier time does not repeat a version that some isolate still holds.
 */
export function bumpConfigVersion(db: D1Database, workspaceNo: number): D1PreparedStatement {
  return db
    .prepare('UPDATE workspace SET config_version = config_version + 1 + (random() & 1048575) WHERE no = ?1')
    .bind(workspaceNo)
}

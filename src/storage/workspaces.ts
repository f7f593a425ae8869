import type { Matchable } from '../domain/matcher.ts'

/** What a publish needs of a workspace: its number, and every live subscription's patterns at one version. */
export type WorkspaceConfiguration = { no: number; configVersion: number; subscriptions: Matchable[] }

const INSERT_WORKSPACE =
  'INSERT INTO workspace (id, created_at_ms) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING'
const SELECT_WORKSPACE = 'SELECT no, config_version FROM workspace WHERE id = ?1'
const SELECT_MATCHABLE = `SELECT s.no, s.active, s.config ->> 'events' AS events FROM subscription s
WHERE s.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND s.deleted_at_ms IS NULL ORDER BY s.no`

/** Loads a workspace's configuration in one transaction, so that version and subscriptions belong together; null if unknown. */
export async function loadConfiguration(db: D1Database, id: string): Promise<WorkspaceConfiguration | null> {
  const [workspaces, subscriptions] = await db.batch([
    db.prepare(SELECT_WORKSPACE).bind(id),
    db.prepare(SELECT_MATCHABLE).bind(id),
  ])
  const row = workspaces?.results[0] as { no: number; config_version: number } | undefined
  if (row === undefined) return null
  const rows = (subscriptions?.results ?? []) as { no: number; active: number; events: string }[]
  return {
    no: row.no,
    configVersion: row.config_version,
    subscriptions: rows.map((s) => ({
      no: s.no,
      active: s.active === 1,
      events: JSON.parse(s.events) as string[],
    })),
  }
}

/** Creates a workspace if there is none; running it twice changes nothing. */
export async function ensureWorkspace(db: D1Database, id: string, nowMs: number): Promise<void> {
  await db.prepare(INSERT_WORKSPACE).bind(id, nowMs).run()
}

/** A workspace's number, or null. */
export async function findWorkspaceNo(db: D1Database, id: string): Promise<number | null> {
  return await db.prepare('SELECT no FROM workspace WHERE id = ?1').bind(id).first<number>('no')
}

/**
 * Makes every isolate match afresh: to be batched with each change of what matches. The step is random, so that a
 * database restored to an earlier time does not come by a version again that some isolate still holds.
 */
export function bumpConfigVersion(db: D1Database, workspaceNo: number): D1PreparedStatement {
  return db
    .prepare('UPDATE workspace SET config_version = config_version + 1 + (random() & 1048575) WHERE no = ?1')
    .bind(workspaceNo)
}

/** Rejects when the store does not answer or has no tables yet. */
export async function checkStore(db: D1Database): Promise<void> {
  await db.prepare('SELECT no FROM workspace LIMIT 1').first()
}

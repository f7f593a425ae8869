import {
  changesSettings,
  storedWorkspaceSettingsSchema,
  type WorkspaceSettings,
  type WorkspaceSettingsChange,
} from './settings.ts'
import { bumpConfigVersion, ensureWorkspace } from './workspaces.sql.ts'

/** A workspace with its settings, defaults filled in. */
export type Workspace = { no: number; id: string; settings: WorkspaceSettings; createdAtMs: number }

type WorkspaceRow = { no: number; settings: string; created_at_ms: number }

const SELECT_WORKSPACE = 'SELECT no, settings, created_at_ms FROM workspace WHERE id = ?1'

/** A workspace's settings; the defaults where it does not exist yet. */
export async function findWorkspaceSettings(db: D1Database, id: string): Promise<WorkspaceSettings> {
  const row = await db.prepare(SELECT_WORKSPACE).bind(id).first<WorkspaceRow>()
  return readSettings(row?.settings ?? '{}')
}

/** A workspace, created on first use. */
export async function useWorkspace(db: D1Database, id: string, nowMs: number): Promise<Workspace> {
  const find = () => db.prepare(SELECT_WORKSPACE).bind(id).first<WorkspaceRow>()
  let row = await find()
  if (row === null) {
    await ensureWorkspace(db, id, nowMs)
    row = await find()
  }
  if (row === null) throw new Error('a workspace vanished after its creation')
  return { no: row.no, id, settings: readSettings(row.settings), createdAtMs: row.created_at_ms }
}

/** Changes the settings that are named, and answers all; every isolate sees them with its next publish. */
export async function changeWorkspaceSettings(
  db: D1Database,
  workspace: Workspace,
  change: WorkspaceSettingsChange,
): Promise<WorkspaceSettings> {
  if (!changesSettings(workspace.settings, change)) return workspace.settings
  const [changed] = await db.batch<{ settings: string }>([
    // Merged by the database, so that changes of different settings that meet do not undo each other.
    db
      .prepare('UPDATE workspace SET settings = json_patch(settings, ?2) WHERE no = ?1 RETURNING settings')
      .bind(workspace.no, JSON.stringify(change)),
    bumpConfigVersion(db, workspace.no),
  ])
  return readSettings(changed?.results[0]?.settings ?? '{}')
}

function readSettings(text: string): WorkspaceSettings {
  return storedWorkspaceSettingsSchema.parse(JSON.parse(text))
}

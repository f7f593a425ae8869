import { type Deletion, readDeletion, WorkspaceDeleting } from './deletion.ts'
import {
  changesSettings,
  storedWorkspaceSettingsSchema,
  type WorkspaceSettings,
  type WorkspaceSettingsChange,
} from './settings.ts'
import { bumpConfigVersion, ensureWorkspace } from './workspaces.sql.ts'

/**
 * A workspace with its settings, defaults filled in; `stored` is the text that they were read from, and `deletion` is
 * there while it is being deleted.
 */
export type Workspace = {
  no: number
  id: string
  settings: WorkspaceSettings
  stored: string
  createdAtMs: number
  deletion: Deletion | null
}

type WorkspaceRow = {
  no: number
  id: string
  settings: string
  created_at_ms: number
  deletion: string | null
}

const COLUMNS = 'no, id, settings, created_at_ms, deletion'
const SELECT_WORKSPACE = `SELECT ${COLUMNS} FROM workspace WHERE id = ?1`

/** A workspace's settings; the defaults where it does not exist yet. */
export async function findWorkspaceSettings(db: D1Database, id: string): Promise<WorkspaceSettings> {
  const row = await db.prepare(SELECT_WORKSPACE).bind(id).first<WorkspaceRow>()
  return readSettings(row?.settings ?? '{}')
}

/** Finds a workspace, also one that is being deleted. */
export async function findWorkspace(db: D1Database, id: string): Promise<Workspace | null> {
  const row = await db.prepare(SELECT_WORKSPACE).bind(id).first<WorkspaceRow>()
  return row === null ? null : toWorkspace(row)
}

/** A page of all workspaces, newest first, below a number. What only keeps a number is left out. */
export async function listWorkspaces(
  db: D1Database,
  page: { belowNo: number; limit: number },
): Promise<Workspace[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM workspace WHERE no < ?1 AND coalesce(deletion ->> 'phase', '') <> 'done' ORDER BY no DESC LIMIT ?2`,
    )
    .bind(page.belowNo, page.limit)
    .all<WorkspaceRow>()
  return results.map(toWorkspace)
}

/** Creates a workspace with its settings. False when there is one of this name. */
export async function createWorkspace(
  db: D1Database,
  id: string,
  { settings, nowMs }: { settings: WorkspaceSettingsChange; nowMs: number },
): Promise<boolean> {
  const row = await db
    .prepare(
      'INSERT INTO workspace (id, settings, created_at_ms) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING RETURNING no',
    )
    .bind(id, JSON.stringify(settings), nowMs)
    .first()
  return row !== null
}

/** A workspace, created on first use. Throws `WorkspaceDeleting` for one that is being deleted. */
export async function useWorkspace(db: D1Database, id: string, nowMs: number): Promise<Workspace> {
  let workspace = await findWorkspace(db, id)
  if (workspace === null) {
    await ensureWorkspace(db, id, nowMs)
    workspace = await findWorkspace(db, id)
  }
  if (workspace === null) throw new Error('a workspace vanished after its creation')
  if (workspace.deletion !== null) throw new WorkspaceDeleting(id)
  return workspace
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

/** The same, unless any setting has changed since they were read: then null. */
export async function changeUnchangedSettings(
  db: D1Database,
  workspace: Workspace,
  change: WorkspaceSettingsChange,
): Promise<WorkspaceSettings | null> {
  if (!changesSettings(workspace.settings, change)) return workspace.settings
  const [changed] = await db.batch<{ settings: string }>([
    db
      .prepare(
        'UPDATE workspace SET settings = json_patch(settings, ?2) WHERE no = ?1 AND settings = ?3 RETURNING settings',
      )
      .bind(workspace.no, JSON.stringify(change), workspace.stored),
    bumpConfigVersion(db, workspace.no),
  ])
  const [row] = changed?.results ?? []
  return row === undefined ? null : readSettings(row.settings)
}

function toWorkspace(row: WorkspaceRow): Workspace {
  return {
    no: row.no,
    id: row.id,
    settings: readSettings(row.settings),
    stored: row.settings,
    createdAtMs: row.created_at_ms,
    deletion: readDeletion(row.deletion),
  }
}

function readSettings(text: string): WorkspaceSettings {
  return storedWorkspaceSettingsSchema.parse(JSON.parse(text))
}

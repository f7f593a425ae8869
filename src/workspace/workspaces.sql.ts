import type { CatalogueEntry } from '../catalogue/catalogue.ts'
import { selectCatalogue, toCatalogueEntries } from '../catalogue/event-types.sql.ts'
import { storedWorkspaceSettingsSchema, type WorkspaceSettings } from './settings.ts'

/** What a publish needs of a workspace, all of one version: its settings, its live subscriptions and its catalogue. */
export type WorkspaceConfiguration = {
  no: number
  configVersion: number
  settings: WorkspaceSettings
  subscriptions: StoredMatchable[]
  /** Empty unless the workspace checks events against it. */
  catalogue: CatalogueEntry[]
}

/** What matching needs to know of one subscription; `rules` is the JSON text of what was stored. */
export type StoredMatchable = {
  no: number
  active: boolean
  events: string[]
  livemode: boolean | null
  apiVersion: string | null
  rules: string | null
  /** JSON of what holds its deliveries back, null where nothing ever did. */
  pacing: string | null
}

const INSERT_WORKSPACE =
  'INSERT INTO workspace (id, created_at_ms) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING'
const SELECT_WORKSPACE = 'SELECT no, config_version, settings FROM workspace WHERE id = ?1'
const PACING_MEMBERS = ['batchSettings', 'ordered', 'orderingKey', 'rateLimit', 'concurrency']
const SELECT_MATCHABLE = `SELECT s.no, s.active, s.config ->> 'events' AS events, s.config ->> 'livemode' AS livemode, s.config ->> 'apiVersion' AS api_version,
s.config ->> 'rules' AS rules, iif(s.paced > 0, json_object(${PACING_MEMBERS.map((name) => `'${name}', s.config -> '${name}'`).join(', ')}), NULL) AS pacing FROM subscription s
WHERE s.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND s.kind = 0 AND s.deleted_at_ms IS NULL ORDER BY s.no`

type WorkspaceRow = { no: number; config_version: number; settings: string }
type MatchableRow = {
  no: number
  active: number
  events: string
  livemode: number | null
  api_version: string | null
  rules: string | null
  pacing: string | null
}

/** Loads a workspace's configuration in one transaction, so that version and subscriptions belong together; null if unknown. */
export async function loadConfiguration(db: D1Database, id: string): Promise<WorkspaceConfiguration | null> {
  const [workspaces, subscriptions, catalogue] = await db.batch([
    db.prepare(SELECT_WORKSPACE).bind(id),
    db.prepare(SELECT_MATCHABLE).bind(id),
    selectCatalogue(db, id),
  ])
  const row = workspaces?.results[0] as WorkspaceRow | undefined
  if (row === undefined) return null
  return {
    no: row.no,
    configVersion: row.config_version,
    settings: storedWorkspaceSettingsSchema.parse(JSON.parse(row.settings)),
    subscriptions: ((subscriptions?.results ?? []) as MatchableRow[]).map(toMatchable),
    catalogue: toCatalogueEntries(catalogue?.results ?? []),
  }
}

function toMatchable(row: MatchableRow): StoredMatchable {
  return {
    no: row.no,
    active: row.active === 1,
    events: JSON.parse(row.events) as string[],
    livemode: row.livemode === null ? null : row.livemode === 1,
    apiVersion: row.api_version,
    rules: row.rules,
    pacing: row.pacing,
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

import type { ApiKey } from '../access/key.ts'
import { KEYS_OF_WORKSPACE, toApiKeys } from '../access/key-row.sql.ts'
import { PORTAL_COLUMNS, type PortalRow, toPortalEpoch } from '../access/portal/epoch.sql.ts'
import type { PortalEpoch } from '../access/portal/token.ts'
import type { CatalogueEntry } from '../catalogue/catalogue.ts'
import { selectCatalogue, toCatalogueEntries } from '../catalogue/event-types.sql.ts'
import { WorkspaceDeleting } from '../workspace/deletion.ts'
import { storedWorkspaceSettingsSchema, type WorkspaceSettings } from '../workspace/settings.ts'

/** A workspace's settings, live subscriptions, catalogue and keys, all of one version. */
export type WorkspaceConfiguration = {
  no: number
  configVersion: number
  settings: WorkspaceSettings
  subscriptions: StoredMatchable[]
  /** Empty unless the workspace checks events against it. */
  catalogue: CatalogueEntry[]
  keys: ApiKey[]
  portal: PortalEpoch
}

/** The part of a subscription that matching needs; `rules` is the stored JSON text. */
export type StoredMatchable = {
  no: number
  active: boolean
  events: string[]
  livemode: boolean | null
  apiVersion: string | null
  rules: string | null
  /** JSON of the settings that hold its deliveries back; null where it never had any. */
  pacing: string | null
}

// The keys come in the same row: a workspace without any costs nothing more.
const SELECT_WORKSPACE = `SELECT w.no, w.config_version, w.settings, w.deletion, ${PORTAL_COLUMNS}, ${KEYS_OF_WORKSPACE} AS keys FROM workspace w WHERE w.id = ?1`
type WorkspaceRow = PortalRow & {
  no: number
  config_version: number
  settings: string
  deletion: string | null
  keys: string
}

const PACING_MEMBERS = ['batchSettings', 'ordered', 'orderingKey', 'rateLimit', 'concurrency']

const SELECT_MATCHABLE = `SELECT s.no, s.active, s.config ->> 'events' AS events, s.config ->> 'livemode' AS livemode, s.config ->> 'apiVersion' AS api_version,
s.config ->> 'rules' AS rules, iif(s.pacing_level > 0, json_object(${PACING_MEMBERS.map((name) => `'${name}', s.config -> '${name}'`).join(', ')}), NULL) AS pacing FROM subscription s
WHERE s.workspace_no = (SELECT no FROM workspace WHERE id = ?1) AND s.kind = 0 AND s.deleted_at_ms IS NULL ORDER BY s.no`

type MatchableRow = {
  no: number
  active: number
  events: string
  livemode: number | null
  api_version: string | null
  rules: string | null
  pacing: string | null
}

/**
 * Loads a workspace's configuration in one transaction, so that version and subscriptions belong
 * together; null if unknown. Throws `WorkspaceDeleting` for one that is being deleted.
 */
export async function loadConfiguration(db: D1Database, id: string): Promise<WorkspaceConfiguration | null> {
  const [workspaces, subscriptions, catalogue] = await db.batch([
    db.prepare(SELECT_WORKSPACE).bind(id),
    db.prepare(SELECT_MATCHABLE).bind(id),
    selectCatalogue(db, id),
  ])
  const row = workspaces?.results[0] as WorkspaceRow | undefined
  if (row === undefined) return null
  if (row.deletion !== null) throw new WorkspaceDeleting(id)
  return {
    no: row.no,
    configVersion: row.config_version,
    settings: storedWorkspaceSettingsSchema.parse(JSON.parse(row.settings)),
    subscriptions: ((subscriptions?.results ?? []) as MatchableRow[]).map(toMatchable),
    catalogue: toCatalogueEntries(catalogue?.results ?? []),
    keys: toApiKeys(row.keys),
    portal: toPortalEpoch(row),
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

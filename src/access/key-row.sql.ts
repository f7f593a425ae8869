import type { ApiKey } from './key.ts'
import type { Grant } from './scopes.ts'

const COLUMNS = [
  'no',
  'workspace_no',
  'id',
  'name',
  'grant_json',
  'allowed_ips',
  'limits',
  'expires_at_ms',
  'hash',
  'hash_before',
  'before_until_ms',
  'created_by',
  'created_at_ms',
  'last_used_hour',
] as const

/** The columns of a key `k`. */
export const KEY_COLUMNS = COLUMNS.map((name) => `k.${name}`).join(', ')

/** As many columns without a value. */
export const NO_KEY_COLUMNS = COLUMNS.map(() => 'NULL').join(', ')

/** All keys of a workspace `w` as one JSON text, so that they are read in the statement that reads its row. */
export const KEYS_OF_WORKSPACE = `(SELECT json_group_array(json_object(${COLUMNS.map((name) => `'${name}', k.${name}`).join(', ')}))
FROM api_key k WHERE k.workspace_no = w.no)`

export type KeyRow = {
  no: number
  workspace_no: number
  id: string
  name: string
  grant_json: string
  allowed_ips: string | null
  limits: string | null
  expires_at_ms: number | null
  hash: string
  hash_before: string | null
  before_until_ms: number | null
  created_by: string
  created_at_ms: number
  last_used_hour: number | null
}

/** Reads a key's row. */
export function toApiKey(row: KeyRow): ApiKey {
  return {
    no: row.no,
    workspaceNo: row.workspace_no,
    id: row.id,
    name: row.name,
    grant: JSON.parse(row.grant_json) as Grant,
    allowedIps: row.allowed_ips === null ? null : (JSON.parse(row.allowed_ips) as string[]),
    limits: row.limits,
    expiresAtMs: row.expires_at_ms,
    hash: row.hash,
    previousHash: row.hash_before,
    previousUntilMs: row.before_until_ms,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
    lastUsedHour: row.last_used_hour,
  }
}

/** Reads the text that `KEYS_OF_WORKSPACE` selects. */
export function toApiKeys(text: string): ApiKey[] {
  return (JSON.parse(text) as KeyRow[]).map(toApiKey)
}

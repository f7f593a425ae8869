import { patternMatches } from '../model/event-type.ts'
import type { CatalogueEntry, EventType } from './catalogue.ts'

const COLUMNS =
  'e.name, e.description, e.group_name, e.schema, e.example, e.deprecated, e.created_at_ms, e.updated_at_ms'
const OF_WORKSPACE = 'e.workspace_no = (SELECT no FROM workspace WHERE id = ?1)'

type EventTypeRow = {
  name: string
  description: string | null
  group_name: string | null
  schema: string | null
  example: string | null
  deprecated: number
  created_at_ms: number
  updated_at_ms: number
}

function toEventType(row: EventTypeRow): EventType {
  return {
    name: row.name,
    description: row.description,
    group: row.group_name,
    schema: row.schema,
    example: row.example,
    deprecated: row.deprecated === 1,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }
}

/** Finds a type of a workspace's catalogue by its name. `schema` and `example` are JSON texts. */
export async function findEventType(
  db: D1Database,
  workspaceId: string,
  name: string,
): Promise<EventType | null> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM event_type e WHERE ${OF_WORKSPACE} AND e.name = ?2`)
    .bind(workspaceId, name)
    .first<EventTypeRow>()
  return row === null ? null : toEventType(row)
}

/** A page of a catalogue: what comes after a name, and what it is narrowed to. */
export type EventTypePage = {
  /** Names after this one; all of them after the empty string. */
  after: string
  limit: number
  /** The beginning of the names. */
  prefix: string
  /** Text that name, description or group must hold, in upper or lower case; empty for any. */
  q: string
  deprecated: boolean | null
}

/** A page of a workspace's catalogue, by name. */
export async function listEventTypes(
  db: D1Database,
  workspaceId: string,
  { after, limit, prefix, q, deprecated }: EventTypePage,
): Promise<EventType[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM event_type e WHERE ${OF_WORKSPACE} AND e.name > ?2
       AND substr(e.name, 1, length(?4)) = ?4 AND (?6 IS NULL OR e.deprecated = ?6)
       AND instr(lower(e.name || char(10) || ifnull(e.description, '') || char(10) || ifnull(e.group_name, '')), lower(?5)) > 0
       ORDER BY e.name LIMIT ?3`,
    )
    .bind(workspaceId, after, limit, prefix, q, deprecated === null ? null : Number(deprecated))
    .all<EventTypeRow>()
  return results.map(toEventType)
}

/**
 * Selects a workspace's catalogue for enforcement, to be batched with its configuration and read by
 * `toCatalogueEntries`. It reads nothing while enforcement is off.
 */
export function selectCatalogue(db: D1Database, workspaceId: string): D1PreparedStatement {
  return db
    .prepare(
      // CROSS JOIN keeps the order: the settings decide whether the catalogue is looked at.
      `SELECT e.name, e.schema, e.deprecated FROM workspace w CROSS JOIN event_type e
       WHERE w.id = ?1 AND ifnull(w.settings ->> 'eventTypeEnforcement', 'off') <> 'off' AND e.workspace_no = w.no`,
    )
    .bind(workspaceId)
}

/** The rows of `selectCatalogue`. */
export function toCatalogueEntries(rows: readonly unknown[]): CatalogueEntry[] {
  return (rows as Pick<EventTypeRow, 'name' | 'schema' | 'deprecated'>[]).map((row) => ({
    name: row.name,
    schema: row.schema,
    deprecated: row.deprecated === 1,
  }))
}

/** Most types that a subscription's rules are checked against. */
const KNOWN_TYPES_MAX = 200

/**
 * Reads the types of a catalogue that one of a subscription's patterns
 * wants, by name, the first 200; enforcement does not matter.
 */
export async function catalogueOf(
  db: D1Database,
  workspaceId: string,
  patterns: readonly string[],
): Promise<Map<string, { schema: unknown; example: unknown }>> {
  const names = await db
    .prepare(`SELECT e.name FROM event_type e WHERE ${OF_WORKSPACE} ORDER BY e.name`)
    .bind(workspaceId)
    .all<{ name: string }>()
  const wanted = names.results
    .map(({ name }) => name)
    .filter((name) => patterns.some((pattern) => patternMatches(pattern, name)))
    .slice(0, KNOWN_TYPES_MAX)
  if (wanted.length === 0) return new Map()
  const found = await db
    .prepare(
      `SELECT e.name, e.schema, e.example FROM event_type e WHERE ${OF_WORKSPACE} AND e.name IN (SELECT value FROM json_each(?2)) ORDER BY e.name`,
    )
    .bind(workspaceId, JSON.stringify(wanted))
    .all<Pick<EventTypeRow, 'name' | 'schema' | 'example'>>()
  return new Map(
    found.results.map((row) => [row.name, { schema: parsed(row.schema), example: parsed(row.example) }]),
  )
}

function parsed(text: string | null): unknown {
  return text === null ? null : JSON.parse(text)
}

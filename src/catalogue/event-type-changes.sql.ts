import { inTurn } from '../base/concurrency/in-turn.ts'
import { bumpConfigVersion } from '../workspace/workspaces.sql.ts'
import { EVENT_TYPES_MAX, type EventTypeDraft, SCHEMAS_BYTES_MAX } from './catalogue.ts'
import type { ImportedBefore, ImportedField } from './import-plan.ts'

/** Characters of drafts in one statement, escapes included: well below the 2 MB of a bound value. */
const CHUNK_CHARS = 250_000

/** Drafts as the rows of a statement: `?1` is the workspace's number, `?2` their JSON. */
const DRAFTS = `(SELECT value ->> 'name' AS name, value ->> 'description' AS description, value ->> 'group' AS group_name,
 value ->> 'schema' AS schema, value ->> 'example' AS example, value ->> 'deprecated' AS deprecated FROM json_each(?2)) d`

const UPSERT = `INSERT INTO event_type (workspace_no, name, description, group_name, schema, example, deprecated, created_at_ms, updated_at_ms)
 SELECT ?1, d.name, d.description, d.group_name, d.schema, d.example, d.deprecated, ?3, ?3 FROM ${DRAFTS}`
const REPLACE = `ON CONFLICT (workspace_no, name) DO UPDATE SET description = excluded.description, group_name = excluded.group_name,
 schema = excluded.schema, example = excluded.example, deprecated = excluded.deprecated, updated_at_ms = excluded.updated_at_ms`

/** True where one type still fits the catalogue, by number and by the bytes of all schemas. */
const FITS = `(SELECT count(*) FROM event_type e WHERE e.workspace_no = ?1 AND e.name <> d.name) < ${EVENT_TYPES_MAX}
 AND (SELECT ifnull(sum(octet_length(e.schema)), 0) FROM event_type e WHERE e.workspace_no = ?1 AND e.name <> d.name)
   + ifnull(octet_length(d.schema), 0) <= ${SCHEMAS_BYTES_MAX}`

/** The result of saving a type; `full` when the catalogue cannot take it. */
export type SavedEventType = { kind: 'saved'; isNew: boolean; createdAtMs: number } | { kind: 'full' }

/** Creates or replaces a type, in one transaction with the bump that makes every isolate see it. */
export async function saveEventType(
  db: D1Database,
  workspaceNo: number,
  draft: EventTypeDraft,
  nowMs: number,
): Promise<SavedEventType> {
  const [before, saved] = await db.batch<{ created_at_ms: number }>([
    db
      .prepare('SELECT created_at_ms FROM event_type WHERE workspace_no = ?1 AND name = ?2')
      .bind(workspaceNo, draft.name),
    db
      .prepare(`${UPSERT} WHERE ${FITS} ${REPLACE} RETURNING created_at_ms`)
      .bind(workspaceNo, JSON.stringify([draft]), nowMs),
    bumpConfigVersion(db, workspaceNo),
  ])
  const row = saved?.results[0]
  if (row === undefined) return { kind: 'full' }
  return { kind: 'saved', isNew: before?.results.length === 0, createdAtMs: row.created_at_ms }
}

/** Removes a type; false when there was none. */
export async function deleteEventType(db: D1Database, workspaceNo: number, name: string): Promise<boolean> {
  const [deleted] = await db.batch([
    db
      .prepare('DELETE FROM event_type WHERE workspace_no = ?1 AND name = ?2 RETURNING name')
      .bind(workspaceNo, name),
    bumpConfigVersion(db, workspaceNo),
  ])
  return (deleted?.results.length ?? 0) > 0
}

/**
 * Reads what the catalogue has of the types to be imported, and how full it is; others have their turn between the
 * parts of a large import.
 */
export async function compareEventTypes(
  { db, now }: { db: D1Database; now: () => number },
  workspaceNo: number,
  drafts: readonly EventTypeDraft[],
): Promise<ImportedBefore> {
  const compare = db.prepare(
    `SELECT d.name, ifnull(octet_length(e.schema), 0) AS schema_bytes, e.description IS NOT d.description AS description,
     e.group_name IS NOT d.group_name AS "group", e.schema IS NOT d.schema AS schema, e.example IS NOT d.example AS example,
     e.deprecated <> d.deprecated AS deprecated
     FROM ${DRAFTS} CROSS JOIN event_type e ON e.workspace_no = ?1 AND e.name = d.name`,
  )
  const total = db
    .prepare(
      'SELECT count(*) AS types, ifnull(sum(octet_length(schema)), 0) AS schema_bytes FROM event_type WHERE workspace_no = ?1',
    )
    .bind(workspaceNo)
  const [first = [], ...rest] = chunksOf(drafts)
  const comparing = (chunk: readonly EventTypeDraft[]) => compare.bind(workspaceNo, JSON.stringify(chunk))
  const [totals, compared] = await db.batch([total, comparing(first)])
  const rows = (compared?.results ?? []) as ComparedRow[]
  for (const chunk of rest) {
    rows.push(...(await inTurn(now, () => comparing(chunk).all<ComparedRow>())).results)
  }
  const sums = totals?.results[0] as { types: number; schema_bytes: number } | undefined
  return {
    types: sums?.types ?? 0,
    schemaBytes: sums?.schema_bytes ?? 0,
    known: new Map(
      rows.map((row) => [
        row.name,
        { changed: COMPARED.filter((field) => row[field] === 1), schemaBytes: row.schema_bytes },
      ]),
    ),
  }
}

const COMPARED: readonly ImportedField[] = ['description', 'group', 'schema', 'example', 'deprecated']
/** A 1 for each field that is otherwise. */
type ComparedRow = { name: string; schema_bytes: number } & Record<ImportedField, number>

/** Creates or replaces types, all or none, and makes every isolate see them. */
export async function saveEventTypes(
  db: D1Database,
  workspaceNo: number,
  drafts: readonly EventTypeDraft[],
  nowMs: number,
): Promise<void> {
  if (drafts.length === 0) return
  // `WHERE true` keeps ON CONFLICT from being read as a join's ON.
  const upsert = db.prepare(`${UPSERT} WHERE true ${REPLACE}`)
  await db.batch([
    ...chunksOf(drafts).map((chunk) => upsert.bind(workspaceNo, JSON.stringify(chunk), nowMs)),
    bumpConfigVersion(db, workspaceNo),
  ])
}

function chunksOf(drafts: readonly EventTypeDraft[]): EventTypeDraft[][] {
  const chunks: EventTypeDraft[][] = []
  let chars = CHUNK_CHARS
  for (const draft of drafts) {
    const own = (draft.schema?.length ?? 0) + (draft.example?.length ?? 0) + 2000
    if (chars + own > CHUNK_CHARS) {
      chunks.push([])
      chars = 0
    }
    chars += own
    chunks.at(-1)?.push(draft)
  }
  return chunks
}

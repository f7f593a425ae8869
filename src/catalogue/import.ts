import type * as z from 'zod'
import { useWorkspace } from '../workspace/settings.sql.ts'
import type { EventTypeDraft } from './catalogue.ts'
import { compareEventTypes, saveEventTypes } from './event-type-changes.sql.ts'
import { type ImportPlan, planImport } from './import-plan.ts'
import { type ImportNote, readImport } from './openapi-import.ts'
import { ignoredKeywords } from './schema/ignored.ts'

/** An import as it was sent: a JSON object and its text. A dry run only says what would be done. */
export type ImportRequest = { body: Record<string, unknown>; text: string; dryRun: boolean }

/** Most keywords without effect that one import names. */
const IGNORED_MAX = 100

/** Names by what was done with them; `warnings` are of types taken without some part, or with one that has no effect. */
export type Imported =
  | ({ kind: 'imported'; warnings: ImportNote[] } & Omit<ImportPlan, 'write'>)
  | { kind: 'invalid'; error: z.ZodError; path: string }

/** Creates and replaces event types, all or none of those that can be taken. */
export async function importEventTypes(
  { db, now }: { db: D1Database; now: () => number },
  workspaceId: string,
  { body, text, dryRun }: ImportRequest,
): Promise<Imported> {
  const read = readImport(body, text)
  if (read.kind === 'invalid') return read
  const nowMs = now()
  const { no } = await useWorkspace(db, workspaceId, nowMs)
  const { write, skipped, ...done } = planImport(read.types, await compareEventTypes(db, no, read.types))
  if (!dryRun) await saveEventTypes(db, no, write, nowMs)
  const warnings = [...read.warnings, ...read.types.flatMap(notesOf).slice(0, IGNORED_MAX)]
  return { kind: 'imported', ...done, skipped: [...read.skipped, ...skipped], warnings }
}

/** The keywords of a type's schema that have no effect. */
function notesOf({ name, schema }: EventTypeDraft): ImportNote[] {
  if (schema === null) return []
  return ignoredKeywords(JSON.parse(schema)).map(({ path, message }) => ({
    name,
    reason: `${['schema', ...path].join('.')} ${message}`,
  }))
}

import type * as z from 'zod'
import { Yielder } from '../base/concurrency/yielder.ts'
import { useWorkspace } from '../workspace/settings.sql.ts'
import type { EventTypeDraft } from './catalogue.ts'
import { compareEventTypes, saveEventTypes } from './event-type-changes.sql.ts'
import { type ImportPlan, planImport } from './import-plan.ts'
import { type ImportNote, readImport } from './openapi-import.ts'
import { ignoredKeywords } from './schema/ignored.ts'

/** An import as it was sent: a JSON object and its text. A dry run only says what would be done. */
export type ImportRequest = { body: Record<string, unknown>; text: string; dryRun: boolean }

/** Steps of a turn that reading a character of a schema takes. */
const STEPS_PER_CHAR = 1

/** Part of every text in which a keyword without effect is found. */
const IGNORED_NAME = '"nullable"'
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
  const read = await new Yielder().work(readImport(body, text))
  if (read.kind === 'invalid') return read
  const nowMs = now()
  const { no } = await useWorkspace(db, workspaceId, nowMs)
  const before = await compareEventTypes({ db, now }, no, read.types)
  const { write, skipped, ...done } = planImport(read.types, before)
  if (!dryRun) await saveEventTypes(db, no, write, nowMs)
  const warnings = [...read.warnings, ...(await ignoredIn(read.types))]
  return { kind: 'imported', ...done, skipped: [...read.skipped, ...skipped], warnings }
}

/** The first keywords without effect; others have their turn between the schemas. */
async function ignoredIn(types: readonly EventTypeDraft[]): Promise<ImportNote[]> {
  const notes: ImportNote[] = []
  const yielder = new Yielder()
  for (const type of types) {
    if (notes.length >= IGNORED_MAX) break
    notes.push(...notesOf(type))
    await yielder.after(STEPS_PER_CHAR * (type.schema?.length ?? 0))
  }
  return notes.slice(0, IGNORED_MAX)
}

/** The keywords of a type's schema that have no effect. */
function notesOf({ name, schema }: EventTypeDraft): ImportNote[] {
  // The one such keyword is looked for in the text first: reading a schema costs far more.
  if (schema === null || !schema.includes(IGNORED_NAME)) return []
  return ignoredKeywords(JSON.parse(schema)).map(({ path, message }) => ({
    name,
    reason: `${['schema', ...path].join('.')} ${message}`,
  }))
}

import { EVENT_TYPES_MAX, type EventTypeDraft, SCHEMAS_BYTES_MAX } from './catalogue.ts'

/** The fields of a type that an import may change. */
export const IMPORTED_FIELDS = ['description', 'group', 'schema', 'example', 'deprecated'] as const
export type ImportedField = (typeof IMPORTED_FIELDS)[number]

/** The catalogue before an import: its size, and what is otherwise in its own versions of the imported types. */
export type ImportedBefore = {
  types: number
  schemaBytes: number
  known: ReadonlyMap<string, { changed: readonly ImportedField[]; schemaBytes: number }>
}

/** The work of an import, by name; `write` is to be saved. */
export type ImportPlan = {
  created: string[]
  updated: string[]
  /** Of the updated ones. */
  changes: { name: string; fields: readonly ImportedField[] }[]
  unchanged: string[]
  skipped: { name: string; reason: string }[]
  write: EventTypeDraft[]
}

/**
 * Sorts the types of an import by what becomes of them;
 * types that the catalogue has no space for are skipped.
 */
export function planImport(drafts: readonly EventTypeDraft[], before: ImportedBefore): ImportPlan {
  const plan: ImportPlan = { created: [], updated: [], changes: [], unchanged: [], skipped: [], write: [] }
  let { types, schemaBytes } = before
  for (const draft of drafts) {
    const known = before.known.get(draft.name)
    if (known?.changed.length === 0) {
      plan.unchanged.push(draft.name)
      continue
    }
    const typesThen = types + (known === undefined ? 1 : 0)
    const bytesThen = schemaBytes - (known?.schemaBytes ?? 0) + bytesOf(draft.schema)
    if (typesThen > EVENT_TYPES_MAX || bytesThen > SCHEMAS_BYTES_MAX) {
      plan.skipped.push({ name: draft.name, reason: CATALOGUE_FULL })
      continue
    }
    types = typesThen
    schemaBytes = bytesThen
    plan[known === undefined ? 'created' : 'updated'].push(draft.name)
    if (known !== undefined) plan.changes.push({ name: draft.name, fields: known.changed })
    plan.write.push(draft)
  }
  return plan
}

const bytesOf = (text: string | null) => (text === null ? 0 : new TextEncoder().encode(text).length)

/** The reason for refusing a type that no longer fits. */
export const CATALOGUE_FULL = `the catalogue is full: it holds at most ${EVENT_TYPES_MAX.toLocaleString('en-US')} types, and ${SCHEMAS_BYTES_MAX.toLocaleString('en-US')} bytes of schemas`

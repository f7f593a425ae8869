import type { Schemas } from '../../api/schemas.ts'

type Detail = Schemas['AuditEntryDetail']

/** A field, or a member of one, before and after; `before` is null where no earlier row says it. */
export type FieldChange = { name: string; before: { value: unknown; no: number } | null; after: unknown }

/** The fields of a row. Of those that are objects before and after, the members that are otherwise. */
export function fieldChanges(fields: Detail['fields'], earlier: Detail['earlier']): FieldChange[] {
  return Object.entries(fields).flatMap(([name, after]): FieldChange[] => {
    const before = earlier[name] ?? null
    if (before === null || !isObject(before.value) || !isObject(after)) return [{ name, before, after }]
    return membersOf(name, { before: before.value, after, no: before.no })
  })
}

type Change = { before: Record<string, unknown>; after: Record<string, unknown>; no: number }

function membersOf(name: string, { before, after, no }: Change): FieldChange[] {
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = members.filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
  const shown = (value: unknown) => (value === undefined ? null : value)
  if (changed.length === 0) return [{ name, before: { value: before, no }, after }]
  return changed.map((member) => ({
    name: `${name}.${member}`,
    before: { value: shown(before[member]), no },
    after: shown(after[member]),
  }))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

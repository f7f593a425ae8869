import { type EventType, type EventTypeTexts, textsOf } from '../../api/event-type.ts'
import type { FieldProblem } from '../../api/problem.ts'
import { indentJson } from '../json/indent-json.ts'
import { readJson } from '../subscription-form/text-values.ts'

/** An event type as it stands in the fields of the form. */
export type Draft = {
  name: string
  group: string
  description: string
  schema: string
  example: string
  deprecated: boolean
}
export type FieldName = keyof Draft
export type FieldProblems = Partial<Record<FieldName, string>>

export const EMPTY_DRAFT: Draft = {
  ...{ name: '', group: '', description: '' },
  ...{ schema: '', example: '', deprecated: false },
}

/** The fields of a type that is there. */
export function draftOf(type: EventType): Draft {
  const { group, description, schema, example, deprecated } = textsOf(type)
  const lines = (text: string | null) => (text === null ? '' : (indentJson(text) ?? text))
  return {
    name: type.name,
    group: group ?? '',
    description: description ?? '',
    schema: lines(schema),
    example: lines(example),
    deprecated,
  }
}

/** Reads the fields; those that are empty say that there is none. */
export function readDraft(draft: Draft): { texts: EventTypeTexts; problems: FieldProblems } {
  const problems: FieldProblems = {}
  const textOf = (name: 'schema' | 'example') => {
    if (draft[name].trim() === '') return null
    const read = readJson(draft[name])
    if (read.kind === 'refused') problems[name] = read.message
    return draft[name]
  }
  const texts = {
    description: draft.description.trim() || null,
    group: draft.group.trim() || null,
    schema: textOf('schema'),
    example: textOf('example'),
    deprecated: draft.deprecated,
  }
  if (draft.name.trim() === '') problems.name = 'is needed, such as invoice.paid'
  return { texts, problems }
}

/** Sorts what the relay refused by the field that it is about; the rest has no field here. */
export function problemsByField(details: readonly FieldProblem[]): {
  problems: FieldProblems
  rest: FieldProblem[]
} {
  const problems: FieldProblems = {}
  const rest: FieldProblem[] = []
  for (const { path, message } of details) {
    const [name = ''] = path.split(/[.[]/)
    if (name in EMPTY_DRAFT) problems[name as FieldName] ??= path === name ? message : `${path}: ${message}`
    else rest.push({ path, message })
  }
  return { problems, rest }
}

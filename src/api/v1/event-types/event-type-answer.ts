import * as z from 'zod'
import { parseRawJson } from '../../../base/json/raw-number.ts'
import { iso } from '../../../base/time.ts'
import type { EventType } from '../../../catalogue/catalogue.ts'
import { ignoredKeywords } from '../../../catalogue/schema/ignored.ts'

const jsonObject = z.custom<object>().meta({ like: z.record(z.string(), z.unknown()) })

const eventTypeShape = {
  name: z.string(),
  description: z.string().nullable(),
  group: z.string().nullable(),
  schema: jsonObject.nullable(),
  example: jsonObject.nullable(),
  deprecated: z.boolean(),
  createdAt: z.string(),
  updatedAt: z.string(),
}

/** A type of the catalogue as the API shows it. */
export const eventTypeAnswerSchema = z.object(eventTypeShape).meta({ id: 'EventType' })

/** The same in the answer to a change. */
export const savedEventTypeSchema = eventTypeAnswerSchema.extend({
  warnings: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('Keywords of the schema that have no effect'),
})

/** Shows a type that was saved, with what its schema will not do. */
export function savedEventTypeAnswer(type: EventType): z.infer<typeof savedEventTypeSchema> {
  const answer = eventTypeAnswer(type)
  const warnings = ignoredKeywords(answer.schema).map(({ path, message }) => ({
    path: ['schema', ...path].join('.'),
    message,
  }))
  return { ...answer, ...(warnings.length > 0 && { warnings }) }
}

/** Shows a type of the catalogue. The numbers of its example print as they were sent: it is test data. */
export function eventTypeAnswer(type: EventType): z.infer<typeof eventTypeAnswerSchema> {
  return {
    name: type.name,
    description: type.description,
    group: type.group,
    schema: parsed(type.schema),
    example: type.example === null ? null : (parseRawJson(type.example) as object),
    deprecated: type.deprecated,
    createdAt: iso(type.createdAtMs),
    updatedAt: iso(type.updatedAtMs),
  }
}

/**
 * Reads the `{name}` of `/event-types/{name}` unescaped:
 * no name needs an escape, so an escaped one is none.
 */
export function nameInPath(url: URL): string {
  const path = url.pathname.replace(/\/$/, '')
  return path.slice(path.lastIndexOf('/') + 1)
}

function parsed(text: string | null): object | null {
  return text === null ? null : (JSON.parse(text) as object)
}

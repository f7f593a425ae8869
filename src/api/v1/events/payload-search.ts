import * as z from 'zod'
import type { PayloadSearch } from '../../../history/search/needles.ts'
import { invalidField } from '../../../model/errors.ts'
import { fieldPathSchema } from '../../../model/event-view.ts'

const TEXT_CHARS_MAX = 200

/** Query parameter for what a list of events or deliveries is searched for. */
export const searchTextSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(TEXT_CHARS_MAX, `must be at most ${TEXT_CHARS_MAX} characters`)

/** Query parameters that search in payloads. */
export const payloadSearchShape = {
  q: searchTextSchema.describe("An event's id, or else a text in its payload, in any case").optional(),
  path: fieldPathSchema.describe('With `equals`: where a value is looked for, as in filters').optional(),
  equals: z
    .string()
    .max(TEXT_CHARS_MAX, `must be at most ${TEXT_CHARS_MAX} characters`)
    .describe('The value at `path`, or one of an array; numbers, true, false and null as texts')
    .optional(),
}

/** Reads what is searched for; null where it is nothing. */
export function readPayloadSearch({
  q,
  path,
  equals,
}: {
  q?: string | undefined
  path?: string | undefined
  equals?: string | undefined
}): PayloadSearch | null {
  if (path === undefined && equals === undefined) return q === undefined ? null : { kind: 'text', text: q }
  if (path === undefined) throw invalidField('path', 'must say where "equals" is looked for')
  if (equals === undefined) throw invalidField('equals', 'must say what "path" leads to')
  if (q !== undefined) throw invalidField('q', 'cannot be combined with "path" and "equals"')
  return { kind: 'value', path, equals }
}

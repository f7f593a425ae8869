import { isRecord } from '../../base/json/value.ts'
import { APPLICATORS } from './keywords.ts'

/** A keyword that its author counts on and JSON Schema 2020-12 does not know; `path` leads to it. */
export type IgnoredKeyword = { path: (string | number)[]; message: string }

/** Most of them that are named. */
const IGNORED_MAX = 20

/**
 * Finds `"nullable": true` of OpenAPI 3.0 where the schema beside it refuses null all the same.
 * Expects a schema that compiles, which bounds its size and depth.
 */
export function ignoredKeywords(schema: unknown): IgnoredKeyword[] {
  return [...find(schema, [])].slice(0, IGNORED_MAX)
}

function* find(schema: unknown, path: (string | number)[]): Generator<IgnoredKeyword> {
  if (!isRecord(schema)) return
  if (schema['nullable'] === true && refusesNull(schema)) {
    yield {
      path: [...path, 'nullable'],
      message: `is OpenAPI 3.0's and has no effect, so null is refused: ${instead(schema)}`,
    }
  }
  for (const [keyword, given] of Object.entries(schema)) {
    const form = APPLICATORS.get(keyword)?.form
    const inner = form === 'one' ? [[null, given] as const] : form === undefined ? [] : entriesOf(given)
    for (const [name, each] of inner)
      yield* find(each, name === null ? [...path, keyword] : [...path, keyword, name])
  }
}

function entriesOf(given: unknown): [name: string | number, schema: unknown][] {
  if (Array.isArray(given)) return [...given.entries()]
  return isRecord(given) ? Object.entries(given) : []
}

/** True unless the keywords beside it let null through themselves. */
function refusesNull({
  type,
  enum: values,
  $ref,
  allOf,
  anyOf,
  oneOf,
  const: value,
}: Record<string, unknown>): boolean {
  if (type !== undefined) return type !== 'null' && !(Array.isArray(type) && type.includes('null'))
  if (Array.isArray(values)) return !values.includes(null)
  if (value !== undefined) return value !== null
  return [$ref, allOf, anyOf, oneOf].some((each) => each !== undefined)
}

function instead({ type }: Record<string, unknown>): string {
  if (typeof type === 'string') return `write "type": ["${type}", "null"]`
  return Array.isArray(type) ? 'write "null" into "type"' : 'write "anyOf" with {"type": "null"}'
}

import { isRecord } from '../base/json/value.ts'
import { JSON_BYTES_MAX } from './schema/compile.ts'
import { pointerName } from './schema/keywords.ts'

/** A parsed OpenAPI document, or an object in it. */
export type Document = Record<string, unknown>

/** Most references that may lead to one another before something is found. */
const REFERENCES_MAX = 10
const COMPONENTS = '#/components/schemas/'
/** A value takes two bytes at least, so more of them cannot be a schema that is small enough. */
const VALUES_MAX = JSON_BYTES_MAX / 2

/** Keywords that hold schemas by names, which may be `$ref` or `pattern` too. */
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'])
/** Keywords whose values are data. */
const DATA = new Set(['const', 'enum', 'default', 'example', 'examples'])

/** Follows an object's references; an empty object where they lead nowhere. */
export function follow(document: Document, value: unknown): Document {
  let found = value
  for (let steps = 0; steps < REFERENCES_MAX && isRecord(found); steps++) {
    const reference = found['$ref']
    if (typeof reference !== 'string') return found
    found = resolve(document, reference)
  }
  return {}
}

/**
 * Makes a schema stand by itself: all it refers to in `#/components/schemas` goes under its `$defs`.
 * `pattern`, which only restricts, is left out with a warning. Null when the result is too large.
 */
export function bundle(
  document: Document,
  schema: unknown,
): { schema: Document | undefined; warnings: string[] } | null {
  if (!isRecord(schema)) return { schema: undefined, warnings: [] }
  const copy: Copy = { names: new Set(), values: 0, patterns: 0 }
  const root = copySchema(copy, schema) as Document
  const definitions = new Map<string, unknown>()
  // The set grows while it is walked: definitions refer to others.
  for (const name of copy.names) {
    const found = resolve(document, COMPONENTS + name)
    if (found !== undefined) definitions.set(nameOf(name) ?? name, copySchema(copy, found))
    if (copy.values > VALUES_MAX) break
  }
  if (copy.values > VALUES_MAX) return null
  const own = isRecord(root['$defs']) ? Object.entries(root['$defs']) : []
  const $defs = Object.fromEntries([...own, ...definitions])
  const warnings = copy.patterns === 0 ? [] : [`without ${copy.patterns} "pattern", which ${UNBOUNDED}`]
  return { schema: definitions.size === 0 ? root : { ...root, $defs }, warnings }
}

const UNBOUNDED = 'is not supported: regular expressions are not bounded in time'

/** A copy under way: the components it refers to, by the names in references, and its size. */
type Copy = { names: Set<string>; values: number; patterns: number }

function copySchema(copy: Copy, value: unknown): unknown {
  copy.values++
  if (copy.values > VALUES_MAX) return true
  if (Array.isArray(value)) return value.map((each) => copySchema(copy, each))
  if (!isRecord(value)) return value
  const members = Object.entries(value).flatMap(([keyword, inner]): [string, unknown][] => {
    if (keyword === 'pattern') {
      copy.patterns++
      return []
    }
    if (keyword === '$ref' && typeof inner === 'string') return [[keyword, localReference(copy, inner)]]
    if (DATA.has(keyword)) return [[keyword, inner]]
    if (!MAPS.has(keyword) || !isRecord(inner)) return [[keyword, copySchema(copy, inner)]]
    const named = Object.entries(inner).map(([name, each]) => [name, copySchema(copy, each)] as const)
    return [[keyword, Object.fromEntries(named)]]
  })
  return Object.fromEntries(members)
}

function localReference(copy: Copy, reference: string): string {
  if (!reference.startsWith(COMPONENTS)) return reference
  const rest = reference.slice(COMPONENTS.length)
  const [name = ''] = rest.split('/')
  copy.names.add(name)
  return `#/$defs/${rest}`
}

function resolve(document: Document, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let value: unknown = document
  for (const segment of reference.slice(2).split('/')) {
    const name = nameOf(segment)
    if (name === null || typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined
    value = (value as Document)[name]
  }
  return value
}

function nameOf(segment: string): string | null {
  try {
    return pointerName(segment)
  } catch {
    return null
  }
}

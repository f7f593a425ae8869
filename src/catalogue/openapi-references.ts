import { isRecord } from '../base/json/value.ts'
import { countParts } from './import-budget.ts'
import { JSON_BYTES_MAX } from './schema/compile.ts'
import { pointerName } from './schema/keywords.ts'

/** A parsed OpenAPI document, or an object in it. */
export type Document = Record<string, unknown>

/** Most references that may lead to one another before something is found. */
const REFERENCES_MAX = 10
const COMPONENTS = '#/components/schemas/'
/** A part takes two bytes at least, so more of them cannot be a schema or an example that is small enough. */
export const SIZE_PARTS_MAX = JSON_BYTES_MAX / 2

/** Keywords that hold schemas by names, which may be `$ref` or `pattern` too. */
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'])
/** Keywords whose values are data. */
const DATA = new Set(['const', 'enum', 'default', 'example', 'examples'])

/** A schema that stands by itself, and the parts that were read for it; null where it is too large. */
export type Bundled = {
  bundle: { schema: Document | undefined; warnings: string[] } | null
  parts: number
}

/** The references of a document; each is resolved once. */
export class References {
  readonly #document: Document
  readonly #resolved = new Map<string, unknown>()

  constructor(document: Document) {
    this.#document = document
  }

  /** Follows an object's references; an empty object where they lead nowhere. */
  follow(value: unknown): Document {
    let found = value
    for (let steps = 0; steps < REFERENCES_MAX && isRecord(found); steps++) {
      const reference = found['$ref']
      if (typeof reference !== 'string') return found
      found = this.#resolve(reference)
    }
    return {}
  }

  /**
   * Makes a schema stand by itself: all it refers to in `#/components/schemas` goes under its `$defs`.
   * `pattern`, which only restricts, is left out with a warning.
   */
  bundle(schema: unknown): Bundled {
    if (!isRecord(schema)) return { bundle: { schema: undefined, warnings: [] }, parts: 0 }
    const copy = new SchemaCopy()
    const root = copy.of(schema) as Document
    const definitions = new Map<string, unknown>()
    // The set grows while it is walked: definitions refer to others.
    for (const name of copy.names) {
      if (copy.isTooLarge) break
      const found = this.#resolve(COMPONENTS + name)
      if (found !== undefined) definitions.set(nameOf(name) ?? name, copy.of(found))
    }
    const { parts, patterns } = copy
    if (copy.isTooLarge) return { bundle: null, parts }
    const own = isRecord(root['$defs']) ? Object.entries(root['$defs']) : []
    const $defs = Object.fromEntries([...own, ...definitions])
    const warnings = patterns === 0 ? [] : [`without ${patterns} "pattern", which ${UNBOUNDED}`]
    return { bundle: { schema: definitions.size === 0 ? root : { ...root, $defs }, warnings }, parts }
  }

  #resolve(reference: string): unknown {
    if (!this.#resolved.has(reference)) this.#resolved.set(reference, resolve(this.#document, reference))
    return this.#resolved.get(reference)
  }
}

const UNBOUNDED = 'is not supported: regular expressions are not bounded in time'

/** A copy under way: the components it refers to, by the names in references, and its size. */
class SchemaCopy {
  readonly names = new Set<string>()
  parts = 0
  patterns = 0

  get isTooLarge(): boolean {
    return this.parts > SIZE_PARTS_MAX
  }

  /** Copies a schema; the copy of one that is too large has holes and is not to be used. */
  of(value: unknown): unknown {
    if (Array.isArray(value)) return this.#list(value)
    if (!isRecord(value)) return this.#data(value)
    this.parts++
    const members: [string, unknown][] = []
    for (const keyword in value) {
      if (this.isTooLarge) break
      this.parts += keyword.length >> 1
      if (keyword === 'pattern') this.patterns++
      else members.push([keyword, this.#keyword(keyword, value[keyword])])
    }
    return Object.fromEntries(members)
  }

  #keyword(keyword: string, inner: unknown): unknown {
    if (keyword === '$ref' && typeof inner === 'string') return this.#reference(inner)
    if (DATA.has(keyword)) return this.#data(inner)
    if (!MAPS.has(keyword) || !isRecord(inner)) return this.of(inner)
    const named: [string, unknown][] = []
    for (const name in inner) {
      if (this.isTooLarge) break
      this.parts += name.length >> 1
      named.push([name, this.of(inner[name])])
    }
    return Object.fromEntries(named)
  }

  #list(values: readonly unknown[]): unknown[] {
    this.parts++
    const copies: unknown[] = []
    for (const each of values) {
      if (this.isTooLarge) break
      copies.push(this.of(each))
    }
    return copies
  }

  #data(value: unknown): unknown {
    this.parts += countParts(value, SIZE_PARTS_MAX - this.parts)
    return value
  }

  #reference(reference: string): string {
    this.parts += 1 + (reference.length >> 1)
    if (!reference.startsWith(COMPONENTS)) return reference
    const rest = reference.slice(COMPONENTS.length)
    const [name = ''] = rest.split('/')
    this.names.add(name)
    return `#/$defs/${rest}`
  }
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

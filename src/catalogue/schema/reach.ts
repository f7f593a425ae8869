import { isRecord } from '../../base/json/value.ts'
import { resourceAliases } from '../../model/event-view.ts'

export type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array'

/** The types that a value may have according to a schema; none when there can be no value at all. */
export type Reach = ReadonlySet<JsonType>

const NOTHING: Reach = new Set()
const ANYTHING: Reach = new Set(['string', 'number', 'boolean', 'null', 'object', 'array'])

/** Schemas visited for one path, and how deep they may nest: both bound loops of `$ref`. */
const VISITS_MAX = 2000
const DEPTH_MAX = 100

/** An index of an array, as `follow` of event-view has it; any other name is one of each element. */
const INDEX = /^\d{1,9}$/

/**
 * Finds the JSON types that a path can lead to in events of a type whose `data` a schema describes,
 * wherever the path is looked up. Errs towards more types. Never throws.
 */
export function reachInEvents(schema: unknown, type: string, names: readonly string[]): Reach {
  const [root = '', ...rest] = names
  const places = [names, ['object', ...names]]
  if (root === 'data') places.push(rest)
  if (resourceAliases(type).includes(root)) places.push(rest, ['object', ...rest])
  const walk = new Walk(schema)
  return union(places.map((place) => walk.reach(schema, place)))
}

/** The JSON type of a scalar. */
export function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

/** Follows paths through one schema, within bounds that all of them share. */
class Walk {
  readonly #root: unknown
  #visits = VISITS_MAX
  #depth = DEPTH_MAX

  constructor(root: unknown) {
    this.#root = root
  }

  /** The types that `names` lead to, from a schema on that is the root or lies in it. */
  reach(schema: unknown, names: readonly string[]): Reach {
    if (schema === false) return NOTHING
    if (!isRecord(schema) || this.#visits-- <= 0 || this.#depth <= 0) return ANYTHING
    this.#depth--
    const reach = this.#combinedReach(schema, names)
    this.#depth++
    return reach
  }

  #combinedReach(schema: Record<string, unknown>, names: readonly string[]): Reach {
    const inner = (each: unknown) => this.reach(each, names)
    let reach = this.#ownReach(schema, names)
    const { $ref, allOf, anyOf, oneOf } = schema
    if (typeof $ref === 'string') reach = intersection(reach, inner(resolve(this.#root, $ref)))
    for (const each of Array.isArray(allOf) ? allOf : []) reach = intersection(reach, inner(each))
    for (const any of [anyOf, oneOf]) {
      if (Array.isArray(any)) reach = intersection(reach, union(any.map(inner)))
    }
    return reach
  }

  /** The types that a schema's own keywords allow, without those that combine other schemas. */
  #ownReach(schema: Record<string, unknown>, names: readonly string[]): Reach {
    const types = typesOf(schema)
    const [name, ...rest] = names
    if (name === undefined) {
      return types.has('array') ? union([types, this.#elementReach(schema, [])]) : types
    }
    const reaches: Reach[] = []
    if (types.has('object')) reaches.push(this.#memberReach(schema, name, rest))
    if (types.has('array')) reaches.push(this.#elementReach(schema, INDEX.test(name) ? rest : names))
    return union(reaches)
  }

  #memberReach(schema: Record<string, unknown>, name: string, rest: readonly string[]): Reach {
    const { properties, patternProperties, additionalProperties } = schema
    if (isRecord(properties) && Object.hasOwn(properties, name)) return this.reach(properties[name], rest)
    return patternProperties === undefined ? this.reach(additionalProperties, rest) : ANYTHING
  }

  #elementReach(schema: Record<string, unknown>, names: readonly string[]): Reach {
    return schema['prefixItems'] === undefined ? this.reach(schema['items'], names) : ANYTHING
  }
}

/** `type`, or what the other keywords are obviously meant for where it is left out. */
function typesOf(schema: Record<string, unknown>): Reach {
  const { type } = schema
  if (type !== undefined) {
    const names = (Array.isArray(type) ? type : [type]).map((name) => (name === 'integer' ? 'number' : name))
    return names.length > 0 && names.every((name) => ANYTHING.has(name)) ? new Set(names) : ANYTHING
  }
  if (Array.isArray(schema['enum'])) return new Set(schema['enum'].map(jsonTypeOf))
  if (schema['const'] !== undefined) return new Set([jsonTypeOf(schema['const'])])
  if (isRecord(schema['properties'])) return new Set(['object'])
  return schema['items'] === undefined ? ANYTHING : new Set(['array'])
}

/** Follows a local reference; anything else, and what leads nowhere, allows anything. */
function resolve(root: unknown, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return true
  let schema = root
  for (const part of reference.slice(2).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, name)) return true
    schema = Reflect.get(schema, name)
  }
  return schema
}

function union(reaches: readonly Reach[]): Reach {
  return new Set(reaches.flatMap((reach) => [...reach]))
}

function intersection(a: Reach, b: Reach): Reach {
  return new Set([...a].filter((type) => b.has(type)))
}

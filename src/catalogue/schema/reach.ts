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

type Walk = { root: unknown; visits: number }

/**
 * What a path can lead to in events of a type whose `data` a JSON Schema describes, at any of the places where the path
 * is looked up (design section 4). Errs towards more: what it does not understand allows anything. Never throws.
 */
export function reachInEvents(schema: unknown, type: string, names: readonly string[]): Reach {
  const [root = '', ...rest] = names
  const places = [names, ['object', ...names]]
  if (root === 'data') places.push(rest)
  if (resourceAliases(type).includes(root)) places.push(rest, ['object', ...rest])
  const walk = { root: schema, visits: VISITS_MAX }
  return union(places.map((place) => reachOf(schema, place, walk, DEPTH_MAX)))
}

/** The JSON type of a scalar. */
export function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

function reachOf(schema: unknown, names: readonly string[], walk: Walk, depth: number): Reach {
  if (schema === false) return NOTHING
  if (!isRecord(schema) || walk.visits-- <= 0 || depth <= 0) return ANYTHING
  const inner = (each: unknown) => reachOf(each, names, walk, depth - 1)
  let reach = ownReach(schema, names, walk, depth)
  const { $ref, allOf, anyOf, oneOf } = schema
  if (typeof $ref === 'string') reach = intersection(reach, inner(resolve(walk.root, $ref)))
  for (const each of Array.isArray(allOf) ? allOf : []) reach = intersection(reach, inner(each))
  for (const any of [anyOf, oneOf]) {
    if (Array.isArray(any)) reach = intersection(reach, union(any.map(inner)))
  }
  return reach
}

/** What a schema's own keywords allow, without those that combine other schemas. */
function ownReach(
  schema: Record<string, unknown>,
  names: readonly string[],
  walk: Walk,
  depth: number,
): Reach {
  const types = typesOf(schema)
  const [name, ...rest] = names
  if (name === undefined) {
    return types.has('array') ? union([types, elementReach(schema, [], walk, depth)]) : types
  }
  const reaches: Reach[] = []
  if (types.has('object')) reaches.push(memberReach(schema, name, rest, walk, depth))
  if (types.has('array')) reaches.push(elementReach(schema, INDEX.test(name) ? rest : names, walk, depth))
  return union(reaches)
}

function memberReach(
  schema: Record<string, unknown>,
  name: string,
  rest: readonly string[],
  walk: Walk,
  depth: number,
): Reach {
  const { properties, patternProperties, additionalProperties } = schema
  if (isRecord(properties) && Object.hasOwn(properties, name))
    return reachOf(properties[name], rest, walk, depth - 1)
  return patternProperties === undefined ? reachOf(additionalProperties, rest, walk, depth - 1) : ANYTHING
}

function elementReach(
  schema: Record<string, unknown>,
  names: readonly string[],
  walk: Walk,
  depth: number,
): Reach {
  return schema['prefixItems'] === undefined ? reachOf(schema['items'], names, walk, depth - 1) : ANYTHING
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

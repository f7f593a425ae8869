import type { Schema } from '@cfworker/json-schema'
import { isRecord } from '../../base/json/value.ts'
import {
  APPLICATORS,
  type Applicator,
  FORMATS,
  keyOf,
  NOT_PASSED_ON,
  pointerKey,
  REFUSED,
  type Role,
  VALUES,
} from './keywords.ts'

/** How deep a schema or an example may be nested, in arrays and objects. */
export const JSON_DEPTH_MAX = 32
/** Most bytes of a schema, and of an example, as JSON. */
export const JSON_BYTES_MAX = 32_000
/** How many schemas may apply to one and the same value. */
const SAME_VALUE_MAX = 500
const PROBLEMS_MAX = 20

/** Where a schema is none, by names and indexes from its root, and what would be right. */
export type SchemaProblem = { path: (string | number)[]; message: string }

/** One (sub)schema: what the validator is given, and what is needed to know beforehand what a check will cost. */
export type Part = {
  path: (string | number)[]
  schema: Schema
  weight: number
  properties: Map<string, Part>
  parts: Record<Role, Part[]>
}

/** A schema that was checked when it was saved, ready to check data. */
export type CompiledSchema = { root: Part; byPointer: Record<string, Schema> }

type Reading = {
  all: Map<string, Part>
  refs: { part: Part; pointer: string }[]
  problems: SchemaProblem[]
}

/**
 * Reads a JSON Schema (2020-12) and answers either what checks data, or all places where it is none, the first 20.
 * Refused is what cannot be checked in bounded time: regular expressions, references that lead nowhere or only to
 * themselves. Unknown keywords and formats are annotations.
 */
export function compileSchema(
  value: unknown,
): { ok: true; schema: CompiledSchema } | { ok: false; problems: SchemaProblem[] } {
  const tooLarge = sizeProblem(value)
  if (tooLarge !== null) return { ok: false, problems: [{ path: [], message: tooLarge }] }
  const reading: Reading = { all: new Map(), refs: [], problems: [] }
  const root = readPart(reading, value, [])
  const byPointer = resolveReferences(reading)
  if (reading.problems.length === 0) refuseEndless(reading)
  const problems = reading.problems.slice(0, PROBLEMS_MAX)
  return problems.length > 0 ? { ok: false, problems } : { ok: true, schema: { root, byPointer } }
}

/** What is wrong with the size of a schema or an example, or null. */
export function sizeProblem(value: unknown): string | null {
  if (isDeeperThan(value, JSON_DEPTH_MAX)) return `must be nested at most ${JSON_DEPTH_MAX} levels deep`
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length
  return bytes > JSON_BYTES_MAX
    ? `must be at most ${JSON_BYTES_MAX.toLocaleString('en-US')} bytes as JSON`
    : null
}

/** Whether arrays and objects are nested deeper than so many levels; looks no deeper than that itself. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}

function readPart(reading: Reading, value: unknown, path: (string | number)[]): Part {
  const parts = { same: [], undeclared: [], members: [], names: [], leading: [], following: [], items: [] }
  const part: Part = { path, schema: {}, weight: 1, properties: new Map(), parts: { ...parts, none: [] } }
  reading.all.set(keyOf(path), part)
  // `false` as an object, so that the validator's errors say where it stands.
  if (value === false) part.schema = { not: {} }
  else if (isRecord(value)) {
    for (const [keyword, given] of Object.entries(value)) {
      const message = readKeyword(reading, part, keyword, given)
      if (message !== null) reading.problems.push({ path: [...path, keyword], message })
    }
  } else if (value !== true) {
    reading.problems.push({ path, message: 'must be a JSON Schema: an object, true or false' })
  }
  return part
}

/** Reads one keyword into its part; answers what would be right where it is not. */
function readKeyword(reading: Reading, part: Part, keyword: string, given: unknown): string | null {
  const refusal = REFUSED.get(keyword)
  if (refusal !== undefined) return refusal
  const applicator = APPLICATORS.get(keyword)
  if (applicator !== undefined) return READERS[applicator.form](reading, part, keyword, given)
  const value = VALUES.get(keyword)
  if (value === undefined) return null
  if (!value.test(given)) return `must be ${value.hint}`
  if (keyword === '$id' && part.path.length > 0) return 'must be given at the root only'
  if (keyword === '$ref') reading.refs.push({ part, pointer: pointerKey(String(given)) ?? '' })
  if (NOT_PASSED_ON.has(keyword) || (keyword === 'format' && !FORMATS.includes(given))) return null
  part.schema[keyword] = given
  if (typeof given === 'object') part.weight += Math.ceil(JSON.stringify(given).length / 16)
  return null
}

type Reader = (reading: Reading, part: Part, keyword: string, given: unknown) => string | null

const READERS: Record<Applicator['form'], Reader> = {
  one: (reading, part, keyword, given) => {
    if (Array.isArray(given)) {
      return `must be one schema${keyword === 'items' ? '; for one per item use "prefixItems"' : ''}`
    }
    const inner = readPart(reading, given, [...part.path, keyword])
    part.schema[keyword] = inner.schema
    addParts(part, keyword, [inner])
    return null
  },
  list: (reading, part, keyword, given) => {
    if (!Array.isArray(given) || given.length === 0) return 'must be a list of at least one schema'
    const inner = given.map((each, index) => readPart(reading, each, [...part.path, keyword, index]))
    part.schema[keyword] = inner.map(({ schema }) => schema)
    addParts(part, keyword, inner)
    return null
  },
  map: (reading, part, keyword, given) => {
    if (!isRecord(given)) return 'must be an object of schemas by name'
    const path = [...part.path, keyword]
    const inner = Object.entries(given).map(
      ([name, each]) => [name, readPart(reading, each, [...path, name])] as const,
    )
    part.schema[keyword] = Object.fromEntries(inner.map(([name, { schema }]) => [name, schema]))
    part.weight += Math.ceil(inner.length / 4)
    if (keyword === 'properties') part.properties = new Map(inner)
    addParts(
      part,
      keyword,
      inner.map(([, each]) => each),
    )
    return null
  },
}

function addParts(part: Part, keyword: string, inner: readonly Part[]): void {
  const { role } = APPLICATORS.get(keyword) ?? { role: 'none' }
  for (const each of inner) part.parts[role].push(each)
}

function resolveReferences({ all, refs, problems }: Reading): Record<string, Schema> {
  const byPointer = Object.create(null) as Record<string, Schema>
  for (const { part, pointer } of refs) {
    const target = all.get(pointer)
    if (target === undefined) {
      const message = 'must lead to a schema within this one, such as "#/$defs/Customer"'
      problems.push({ path: [...part.path, '$ref'], message })
      continue
    }
    part.schema.$ref = pointer
    part.parts.same.push(target)
    byPointer[pointer] = target.schema
  }
  return byPointer
}

/** Refuses what no data could be checked against: references that go round, and ones that multiply. */
function refuseEndless({ all, refs, problems }: Reading): void {
  const sizes = new Map<Part, number>()
  for (const { part } of refs) {
    if (sizeOnSameValue(part, sizes) !== Number.POSITIVE_INFINITY) continue
    const message = 'must not lead back to itself without going into a property or an item'
    problems.push({ path: [...part.path, '$ref'], message })
    return
  }
  for (const part of all.values()) {
    if (sizeOnSameValue(part, sizes) <= SAME_VALUE_MAX) continue
    const message = `must apply at most ${SAME_VALUE_MAX} schemas to one value, references included`
    problems.push({ path: part.path, message })
    return
  }
}

function sizeOnSameValue(part: Part, sizes: Map<Part, number>): number {
  const known = sizes.get(part)
  if (known !== undefined) return known
  // What it is while on the way: a part that meets itself is endless.
  sizes.set(part, Number.POSITIVE_INFINITY)
  const size = part.parts.same.reduce((sum, inner) => sum + sizeOnSameValue(inner, sizes), 1)
  sizes.set(part, size)
  return size
}

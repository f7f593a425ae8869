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

/** Deepest nesting of a schema or an example, in arrays and objects. */
export const JSON_DEPTH_MAX = 32
/** Most bytes of a schema, and of an example, as JSON. */
export const JSON_BYTES_MAX = 32_000
/** Most schemas that may apply to one and the same value. */
const SAME_VALUE_MAX = 500
const PROBLEMS_MAX = 20

/** A place where a schema is none, by names and indexes from its root, and what would be right. */
type Path = (string | number)[]
export type SchemaProblem = { path: Path; message: string }

/** One (sub)schema: the validator's input, and the figures that bound the cost of a check. */
export type Part = {
  path: Path
  schema: Schema
  weight: number
  properties: Map<string, Part>
  parts: Record<Role, Part[]>
}

type NamedApplicator = Applicator & { keyword: string }

/** A schema that was checked when it was saved, ready to check data. */
export type CompiledSchema = { root: Part; byPointer: Record<string, Schema> }

/**
 * Reads a JSON Schema (2020-12), or answers the first 20 places where it is none. Refuses keywords
 * that cannot be checked in bounded time: regular expressions, and references that lead nowhere or in
 * circles. Unknown keywords and formats are annotations.
 */
export function compileSchema(
  value: unknown,
): { ok: true; schema: CompiledSchema } | { ok: false; problems: SchemaProblem[] } {
  const tooLarge = sizeProblem(value)
  if (tooLarge !== null) return { ok: false, problems: [{ path: [], message: tooLarge }] }
  const { schema, problems } = new SchemaReader().read(value)
  return problems.length > 0 ? { ok: false, problems: problems.slice(0, PROBLEMS_MAX) } : { ok: true, schema }
}

/** Says why a schema or an example is too large or too deep; null when it is not. */
export function sizeProblem(value: unknown): string | null {
  if (isDeeperThan(value, JSON_DEPTH_MAX)) return `must be nested at most ${JSON_DEPTH_MAX} levels deep`
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length
  return bytes > JSON_BYTES_MAX
    ? `must be at most ${JSON_BYTES_MAX.toLocaleString('en-US')} bytes as JSON`
    : null
}

/** True when arrays and objects are nested deeper than so many levels; it looks no deeper itself. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}

/** Reads one schema, and collects where it is none. */
class SchemaReader {
  readonly #all = new Map<string, Part>()
  readonly #refs: { part: Part; pointer: string }[] = []
  readonly #problems: SchemaProblem[] = []

  read(value: unknown): { schema: CompiledSchema; problems: readonly SchemaProblem[] } {
    const root = this.#readPart(value, [])
    const byPointer = this.#resolveReferences()
    if (this.#problems.length === 0) this.#refuseEndless()
    return { schema: { root, byPointer }, problems: this.#problems }
  }

  #readPart(value: unknown, path: Path): Part {
    const parts = { same: [], undeclared: [], members: [], names: [], leading: [], following: [], items: [] }
    const part: Part = { path, schema: {}, weight: 1, properties: new Map(), parts: { ...parts, none: [] } }
    this.#all.set(keyOf(path), part)
    // `false` is read as an object, so that the validator's errors say where it stands.
    if (value === false) part.schema = { not: {} }
    else if (isRecord(value)) {
      for (const [keyword, given] of Object.entries(value)) {
        const message = this.#readKeyword(part, keyword, given)
        if (message !== null) this.#refuse([...path, keyword], message)
      }
    } else if (value !== true) this.#refuse(path, 'must be a JSON Schema: an object, true or false')
    return part
  }

  /** Reads one keyword into its part, or answers what would be right. */
  #readKeyword(part: Part, keyword: string, given: unknown): string | null {
    const refusal = REFUSED.get(keyword)
    if (refusal !== undefined) return refusal
    const applicator = APPLICATORS.get(keyword)
    if (applicator !== undefined) return this.#readApplicator(part, { ...applicator, keyword }, given)
    const value = VALUES.get(keyword)
    if (value === undefined) return null
    if (!value.test(given)) return `must be ${value.hint}`
    if (keyword === '$id' && part.path.length > 0) return 'must be given at the root only'
    if (keyword === '$ref') this.#refs.push({ part, pointer: pointerKey(String(given)) ?? '' })
    if (NOT_PASSED_ON.has(keyword) || (keyword === 'format' && !FORMATS.includes(given))) return null
    part.schema[keyword] = given
    if (typeof given === 'object') part.weight += Math.ceil(JSON.stringify(given).length / 16)
    return null
  }

  #readApplicator(part: Part, { form, role, keyword }: NamedApplicator, given: unknown): string | null {
    const path = [...part.path, keyword]
    switch (form) {
      case 'one': {
        if (Array.isArray(given)) return keyword === 'items' ? ONE_ITEMS_SCHEMA : 'must be one schema'
        const inner = this.#readPart(given, path)
        part.schema[keyword] = inner.schema
        part.parts[role].push(inner)
        return null
      }
      case 'list': {
        if (!Array.isArray(given) || given.length === 0) return 'must be a list of at least one schema'
        const inner = given.map((each, index) => this.#readPart(each, [...path, index]))
        part.schema[keyword] = inner.map(({ schema }) => schema)
        part.parts[role].push(...inner)
        return null
      }
      case 'map': {
        if (!isRecord(given)) return 'must be an object of schemas by name'
        const inner = Object.entries(given).map(
          ([name, each]) => [name, this.#readPart(each, [...path, name])] as const,
        )
        part.schema[keyword] = Object.fromEntries(inner.map(([name, { schema }]) => [name, schema]))
        part.weight += Math.ceil(inner.length / 4)
        if (keyword === 'properties') part.properties = new Map(inner)
        part.parts[role].push(...inner.map(([, each]) => each))
        return null
      }
    }
  }

  #resolveReferences(): Record<string, Schema> {
    const byPointer = Object.create(null) as Record<string, Schema>
    for (const { part, pointer } of this.#refs) {
      const target = this.#all.get(pointer)
      if (target === undefined) {
        const message = 'must lead to a schema within this one, such as "#/$defs/Customer"'
        this.#refuse([...part.path, '$ref'], message)
        continue
      }
      part.schema.$ref = pointer
      part.parts.same.push(target)
      byPointer[pointer] = target.schema
    }
    return byPointer
  }

  /** Refuses references in circles, against which no data could be checked, and ones that multiply. */
  #refuseEndless(): void {
    const sizes = new Map<Part, number>()
    const sizeOf = (part: Part) => sizeOnSameValue(part, sizes)
    const endless = this.#refs.find(({ part }) => sizeOf(part) === Number.POSITIVE_INFINITY)
    if (endless !== undefined) {
      const message = 'must not lead back to itself without going into a property or an item'
      this.#refuse([...endless.part.path, '$ref'], message)
      return
    }
    const oversized = [...this.#all.values()].find((part) => sizeOf(part) > SAME_VALUE_MAX)
    if (oversized === undefined) return
    const message = `must apply at most ${SAME_VALUE_MAX} schemas to one value, references included`
    this.#refuse(oversized.path, message)
  }

  #refuse(path: Path, message: string): void {
    this.#problems.push({ path, message })
  }
}

const ONE_ITEMS_SCHEMA = 'must be one schema; for one per item use "prefixItems"'

function sizeOnSameValue(part: Part, sizes: Map<Part, number>): number {
  const known = sizes.get(part)
  if (known !== undefined) return known
  // A part is endless while it is being measured, so that one that meets itself is.
  sizes.set(part, Number.POSITIVE_INFINITY)
  const size = part.parts.same.reduce((sum, inner) => sum + sizeOnSameValue(inner, sizes), 1)
  sizes.set(part, size)
  return size
}

import { type OutputUnit, validate } from '@cfworker/json-schema'
import { isRecord } from '../../base/json/value.ts'
import type { Problem } from '../../model/errors.ts'
import type { CompiledSchema, Part } from './compile.ts'
import { pointerName } from './keywords.ts'

/** Steps that one check of data may take, or all checks of a request; about a microsecond each. */
export const CHECK_STEPS_MAX = 200_000
/** Most schemas that a check goes deep: workerd's stack holds 500-600 of the validator's calls. */
const CALLS_DEEP_MAX = 350
const PROBLEMS_MAX = 20
/** Most errors of the validator that are read: most of them only wrap others. */
const ERRORS_READ_MAX = 2000
const MESSAGE_CHARS_MAX = 300

/** The steps that checks may still take; the events of one request may share it. */
export type Budget = { steps: number }
/**
 * Checks data against a schema and answers the first 20 problems, with paths that begin with `root`.
 * Never throws. The cost is bounded before the check is made, since a schema that refers to itself in
 * several places can cost exponentially more than either text is long.
 */
export function checkData(
  { root: part, byPointer }: CompiledSchema,
  { root, data }: { root: string; data: unknown },
  budget: Budget,
): Problem[] {
  if (!new CostBound(budget).affords(part, data)) return [{ path: root, message: TOO_MUCH }]
  try {
    const { errors } = validate(data, part.schema, '2020-12', byPointer, false)
    return describeErrors(errors, data, root)
  } catch (error) {
    // The validator cannot write half a surrogate pair in a member's name as a pointer.
    return [{ path: root, message: error instanceof URIError ? MALFORMED_NAME : TOO_MUCH }]
  }
}

const TOO_MUCH = 'must be smaller or less nested: checking it against its schema takes too many steps'
const MALFORMED_NAME = 'must have member names that are well-formed Unicode'

/** Walks as the validator would at worst, every alternative and condition taken. */
class CostBound {
  readonly #budget: Budget
  #depth = 0

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** False where the budget or the stack would not suffice; the walk ends there. */
  affords(part: Part, value: unknown): boolean {
    const isPaid = this.#pay(part.weight + lengthOf(value))
    if (!isPaid || this.#depth > CALLS_DEEP_MAX) return false
    this.#depth++
    const isAffordable =
      part.parts.same.every((next) => this.affords(next, value)) && this.#affordsInner(part, value)
    this.#depth--
    return isAffordable
  }

  #affordsInner(part: Part, value: unknown): boolean {
    if (Array.isArray(value)) return this.#affordsItems(part, value)
    return !isRecord(value) || this.#affordsMembers(part, value)
  }

  #affordsItems(part: Part, items: unknown[]): boolean {
    // Each item is compared with each other one.
    const comparing =
      part.schema.uniqueItems === true
        ? Math.ceil((items.length * countValues(items, this.#budget.steps)) / 16)
        : 0
    if (!this.#pay(comparing)) return false
    const { leading, following, items: all } = part.parts
    return items.every((item, index) => {
      const own = leading[index]
      const some = own === undefined ? following : [own]
      return some.every((next) => this.affords(next, item)) && all.every((next) => this.affords(next, item))
    })
  }

  #affordsMembers(part: Part, value: Record<string, unknown>): boolean {
    const { undeclared, members, names } = part.parts
    for (const [name, next] of part.properties) {
      if (Object.hasOwn(value, name) && !this.affords(next, value[name])) return false
    }
    if (undeclared.length + members.length + names.length === 0) return true
    return Object.entries(value).every(
      ([name, inner]) =>
        names.every((next) => this.affords(next, name)) &&
        members.every((next) => this.affords(next, inner)) &&
        (part.properties.has(name) || undeclared.every((next) => this.affords(next, inner))),
    )
  }

  #pay(steps: number): boolean {
    this.#budget.steps -= steps
    return this.#budget.steps >= 0
  }
}

/** The cost of looking at a value once, beside its step. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length >> 5
  if (typeof value !== 'object' || value === null) return 0
  return (Array.isArray(value) ? value.length : Object.keys(value).length) >> 2
}

/** Counts the values in a value, itself included, and stops beyond `most`. */
function countValues(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const inner of Object.values(value)) {
    if (count > most) return count
    count += countValues(inner, most - count)
  }
  return count
}

/** Keywords whose errors only say that another follows further down. */
const WRAPPERS = new Set([
  '$ref',
  'allOf',
  'if',
  'dependentSchemas',
  'properties',
  'additionalProperties',
  'unevaluatedProperties',
  'prefixItems',
  'items',
  'unevaluatedItems',
])
/** Keywords whose errors say all: those further down are of attempts that were allowed to fail. */
const GROUPS = new Set(['anyOf', 'oneOf', 'not', 'contains', 'minContains', 'maxContains', 'propertyNames'])

function describeErrors(errors: readonly OutputUnit[], data: unknown, root: string): Problem[] {
  const problems = new Map<string, Problem>()
  const read = errors.slice(0, ERRORS_READ_MAX)
  const grouping = read.filter(({ keyword }) => GROUPS.has(keyword))
  const groups = [...new Set(grouping.map(({ keywordLocation }) => attemptsBelow(keywordLocation)))]
  for (const error of read) {
    if (problems.size >= PROBLEMS_MAX) break
    if (WRAPPERS.has(error.keyword)) continue
    if (groups.some((group) => error.keywordLocation.startsWith(group))) continue
    const problem = describeError(error, data, root)
    problems.set(`${problem.path} ${problem.message}`, problem)
  }
  const isUnexplained = errors.length > 0 && problems.size === 0
  return isUnexplained ? [{ path: root, message: 'must match its schema' }] : [...problems.values()]
}

function attemptsBelow(keywordLocation: string): string {
  return `${keywordLocation.replace(/\/(min|max)Contains$/, '/contains')}/`
}

function describeError(error: OutputUnit, data: unknown, root: string): Problem {
  const path = readPath(error.instanceLocation, data, root)
  const name = /property "([\s\S]*)"\.$|does not have "([\s\S]*)"\.$|^Property name "([\s\S]*)" does/.exec(
    error.error,
  )
  const said = MESSAGES[error.keyword]?.(error.error) ?? 'must match its schema'
  const message = said.length > MESSAGE_CHARS_MAX ? `${said.slice(0, MESSAGE_CHARS_MAX)}…` : said
  if (name === null || !['required', 'dependentRequired', 'propertyNames'].includes(error.keyword)) {
    return { path, message }
  }
  return { path: `${path}.${name[1] ?? name[2] ?? name[3] ?? ''}`, message }
}

/** Turns the validator's pointer (`#/items/0`) into a path (`data.items[0]`). */
function readPath(pointer: string, data: unknown, root: string): string {
  let path = root
  let value = data
  for (const segment of pointer.split('/').slice(1)) {
    const name = pointerName(segment)
    path += Array.isArray(value) ? `[${name}]` : `.${name}`
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  }
  return path
}

const limitOf = (text: string) => /(\S+?)(?: properties)?\)?\.$/.exec(text)?.[1] ?? ''
const allowedBy = (text: string) => text.replace(/^Instance does not match (?:any of )?([\s\S]*)\.$/, '$1')

/** Messages of what would be right, made of the validator's messages of what is wrong. */
const MESSAGES: Record<string, (text: string) => string> = {
  type: (text) => {
    const [, actual = '', expected = ''] = /^Instance type "(\w+)".*Expected "(.*)"\.$/.exec(text) ?? []
    return `must be ${expected.replaceAll('", "', ' or ')}, not ${actual}`
  },
  const: (text) => `must be ${allowedBy(text)}`,
  enum: (text) => `must be one of ${allowedBy(text).slice(1, -1).replaceAll(',', ', ')}`,
  required: () => 'is required',
  dependentRequired: (text) => `is required with ${/^Instance has ("[\s\S]*") but/.exec(text)?.[1] ?? ''}`,
  minimum: (text) => `must be at least ${limitOf(text)}`,
  maximum: (text) => `must be at most ${limitOf(text)}`,
  exclusiveMinimum: (text) => `must be more than ${limitOf(text)}`,
  exclusiveMaximum: (text) => `must be less than ${limitOf(text)}`,
  multipleOf: (text) => `must be a multiple of ${limitOf(text)}`,
  minLength: (text) => `must be at least ${limitOf(text)} characters`,
  maxLength: (text) => `must be at most ${limitOf(text)} characters`,
  minItems: (text) => `must hold at least ${limitOf(text)} items`,
  maxItems: (text) => `must hold at most ${limitOf(text)} items`,
  minProperties: (text) => `must have at least ${limitOf(text)} properties`,
  maxProperties: (text) => `must have at most ${limitOf(text)} properties`,
  uniqueItems: () => 'must not hold the same item twice',
  format: (text) => `must be in the format "${/format "(.*)"/.exec(text)?.[1] ?? ''}"`,
  contains: () => 'must hold an item as the schema under "contains" has it',
  minContains: () => 'must hold more items as the schema under "contains" has it (minContains)',
  maxContains: () => 'must hold fewer items as the schema under "contains" has it (maxContains)',
  anyOf: () => 'must match at least one of the schemas under "anyOf"',
  oneOf: (text) => `must match exactly one of the schemas under "oneOf" ${/\(.*\)/.exec(text)?.[0] ?? ''}`,
  not: () => 'is not allowed by the schema',
  propertyNames: () => 'must have a name that the schema under "propertyNames" allows',
}

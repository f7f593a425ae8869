import { type OutputUnit, validate } from '@cfworker/json-schema'
import { isRecord } from '../../base/json/value.ts'
import type { CompiledSchema, Part } from './compile.ts'
import { pointerName } from './keywords.ts'

/** Steps that one check of data may take, or all checks of one request; about a microsecond each. */
export const CHECK_STEPS_MAX = 200_000
/** How many schemas deep a check may go: workerd's stack holds between 500 and 600 of the validator's calls. */
const CALLS_DEEP_MAX = 350
const PROBLEMS_MAX = 20
/** Of the validator's errors, most of which only wrap others. */
const ERRORS_READ_MAX = 2000
const MESSAGE_CHARS_MAX = 300

/** What is left of the steps that checks may take; may be shared by the events of one request. */
export type Budget = { steps: number }
/** Where data does not match its schema, as a path such as `data.object.items[0].total`, and what would be right. */
export type DataProblem = { path: string; message: string }

/**
 * Checks data against a schema: the first 20 problems, none when it matches. Paths begin with `root`. Never throws, and
 * takes no more than the budget: what a check will cost at most is counted before it is made, as schemas that refer to
 * themselves in several places can cost exponentially more than either text is long.
 */
export function checkData(
  { root: part, byPointer }: CompiledSchema,
  data: unknown,
  root: string,
  budget: Budget,
): DataProblem[] {
  if (!isAffordable(part, data, budget, 0)) {
    return [{ path: root, message: TOO_MUCH }]
  }
  try {
    const { errors } = validate(data, part.schema, '2020-12', byPointer, false)
    return problemsOf(errors, data, root)
  } catch (error) {
    // The validator cannot write half a surrogate pair in a member's name as a pointer.
    return [{ path: root, message: error instanceof URIError ? MALFORMED_NAME : TOO_MUCH }]
  }
}

const TOO_MUCH = 'must be smaller or less nested: checking it against its schema takes too many steps'
const MALFORMED_NAME = 'must have member names that are well-formed Unicode'

/** Walks as the validator would at worst, every alternative and condition taken, and stops where the budget ends. */
function isAffordable(part: Part, value: unknown, budget: Budget, depth: number): boolean {
  budget.steps -= part.weight + lengthOf(value)
  if (budget.steps < 0 || depth > CALLS_DEEP_MAX) return false
  const goOn = (next: Part, inner: unknown) => isAffordable(next, inner, budget, depth + 1)
  for (const next of part.parts.same) if (!goOn(next, value)) return false
  if (Array.isArray(value)) return areItemsAffordable(part, value, budget, goOn)
  return !isRecord(value) || areMembersAffordable(part, value, goOn)
}

type GoOn = (next: Part, inner: unknown) => boolean

function areItemsAffordable(part: Part, items: unknown[], budget: Budget, goOn: GoOn): boolean {
  if (part.schema.uniqueItems === true) {
    // Each item is compared with each other one.
    budget.steps -= Math.ceil((items.length * countValues(items, budget.steps)) / 16)
    if (budget.steps < 0) return false
  }
  const { leading, following, items: all } = part.parts
  return items.every((item, index) => {
    const own = leading[index]
    const some = own === undefined ? following : [own]
    return some.every((next) => goOn(next, item)) && all.every((next) => goOn(next, item))
  })
}

function areMembersAffordable(part: Part, value: Record<string, unknown>, goOn: GoOn): boolean {
  const { undeclared, members, names } = part.parts
  for (const [name, next] of part.properties) {
    if (Object.hasOwn(value, name) && !goOn(next, value[name])) return false
  }
  if (undeclared.length + members.length + names.length === 0) return true
  return Object.entries(value).every(
    ([name, inner]) =>
      names.every((next) => goOn(next, name)) &&
      members.every((next) => goOn(next, inner)) &&
      (part.properties.has(name) || undeclared.every((next) => goOn(next, inner))),
  )
}

/** What looking at a value once costs beside a step. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length >> 5
  if (typeof value !== 'object' || value === null) return 0
  return (Array.isArray(value) ? value.length : Object.keys(value).length) >> 2
}

/** How many values there are in a value, itself included; counts no further than `most`. */
function countValues(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const inner of Object.values(value)) {
    if (count > most) return count
    count += countValues(inner, most - count)
  }
  return count
}

/** Errors that only say that one further down follows. */
const WRAPPERS = new Set([
  ...['$ref', 'allOf', 'if', 'dependentSchemas', 'properties', 'additionalProperties'],
  ...['unevaluatedProperties', 'prefixItems', 'items', 'unevaluatedItems'],
])
/** Errors that say all; what follows further down are attempts that were allowed to fail. */
const GROUPS = new Set(['anyOf', 'oneOf', 'not', 'contains', 'minContains', 'maxContains', 'propertyNames'])

function problemsOf(errors: readonly OutputUnit[], data: unknown, root: string): DataProblem[] {
  const problems = new Map<string, DataProblem>()
  const read = errors.slice(0, ERRORS_READ_MAX)
  const grouping = read.filter(({ keyword }) => GROUPS.has(keyword))
  const groups = [...new Set(grouping.map(({ keywordLocation }) => attemptsBelow(keywordLocation)))]
  for (const error of read) {
    if (problems.size >= PROBLEMS_MAX) break
    if (WRAPPERS.has(error.keyword)) continue
    if (groups.some((group) => error.keywordLocation.startsWith(group))) continue
    const problem = problemOf(error, data, root)
    problems.set(`${problem.path} ${problem.message}`, problem)
  }
  const isUnexplained = errors.length > 0 && problems.size === 0
  return isUnexplained ? [{ path: root, message: 'must match its schema' }] : [...problems.values()]
}

function attemptsBelow(keywordLocation: string): string {
  return `${keywordLocation.replace(/\/(min|max)Contains$/, '/contains')}/`
}

function problemOf(error: OutputUnit, data: unknown, root: string): DataProblem {
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

/** What would be right, from what the validator says is wrong. */
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

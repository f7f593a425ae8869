import { jsonTypeOf, type Reach, reachInEvents } from '../../catalogue/schema/reach.ts'
import type { Problem } from '../../model/errors.ts'
import { patternMatches } from '../../model/event-type.ts'
import { type EventView, namesOf, resourceAliases } from '../../model/event-view.ts'
import { compileExpression } from '../cel/expression.ts'
import { valueSatisfies } from '../comparison.ts'
import { comparisonsOf } from '../filters.ts'
import type { Comparison } from '../operator.ts'
import type { Rules } from '../rules.ts'
import { StepBudget } from '../step-budget.ts'
import { shown } from '../verdict.ts'
import { ambiguities } from './ambiguities.ts'
import { cautionsOf } from './cautions.ts'
import { contradictionOf } from './contradictions.ts'

/** The catalogue's knowledge of an event type; the JSON Schema describes the event's `data`. */
export type KnownType = { schema: unknown; example: unknown }

/** Most warnings given at once. */
export const WARNINGS_MAX = 100
/** Most types of the catalogue looked at. */
const KNOWN_TYPES_MAX = 200

/**
 * One rule, taken apart: its path and the comparisons with it. An expression asks only that its
 * paths are there.
 */
type Asked = {
  path: string
  field: string
  names: readonly string[]
  comparisons: Comparison[]
  mustBeThere: boolean
}

/** A reason why a rule never holds for one event type or pattern; null for all of them. */
type Never = Problem & { type: string | null }

const ENVELOPE: ReadonlySet<string> = new Set('id event timestamp livemode api_version context'.split(' '))
const EVENT_TYPE_FIELDS: ReadonlySet<string> = new Set(['event', 'event.type', 'event.event'])

/**
 * Warns of rules that can never hold for a subscribed type, by contradiction, by the types, or by
 * the catalogue's schemas, and of rules that hardly do what they say (`cautionsOf`). Conditions
 * joined by OR count only when none can hold. Expects validated rules; never throws.
 */
export function ruleWarnings(
  rules: Rules,
  events: readonly string[],
  catalogue: ReadonlyMap<string, KnownType> = new Map(),
): Problem[] {
  const known = [...catalogue]
    .filter(([type]) => events.some((pattern) => patternMatches(pattern, type)))
    .slice(0, KNOWN_TYPES_MAX)
  const neversOf = (asked: Asked) => [
    ...contradictionNevers(asked),
    ...excludedTypes(asked, events),
    ...schemaNevers(asked, known),
    ...foreignResources(asked, events, known),
  ]
  const ambiguitiesOf = (asked: Asked) => ambiguities({ ...asked, compares: compares(asked) }, events, known)
  const filters = askedByFilters(rules)
  const conditions = (rules.conditions ?? []).map(({ field, operator, value }, index) =>
    ask(`conditions[${index}]`, field, [{ operator, value }]),
  )
  const isAny = rules.conditionLogic === 'OR' && conditions.length > 1
  const required = isAny ? filters : [...filters, ...conditions]
  const nevers = [
    ...required.flatMap(neversOf),
    ...combinedNevers(required),
    ...(rules.filters === null ? [] : excludedByExpressions(rules.filters, events)),
    ...(isAny ? commonNevers(conditions.map(neversOf), events) : []),
  ]
  return [...nevers, ...[...filters, ...conditions].flatMap(ambiguitiesOf), ...cautionsOf(rules)]
    .slice(0, WARNINGS_MAX)
    .map(({ path, message }) => ({ path, message }))
}

function ask(path: string, field: string, comparisons: Comparison[]): Asked {
  const mustBeThere = comparisons.some(({ operator, value }) => operator !== 'exists' || value === true)
  return { path, field, names: namesOf(field), comparisons, mustBeThere }
}

function askedByFilters({ filters }: Rules): Asked[] {
  if (filters === null) return []
  if (Array.isArray(filters))
    return filters.flatMap((text, index) => askedByExpression(text, `filters[${index}]`))
  return Object.entries(filters).map(([field, entry]) => ask(`filters.${field}`, field, comparisonsOf(entry)))
}

/** Expressions that ask for the type, or for the presence of a path, may be meant for other types. */
function askedByExpression(text: string, path: string): Asked[] {
  const compiled = compileExpression(text)
  if (!compiled.ok) return []
  const { reads } = compiled.expression
  if (reads.some(({ names }) => EVENT_TYPE_FIELDS.has(names.join('.')))) return []
  const probed = new Set(reads.filter(({ isProbe }) => isProbe).map(({ names }) => names[0]))
  const fields = new Map(
    reads.filter(({ names }) => !probed.has(names[0])).map(({ names }) => [names.join('.'), names]),
  )
  return [...fields].map(([field, names]) => ({ path, field, names, comparisons: [], mustBeThere: true }))
}

/** True where the rule asks more of its path than to be there. */
function compares({ comparisons }: Asked): boolean {
  return comparisons.some(({ operator }) => operator !== 'exists')
}

function contradictionNevers({ path, field, comparisons }: Asked): Never[] {
  const contradiction = contradictionOf(comparisons)
  if (contradiction === null) return []
  return [{ path, type: null, message: `can never hold: ${field} ${contradiction.message}` }]
}

/** Rules of one field that each could hold, but not together; named after the last of them. */
function combinedNevers(required: readonly Asked[]): Never[] {
  const byField = new Map<string, Asked[]>()
  for (const asked of required) byField.set(asked.field, [...(byField.get(asked.field) ?? []), asked])
  return [...byField].flatMap(([field, group]) => {
    const last = group.at(-1)
    if (last === undefined || group.some(({ comparisons }) => contradictionOf(comparisons) !== null))
      return []
    const contradiction = contradictionOf(group.flatMap(({ comparisons }) => comparisons))
    if (contradiction === null) return []
    const others = group.slice(0, -1).map(({ path }) => path)
    const unless = contradiction.isAbsolute ? '' : `, unless ${field} is a list`
    const message = `can never hold together with ${others.join(' and ')}${unless}: ${field} ${contradiction.message}`
    return [{ path: last.path, type: null, message }]
  })
}

function excludedTypes({ path, field, comparisons }: Asked, events: readonly string[]): Never[] {
  if (!EVENT_TYPE_FIELDS.has(field)) return []
  const named = comparisons
    .filter(({ operator }) => operator === 'eq' || operator === 'in')
    .flatMap(({ value }) => value)
  const isSubscribed = (type: unknown) =>
    typeof type === 'string' && events.some((each) => patternMatches(each, type))
  if (named.length > 0 && !named.some(isSubscribed)) {
    const message = `can never hold: ${named.slice(0, 5).map(shown).join(', ')} is not among the subscribed event types`
    return [{ path, type: null, message }]
  }
  return exactTypes(events)
    .filter((type) => !comparisons.every((comparison) => valueSatisfies(type, comparison)))
    .map((type) => excluded(path, type))
}

/** Expressions over nothing but the event's type are simply tried. */
function excludedByExpressions(filters: NonNullable<Rules['filters']>, events: readonly string[]): Never[] {
  if (!Array.isArray(filters)) return []
  return filters.flatMap((text, index) => {
    const compiled = compileExpression(text)
    if (!compiled.ok) return []
    const { reads, rule } = compiled.expression
    if (reads.length === 0 || !reads.every(({ names }) => names.join('.') === 'event')) return []
    return exactTypes(events)
      .filter((type) => !rule.holds(emptyEvent(type), new StepBudget()))
      .map((type) => excluded(`filters[${index}]`, type))
  })
}

function emptyEvent(event: string): EventView {
  return { id: null, event, timestamp: '', livemode: true, api_version: '', data: {}, context: {} }
}

function excluded(path: string, type: string): Never {
  return {
    path,
    type,
    message: `can never hold for ${type}, which is subscribed: it excludes this event type`,
  }
}

function exactTypes(events: readonly string[]): string[] {
  return events.filter((pattern) => !pattern.endsWith('*'))
}

function foreignResources(
  { path, field, names, mustBeThere }: Asked,
  events: readonly string[],
  known: readonly [string, KnownType][],
): Never[] {
  const [root = ''] = names
  if (!mustBeThere || ENVELOPE.has(root) || root === 'data') return []
  const specific = events.filter((pattern) => pattern !== '*')
  const owners = specific.filter((pattern) => resourceAliases(pattern).includes(root))
  const described = new Set(known.filter(([, { schema }]) => schema !== null).map(([type]) => type))
  if (owners.length === 0) return []
  return specific
    .filter((pattern) => !owners.includes(pattern) && !described.has(pattern))
    .map((type) => ({
      path,
      type,
      message: `${field} reads the resource of ${owners.slice(0, 5).join(', ')}: for ${type} it only holds when the payload has a member "${root}"`,
    }))
}

function schemaNevers(
  { path, field, names, comparisons, mustBeThere }: Asked,
  known: readonly [string, KnownType][],
): Never[] {
  if (!mustBeThere || ENVELOPE.has(names[0] ?? '')) return []
  return known.flatMap(([type, { schema }]) => {
    if (schema === null) return []
    const reach = reachInEvents(schema, type, names)
    if (reach.size === 0)
      return [{ path, type, message: `can never hold for ${type}: its schema has no ${field}` }]
    const impossible = comparisons.find((comparison) => !isPossible(comparison, reach))
    if (impossible === undefined) return []
    const types = [...reach].join(' or ')
    const message = `can never hold for ${type}: in its schema ${field} is ${types}, which ${impossible.operator} cannot compare with ${shown(impossible.value)}`
    return [{ path, type, message }]
  })
}

/** True when some value of these types could satisfy the comparison. */
function isPossible({ operator, value }: Comparison, reach: Reach): boolean {
  switch (operator) {
    case 'ne':
    case 'nin':
    case 'exists':
      return true
    case 'contains':
      return (
        (reach.has('array') && reach.has(jsonTypeOf(value))) ||
        (reach.has('string') && typeof value === 'string')
      )
    default:
      return (Array.isArray(value) ? value : [value]).some((each) => reach.has(jsonTypeOf(each)))
  }
}

/** Reduces the nevers of alternative rules to the types for which no alternative is left. */
function commonNevers(neversOfEach: readonly Never[][], events: readonly string[]): Never[] {
  const isHopeless = (type: string) =>
    neversOfEach.every((nevers) => nevers.some((never) => never.type === null || never.type === type))
  const types = new Set([...events, ...neversOfEach.flat().flatMap(({ type }) => type ?? [])])
  const hopeless = [...types].filter(isHopeless)
  return neversOfEach
    .flat()
    .filter(({ type }) => (type === null ? hopeless.length > 0 : hopeless.includes(type)))
}

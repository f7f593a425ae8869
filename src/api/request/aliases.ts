import { isRecord } from '../../base/json/value.ts'
import type { Problem } from '../../model/errors.ts'

/** Another name of a field. Dots lead into objects, `[]` into every element of a list. */
export type Alias = { alias: string; field: string }

/** Elements of a list that are looked at: no list with aliases may have as many. */
const ELEMENTS_MAX = 100

/** The words that other webhook systems have for settings of a subscription. */
export const SUBSCRIPTION_ALIASES: readonly Alias[] = [
  { alias: 'is_active', field: 'active' },
  { alias: 'timeout', field: 'timeoutSeconds' },
  { alias: 'max_retries', field: 'retryPolicy.maxRetries' },
  { alias: 'retry_delay', field: 'retryPolicy.retryDelay' },
  { alias: 'retryPolicy.max_retries', field: 'retryPolicy.maxRetries' },
  { alias: 'retryPolicy.retry_delay', field: 'retryPolicy.retryDelay' },
  { alias: 'responseRules[].status_code', field: 'responseRules[].status' },
]

/** The same words for the target of a dispatch, which has no switch. */
export const DISPATCH_ALIASES = SUBSCRIPTION_ALIASES.filter(({ field }) => field !== 'active')

/** The aliases of a value that stands in a member of the body. */
export function aliasesIn(member: string, aliases: readonly Alias[]): Alias[] {
  return aliases.map(({ alias, field }) => ({ alias: `${member}.${alias}`, field: `${member}.${field}` }))
}

/** Names the aliases of a call for people. */
export function describeAliases(aliases: readonly Alias[]): string {
  const named = aliases.map(({ alias, field }) => `\`${alias}\` for \`${field}\``)
  return `Aliases: ${named.join(', ')}.`
}

/** A body under the fields' own names. */
export type Renamed = {
  value: unknown
  /** Aliases that contradict the field they stand for. */
  problems: Problem[]
  /** Says a path as the caller named it. */
  pathAsSent: (path: string) => string
}

/** Puts what was sent under an alias in the place of the field it stands for. The sent value stays as it is. */
export function renameAliases(sent: unknown, aliases: readonly Alias[]): Renamed {
  const problems: Problem[] = []
  const used: Alias[] = []
  let value = sent
  for (const each of aliases.flatMap((alias) => placesOf(value, alias))) {
    const given = valueAt(value, each.alias)
    if (given === undefined) continue
    value = withoutPath(value, each.alias.split('.'))
    used.push(each)
    const own = valueAt(value, each.field)
    if (own === undefined && !isClosed(value, each.field))
      value = withPath(value, each.field.split('.'), given)
    else if (JSON.stringify(own) !== JSON.stringify(given)) problems.push(contradiction(each))
  }
  return { value, problems, pathAsSent: (path) => asSent(path, used) }
}

function contradiction({ alias, field }: Alias): Problem {
  return {
    path: shown(alias),
    message: `is an alias of "${shown(field)}": send one of them, or the same in both`,
  }
}

/** The places of an alias in a value: one for each element of a list that it leads into. */
function placesOf(value: unknown, { alias, field }: Alias): Alias[] {
  const [list, rest] = alias.split('[].')
  if (list === undefined || rest === undefined) return [{ alias, field }]
  const elements = valueAt(value, list)
  if (!Array.isArray(elements)) return []
  return elements
    .slice(0, ELEMENTS_MAX)
    .map((_, i) => ({ alias: `${list}.${i}.${rest}`, field: field.replace('[]', `.${i}`) }))
}

function valueAt(value: unknown, path: string): unknown {
  let at = value
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return at
}

/** True where a value on the way to a field is null or a scalar, and so can hold none. */
function isClosed(value: unknown, field: string): boolean {
  const names = field.split('.')
  return names.slice(1).some((_, i) => {
    const holder = valueAt(value, names.slice(0, i + 1).join('.'))
    return holder !== undefined && (typeof holder !== 'object' || holder === null)
  })
}

function withoutPath(value: unknown, [name = '', ...rest]: readonly string[]): unknown {
  if (rest.length > 0) return withMember(value, name, withoutPath(memberOf(value, name), rest))
  const { [name]: _, ...others } = value as Record<string, unknown>
  return others
}

function withPath(value: unknown, [name = '', ...rest]: readonly string[], given: unknown): unknown {
  return withMember(
    value,
    name,
    rest.length === 0 ? given : withPath(memberOf(value, name) ?? {}, rest, given),
  )
}

function memberOf(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name]
}

function withMember(value: unknown, name: string, member: unknown): unknown {
  if (Array.isArray(value)) return value.with(Number(name), member)
  return isRecord(value) ? { ...value, [name]: member } : value
}

function asSent(path: string, used: readonly Alias[]): string {
  const alias = used.find(({ field }) => path === shown(field) || path.startsWith(`${shown(field)}.`))
  return alias === undefined ? path : shown(alias.alias) + path.slice(shown(alias.field).length)
}

/** Writes the place in a list as refusals do. */
function shown(path: string): string {
  return path.replace(/\.(\d+)(?=\.|$)/g, '[$1]')
}

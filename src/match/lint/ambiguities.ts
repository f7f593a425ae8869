import { isRecord } from '../../base/json/value.ts'
import type { Problem } from '../../model/errors.ts'
import { follow, resourceAliases, resourceOf } from '../../model/event-view.ts'
import type { KnownType } from './warnings.ts'

/** A rule's path, and whether the rule compares its value rather than asks if it is there. */
type Named = { path: string; field: string; names: readonly string[]; compares: boolean }

/**
 * Warns of paths that begin with the name of a type's resource where the payload has, or may have, a
 * member of that name as well: `status.code` under `status.changed`.
 */
export function ambiguities(
  { path, field, names, compares }: Named,
  events: readonly string[],
  known: readonly [string, KnownType][],
): (Problem & { type: string })[] {
  const [root = '', ...rest] = names
  const described = new Set(
    known.flatMap(([type, { schema, example }]) => ((schema ?? example) === null ? [] : [type])),
  )
  const undescribed = events.filter((type) => !described.has(type) && resourceAliases(type).includes(root))
  const bare =
    rest.length === 0 && compares ? undescribed.map((type) => aboutResource({ path, field }, type)) : []
  const both = known
    .filter(([type, { example }]) => rest.length > 0 && isBoth(type, example, names))
    .map(([type]) => ({
      path,
      type,
      message: `${field} is a member of ${type}'s resource and one of the payload's own "${root}", as its example has both: the resource's is taken. Write data.${field} for the other`,
    }))
  return [...bare, ...both]
}

function aboutResource({ path, field }: { path: string; field: string }, type: string) {
  const message = `${field} is also what the resource of ${type} is called, an object: it is compared with the payload's own member "${field}", where there is one. Write data.${field}, or data.object.${field}, to say which`
  return { path, type, message }
}

function isBoth(type: string, data: unknown, names: readonly string[]): boolean {
  const [root = '', ...rest] = names
  if (!isRecord(data) || !resourceAliases(type).includes(root)) return false
  const own = [data, data['object']].flatMap((place) => follow(place, names))
  return own.length > 0 && follow(resourceOf({ data }), rest).length > 0
}

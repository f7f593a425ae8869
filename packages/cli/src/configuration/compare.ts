import { isReference, MASK, resolveReferences, unescapeReference } from './references.ts'
import { defaultOf, isEqual, type Settings, SUBSCRIPTION_DEFAULTS } from './subscription-settings.ts'

/** Null where a file's references are resolved already. */
type Env = Readonly<Record<string, string | undefined>> | null

/** One setting that is to be another. Values are as they may be shown: references and masks, no secrets. */
export type Change = { name: string; from: unknown; to: unknown }

/** Settings that keep, member by member, what is left out of them. */
const MERGED = ['batchSettings']
/** Settings that say nothing where they are left out. */
const KEPT = ['secret', 'active', 'uid', 'url', 'events']

/** Finds what changes of a subscription so that it is as a file says; a setting that is left out has its default. */
export function compareSubscription(wanted: Settings, shown: Settings, env: Env): Change[] {
  return Object.keys(SUBSCRIPTION_DEFAULTS).flatMap((name) => {
    const isNamed = Object.hasOwn(wanted, name)
    if (!isNamed && KEPT.includes(name)) return []
    const to = isNamed ? wanted[name] : defaultOf(name, wanted['profile'])
    const from = shown[name]
    return isAsWanted(to ?? null, from ?? null, env, MERGED.includes(name)) ? [] : [{ name, from, to }]
  })
}

/** Finds what changes of named settings; those that are left out stay as they are. */
export function compareNamed(wanted: Settings, shown: Settings, env: Env): Change[] {
  return Object.entries(wanted).flatMap(([name, to]) =>
    isAsWanted(to ?? null, shown[name] ?? null, env, name === 'limits')
      ? []
      : [{ name, from: shown[name], to }],
  )
}

/**
 * Tells whether a value is as wanted. A credential that the relay masks cannot be compared with what a reference stands
 * for, and counts as the same.
 */
function isAsWanted(to: unknown, from: unknown, env: Env, isMerged: boolean): boolean {
  if (env !== null && typeof to === 'string') {
    if (isReference(to)) return isMasked(from) || from === resolveReferences(to, env)
    return unescapeReference(to) === from
  }
  if (typeof to !== 'object' || to === null) return isEqual(to, from)
  if (typeof from !== 'object' || from === null || Array.isArray(to) !== Array.isArray(from)) return false
  const names = isMerged ? Object.keys(to) : [...new Set([...Object.keys(to), ...Object.keys(from)])]
  return names.every((name) =>
    isAsWanted((to as Settings)[name] ?? null, (from as Settings)[name] ?? null, env, false),
  )
}

export function isMasked(value: unknown): boolean {
  return typeof value === 'string' && value.includes(MASK)
}

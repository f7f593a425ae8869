import { Failure } from '../failure/failure.ts'
import type { Shell } from '../shell/shell.ts'

/** A value that stands elsewhere: `env:NAME`. */
const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/
/** The relay shows this instead of a credential. */
export const MASK = '********'

export function isReference(value: unknown): value is string {
  return typeof value === 'string' && REFERENCE.test(value)
}

/** A value, with those that it refers to in their places. */
export function resolveReferences(value: unknown, env: Shell['env']): unknown {
  if (typeof value === 'string') {
    const [, name] = REFERENCE.exec(value) ?? []
    return name === undefined ? value : (env[name] ?? value)
  }
  if (Array.isArray(value)) return value.map((each) => resolveReferences(each, env))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolveReferences(each, env)]))
}

/** The variables that a value refers to and that are not set. */
export function missingReferences(value: unknown, env: Shell['env']): string[] {
  if (typeof value === 'string') {
    const [, name] = REFERENCE.exec(value) ?? []
    return name === undefined || env[name] ? [] : [name]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((each) => missingReferences(each, env))
}

/**
 * A secret given to a command: by reference, or as it stands in a file.
 *
 * @throws Failure where the variable is not set
 */
export function openReference(value: string, env: Shell['env']): string {
  const [missing] = missingReferences(value, env)
  if (missing !== undefined) throw new Failure('usage', `The variable ${missing} is not set.`)
  return resolveReferences(value, env) as string
}

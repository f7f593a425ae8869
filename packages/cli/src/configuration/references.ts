import { Failure } from '../failure/failure.ts'
import type { Shell } from '../shell/shell.ts'

/** A value that stands elsewhere: `env:NAME`. */
const REFERENCE = /^env:([A-Za-z_][A-Za-z0-9_]*)$/
/** A text that only looks like one: `env::NAME` stands for the text `env:NAME`. */
const ESCAPED = /^env::(:*[A-Za-z_][A-Za-z0-9_]*)$/
const ESCAPABLE = /^env:(:*[A-Za-z_][A-Za-z0-9_]*)$/
/** The relay shows this instead of a credential. */
export const MASK = '********'

export function isReference(value: unknown): value is string {
  return typeof value === 'string' && REFERENCE.test(value)
}

/** A value, with those that it refers to in their places. */
export function resolveReferences(value: unknown, env: Shell['env']): unknown {
  return mapTexts(value, (text) => {
    const [, name] = REFERENCE.exec(text) ?? []
    return name === undefined ? unescapeReference(text) : (env[name] ?? text)
  })
}

/**
 * A value of the relay as a file has it. A customer who names a subscription `env:POSTHORN_KEY` would otherwise be
 * sent the key of the person who applies an export.
 */
export function escapeReferences(value: unknown): unknown {
  return mapTexts(value, (text) => text.replace(ESCAPABLE, 'env::$1'))
}

export function unescapeReference(text: string): string {
  return text.replace(ESCAPED, 'env:$1')
}

/** A value with each text in it, at any depth, in another form. */
function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapTexts(each, map)]))
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

import process from 'node:process'
import { VARIABLE_NAMES } from '../../src/env.ts'
import { RelayStartError } from './start-error.ts'

/** A whole number that the shell may set. */
export function numberFromShell(
  name: string,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RelayStartError(`${name} must be a whole number from ${min} to ${max}, not "${text}".`)
  }
  return value
}

/** Kept with the state: a key of the shell would open nothing of what is sealed in it. */
export const KEPT_WITH_STATE = ['KEY_ENCRYPTION_KEY', 'KEY_ENCRYPTION_KEY_PREVIOUS'] as const
/** Given to the relay by name, with a value of its own where the shell has none. */
export const GIVEN_BY_NAME = ['ADMIN_KEY', 'DELIVERY_SLOTS'] as const

/** All other variables of the Worker that the shell sets; an empty one is unset. */
export function varsFromShell(shell: Record<string, string | undefined>): Record<string, string> {
  const others: readonly string[] = [...KEPT_WITH_STATE, ...GIVEN_BY_NAME]
  return Object.fromEntries(
    VARIABLE_NAMES.filter((name) => !others.includes(name)).flatMap((name) => {
      const value = shell[name]
      return value === undefined || value === '' ? [] : [[name, value]]
    }),
  )
}

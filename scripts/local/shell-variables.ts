import process from 'node:process'
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

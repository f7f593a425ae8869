import { Failure } from '../failure/failure.ts'
import { oneLine } from '../render/table.ts'

/**
 * Checks that a text is a JSON object, and leaves it as it stands: 2567.50 stays 2567.50.
 *
 * @throws Failure that names where it breaks
 */
export function requireJsonObject(text: string, name: string): string {
  const value = parseJson(text, name)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text.trim()
  throw new Failure('usage', `${name} must be a JSON object, such as {"total": 12.5}.`)
}

/** Reads JSON. @throws Failure that names line and column, where the platform tells */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Failure('usage', `${name} is no JSON${placeOf(text, error)}.`)
  }
}

/** The place in the text, where the error names one. */
function placeOf(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const [, position] = /at position (\d+)/.exec(message) ?? []
  if (position === undefined) return text.trim() === '' ? ': it is empty' : `: ${oneLine(message)}`
  const before = text.slice(0, Number(position)).split('\n')
  return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

import { z } from 'zod'
import { PATH_NAMES_MAX } from './event-view.ts'

/** Longest path of a rule, in characters. */
export const PATH_CHARS_MAX = 256

const MESSAGE = `must be a path such as "data.object.total": 1-${PATH_NAMES_MAX} names joined by dots, at most ${PATH_CHARS_MAX} characters`

/** The path of a filter or a condition: names joined by dots (design section 4), none of them empty. */
export const fieldPathSchema = z.string(MESSAGE).refine((path) => {
  if (path.length > PATH_CHARS_MAX) return false
  const names = namesOf(path)
  return names.length <= PATH_NAMES_MAX && !names.includes('')
}, MESSAGE)

/** The names of a path, in order. */
export function namesOf(path: string): string[] {
  return path.split('.')
}

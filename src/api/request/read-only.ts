import type * as z from 'zod'
import { isRecord } from '../../base/json/value.ts'
import type { Problem } from '../../model/errors.ts'

/** The fields of an answer that its call does not set: they may come back with a change. */
export function readOnlyFields(answer: z.ZodObject, body: z.ZodObject): string[] {
  return Object.keys(answer.shape).filter((name) => !Object.hasOwn(body.shape, name))
}

/**
 * Leaves out of a change what an answer says of itself, so that a client may send back what it was shown. An `id`
 * must be that of the path, unless the path has the uid; and a change of nothing but such fields is refused: it would not do what it says.
 */
export function withoutReadOnly(
  value: unknown,
  names: readonly string[],
  id: string,
): { value: unknown; problems: Problem[] } {
  if (!isRecord(value)) return { value, problems: [] }
  const kept = Object.entries(value).filter(([name]) => !names.includes(name))
  const dropped = Object.keys(value).filter((name) => names.includes(name))
  if (kept.length === 0) {
    return {
      value: {},
      problems: dropped.map((path) => ({ path, message: 'is read-only: nothing sets it' })),
    }
  }
  const isOther = dropped.includes('id') && value['id'] !== id && value['uid'] !== id
  const problems = isOther ? [{ path: 'id', message: 'must be the id in the path, or left out' }] : []
  return { value: Object.fromEntries(kept), problems }
}

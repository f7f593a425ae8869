import { z } from 'zod'
import { type CursorKind, decodeCursor, encodeCursor } from '../base/ids/cursor.ts'
import { invalidField } from '../model/errors.ts'

export const PAGE_LIMIT_DEFAULT = 50
const PAGE_LIMIT_MAX = 100

/** Query parameters of every list. */
export const pagingShape = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number, 1-${PAGE_LIMIT_MAX}`)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= PAGE_LIMIT_MAX, `must be 1-${PAGE_LIMIT_MAX}`)
    .optional(),
  cursor: z.string().optional(),
}

/** The number below which a page begins: the cursor's, or `top` for the first page. */
export function cursorStart(kind: CursorKind, cursor: string | undefined, top: number): number {
  if (cursor === undefined) return top
  const start = decodeCursor(kind, cursor)
  if (start === null) throw invalidField('cursor', 'must be the nextCursor of an earlier page of this list')
  return start
}

/** The next page's cursor; null where the list ends. */
export function nextCursor(kind: CursorKind, belowNo: number | null): { nextCursor: string | null } {
  return { nextCursor: belowNo === null ? null : encodeCursor(kind, belowNo) }
}

import * as z from 'zod'
import { type CursorKind, decodeCursor, encodeCursor } from '../base/ids/cursor.ts'
import { timeOfSeq } from '../base/ids/seq.ts'
import { iso } from '../base/time.ts'
import { invalidField } from '../model/errors.ts'

export const PAGE_LIMIT_DEFAULT = 50
const PAGE_LIMIT_MAX = 1_000
/** Rows of a page whose rows may be large, each with all its attempts. */
const LARGE_ROWS_MAX = 100

const paginationShape = {
  nextCursor: z.string().nullable().describe('The next page; null where the list ends'),
  searchedUntil: z
    .string()
    .nullable()
    .optional()
    .describe('In lists with filters: everything accepted since then has been looked at; null for all'),
}

/** The end of a list's answer. */
export const paginationSchema = z.object(paginationShape).meta({ id: 'Pagination' })

/** Query parameters of most lists. */
export const pagingShape = pagingUpTo(PAGE_LIMIT_MAX)

/** The query of a list, as it was read. */
type PageQuery = { limit?: number | undefined; cursor?: string | undefined }

/** Query parameters of a list with large rows. */
export const largeRowsPagingShape = pagingUpTo(LARGE_ROWS_MAX)

function pagingUpTo(rowsMax: number) {
  return {
    limit: z
      .string()
      .regex(/^\d{1,4}$/, `must be a whole number, 1-${rowsMax}`)
      .transform(Number)
      .refine((limit) => limit >= 1 && limit <= rowsMax, `must be 1-${rowsMax}`)
      .meta({ like: z.int().min(1).max(rowsMax), description: 'The most items of a page' })
      .optional(),
    cursor: z.string().optional().describe('The `nextCursor` of the page before'),
  }
}

/** Rows that are read at once into a page, and characters after which it ends. */
const STEP_ROWS = 100
const PAGE_CHARS_MAX = 2_000_000

/** A list that is read in steps: `read` finds rows after one, from the start after undefined. */
export type SteppedList<T> = {
  read: (after: T | undefined, limit: number) => Promise<T[]>
  charsOf: (row: T) => number
}

/** Reads a page of rows that are small as a rule. It ends early, after a step, once they have grown large together. */
export async function readInSteps<T>(
  limit: number,
  { read, charsOf }: SteppedList<T>,
): Promise<{ rows: T[]; hasMore: boolean }> {
  const rows: T[] = []
  let chars = 0
  while (rows.length < limit && chars < PAGE_CHARS_MAX) {
    const rowsMax = Math.min(STEP_ROWS, limit - rows.length)
    const found = await read(rows.at(-1), rowsMax + 1)
    const step = found.slice(0, rowsMax)
    rows.push(...step)
    if (found.length <= rowsMax) return { rows, hasMore: false }
    chars += step.reduce((sum, row) => sum + charsOf(row), 0)
  }
  return { rows, hasMore: true }
}

/** The number below which a page begins: the cursor's, or `top` for the first page. */
export function cursorStart(kind: CursorKind, cursor: string | undefined, top: number): number {
  if (cursor === undefined) return top
  const start = decodeCursor(kind, cursor)
  if (start === null) throw invalidField('cursor', 'must be the nextCursor of an earlier page of this list')
  return start
}

/** A list whose rows have ascending numbers: `read` finds rows below a number, the newest first. */
export type NumberedList<T> = {
  kind: CursorKind
  read: (rows: { belowNo: number; limit: number }) => Promise<T[]>
}

/** Reads the page of such a list that a query asks for. */
export async function readPage<T extends { no: number }>(
  { limit = PAGE_LIMIT_DEFAULT, cursor }: PageQuery,
  { kind, read }: NumberedList<T>,
): Promise<{ rows: T[]; pagination: { nextCursor: string | null } }> {
  const belowNo = cursorStart(kind, cursor, Number.MAX_SAFE_INTEGER)
  // One row more tells that there is another page.
  const found = await read({ belowNo, limit: limit + 1 })
  const rows = found.slice(0, limit)
  const last = found.length > limit ? (rows.at(-1)?.no ?? null) : null
  return { rows, pagination: nextCursor(kind, last) }
}

/** The next page's cursor; null where the list ends. */
export function nextCursor(kind: CursorKind, belowNo: number | null): { nextCursor: string | null } {
  return { nextCursor: belowNo === null ? null : encodeCursor(kind, belowNo) }
}

/** The same for a filtered list: with the time down to which it has been searched; null for all of it. */
export function nextSearch(
  kind: CursorKind,
  belowSeq: number | null,
): { nextCursor: string | null; searchedUntil: string | null } {
  return { ...nextCursor(kind, belowSeq), searchedUntil: belowSeq === null ? null : iso(timeOfSeq(belowSeq)) }
}

import * as z from 'zod'
import type { ApiAnswer } from '../call-api.ts'
import type { ToolAnswer } from '../tool.ts'

export const limitSchema = z.int().min(1).max(100).optional().describe('How many at most')
export const cursorSchema = z.string().optional().describe('nextCursor of the page before')

/** A page of a list: as data, and its text for those who read that only. */
export function listed(name: string, { data, nextCursor }: ApiAnswer): ToolAnswer {
  const rows = data as unknown[]
  const more = nextCursor === null ? '' : ` There are more: cursor ${nextCursor}.`
  const found = rows.length === 0 ? `No ${name}.` : JSON.stringify(rows)
  return { text: found + more, data: { [name]: rows, nextCursor } }
}

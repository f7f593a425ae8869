import type { Context } from '../command.ts'
import { paintFor } from './colour.ts'
import { type Column, printable, renderTable } from './table.ts'

/** Writes a text to standard output. */
export async function write({ shell }: Pick<Context, 'shell'>, text: string): Promise<void> {
  await shell.out.write(text)
}

/** JSON in which no sign is left that a terminal obeys: the standard asks to escape only those below a blank. */
export function renderJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replaceAll(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Writes one JSON document. */
export async function writeJson({ shell }: Pick<Context, 'shell'>, value: unknown): Promise<void> {
  await shell.out.write(`${renderJson(value, shell.out.isTerminal ? 2 : 0)}\n`)
}

/** Writes one JSON document on a line of its own, for streams. */
export async function writeJsonLine({ shell }: Pick<Context, 'shell'>, value: unknown): Promise<void> {
  await shell.out.write(`${renderJson(value)}\n`)
}

/** Writes a hint for people, beside the results. */
export async function hint({ shell }: Pick<Context, 'shell'>, text: string): Promise<void> {
  await shell.err.write(`${printable(text)}\n`)
}

/** Writes a list: a table for people, or the rows as they are. */
export async function writeList<T>(
  context: Pick<Context, 'shell' | 'isJson'>,
  rows: readonly T[],
  { columns, empty }: { columns: readonly Column<T>[]; empty: string },
): Promise<void> {
  if (context.isJson) return await writeJson(context, rows)
  if (rows.length === 0) return await hint(context, empty)
  const { out } = context.shell
  await write(context, renderTable(columns, rows, { width: out.columns(), paint: paintFor(out) }))
}

import type { Context } from '../command.ts'
import { paintFor } from './colour.ts'
import { type Column, renderTable } from './table.ts'

/** Writes a text to standard output. */
export async function write({ shell }: Pick<Context, 'shell'>, text: string): Promise<void> {
  await shell.out.write(text)
}

/** Writes one JSON document. */
export async function writeJson({ shell }: Pick<Context, 'shell'>, value: unknown): Promise<void> {
  await shell.out.write(`${JSON.stringify(value, null, shell.out.isTerminal ? 2 : 0)}\n`)
}

/** Writes one JSON document on a line of its own, for streams. */
export async function writeJsonLine({ shell }: Pick<Context, 'shell'>, value: unknown): Promise<void> {
  await shell.out.write(`${JSON.stringify(value)}\n`)
}

/** Writes a hint for people, beside the results. */
export async function hint({ shell }: Pick<Context, 'shell'>, text: string): Promise<void> {
  await shell.err.write(`${text}\n`)
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

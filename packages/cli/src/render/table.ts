import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'fast-string-width'
import type { Paint } from './colour.ts'

export type Column<T> = {
  title: string
  cell: (row: T) => string
  /** Colours the cell once its width is settled. */
  paint?: (row: T, cell: string) => string
  /** True for a column that is cut where the terminal is narrow. */
  shrinks?: boolean
  /** True for a column that is left out, the first one first, where cutting is not enough. */
  isOptional?: boolean
  alignsRight?: boolean
}

const GAP = 2
/** No column is cut below this. */
const SHRUNK_MIN = 12

/** Lays rows out below their titles, within a width. What must be cut ends with an ellipsis. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  { width, paint }: { width: number; paint: Paint },
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => oneLine(cell(row))))
  const widths = fitWidths(columns, cells, width)
  const dropped = columns.findIndex(({ isOptional }) => isOptional)
  if (dropped !== -1 && widthOf(widths) > width) {
    return renderTable(columns.toSpliced(dropped, 1), rows, { width, paint })
  }
  const head = columns.map(({ title }, i) => paint('quiet', pad(title, widths[i] ?? 0, columns[i])))
  const lines = rows.map((row, r) =>
    columns.map((column, i) => {
      const padded = pad(cells[r]?.[i] ?? '', widths[i] ?? 0, column)
      return column.paint?.(row, padded) ?? padded
    }),
  )
  return [head, ...lines].map((line) => `${line.join(' '.repeat(GAP)).trimEnd()}\n`).join('')
}

function fitWidths<T>(columns: readonly Column<T>[], cells: readonly string[][], width: number): number[] {
  // Row by row: a function takes some hundred thousand arguments at most, and a list may be longer.
  const widths = columns.map(({ title }, i) =>
    cells.reduce((widest, row) => Math.max(widest, stringWidth(row[i] ?? '')), stringWidth(title)),
  )
  let excess = widthOf(widths) - width
  const shrinking = columns.flatMap(({ shrinks }, i) => (shrinks ? [i] : []))
  while (excess > 0) {
    // The widest gives way first, so that they end alike.
    const widest = shrinking.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0]
    if (widest === undefined || (widths[widest] ?? 0) <= SHRUNK_MIN) break
    widths[widest] = (widths[widest] ?? 0) - 1
    excess--
  }
  return widths
}

function widthOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each + GAP, -GAP)
}

function pad<T>(text: string, width: number, column: Column<T> | undefined): string {
  const cut = cutTo(text, width)
  const blank = ' '.repeat(Math.max(0, width - stringWidth(cut)))
  return column?.alignsRight ? blank + cut : cut + blank
}

/** Cuts a text to a width on the screen. */
export function cutTo(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let cut = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(cut + segment) > width - 1) break
    cut += segment
  }
  return `${cut}…`
}

/** Signs that a terminal obeys, but for ends of lines and tabs, and those that turn the direction of a line. */
const CONTROLS = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu

/** A text of others without what would move the cursor or change colours; its lines and blanks stay. */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replaceAll('\r\n', '\n')).replaceAll(CONTROLS, ' ')
}

/** A text of others on one line, without what would move the cursor or change colours. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim()
}

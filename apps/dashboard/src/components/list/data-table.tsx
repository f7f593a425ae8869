import type { ReactNode } from 'react'
import { Link } from 'react-router'

export type Column<Row> = {
  header: string
  cell: (row: Row) => ReactNode
  /** Left out on screens below this width. */
  from?: 'sm' | 'md' | 'lg'
  isNumber?: boolean
}

const FROM = { sm: 'max-sm:hidden', md: 'max-md:hidden', lg: 'max-lg:hidden' } as const

type DataTableProps<Row> = {
  /** What the rows are, for those who do not see the table. */
  caption: string
  rows: readonly Row[]
  columns: readonly [Column<Row>, ...Column<Row>[]]
  keyOf: (row: Row) => string
  /** The page of a row. The first cell leads there, and the whole row with it. */
  linkOf?: (row: Row) => string
  selection?: Selection<Row>
}

/** Rows that are chosen for something; `nameOf` says which one a box is for. */
export type Selection<Row> = {
  chosen: ReadonlySet<string>
  choose: (keys: readonly string[], isChosen: boolean) => void
  nameOf: (row: Row) => string
}

/** Rows of a list. What a narrow screen has no room for is on the row's own page. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, rows, columns, keyOf, linkOf, selection } = props
  return (
    <table className="w-full border-collapse text-left">
      <caption className="sr-only">{caption}</caption>
      <thead className="border-b border-kumo-hairline bg-kumo-elevated text-sm text-kumo-subtle">
        <tr>
          {selection && (
            <th scope="col" className="w-0 py-2 pl-4">
              <ChooseAll keys={rows.map(keyOf)} selection={selection} />
            </th>
          )}
          {columns.map((column) => (
            <th
              key={column.header}
              scope="col"
              className={`px-4 py-2 font-medium whitespace-nowrap ${classOf(column)}`}
            >
              {column.header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr
            key={keyOf(row)}
            className="relative border-b border-kumo-hairline last:border-b-0 hover:bg-kumo-tint"
          >
            {selection && (
              // Above the link, which covers the row.
              <td className="relative z-10 w-0 py-2.5 pl-4 align-top">
                <input
                  type="checkbox"
                  aria-label={`Select ${selection.nameOf(row)}`}
                  className="mt-1 size-4 cursor-pointer"
                  checked={selection.chosen.has(keyOf(row))}
                  onChange={(event) => selection.choose([keyOf(row)], event.target.checked)}
                />
              </td>
            )}
            {columns.map((column, n) => (
              <td key={column.header} className={`px-4 py-2.5 align-top ${classOf(column)}`}>
                {n === 0 && linkOf ? (
                  <Link
                    to={linkOf(row)}
                    className="inline-block min-w-32 font-medium after:absolute after:inset-0 wrap-anywhere"
                  >
                    {column.cell(row)}
                  </Link>
                ) : (
                  column.cell(row)
                )}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function ChooseAll<Row>({ keys, selection }: { keys: readonly string[]; selection: Selection<Row> }) {
  return (
    <input
      type="checkbox"
      aria-label="Select all on this page"
      className="size-4 cursor-pointer align-middle"
      checked={keys.length > 0 && keys.every((key) => selection.chosen.has(key))}
      onChange={(event) => selection.choose(keys, event.target.checked)}
    />
  )
}

function classOf<Row>({ from, isNumber = false }: Column<Row>): string {
  return `${from === undefined ? '' : FROM[from]} ${isNumber ? 'text-right tabular-nums' : ''}`
}

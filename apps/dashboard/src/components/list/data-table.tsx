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
}

/** Rows of a list. What a narrow screen has no room for is on the row's own page. */
export function DataTable<Row>({ caption, rows, columns, keyOf, linkOf }: DataTableProps<Row>) {
  return (
    <table className="w-full border-collapse text-left">
      <caption className="sr-only">{caption}</caption>
      <thead className="border-b border-kumo-hairline bg-kumo-elevated text-sm text-kumo-subtle">
        <tr>
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

function classOf<Row>({ from, isNumber = false }: Column<Row>): string {
  return `${from === undefined ? '' : FROM[from]} ${isNumber ? 'text-right tabular-nums' : ''}`
}

import { Badge } from '@cloudflare/kumo/components/badge'
import { type SchemaRow, schemaRows } from '../../components/json/schema-rows.ts'

/** The fields of a schema as rules and templates name them, each with what it has to be. */
export function SchemaFields({ schema }: { schema: unknown }) {
  const rows = schemaRows(schema)
  if (rows.length === 0) return <p className="p-4 text-kumo-subtle">The schema names no fields.</p>
  return (
    <ul className="divide-y divide-kumo-hairline">
      {rows.map((row, n) => (
        // Forms of one value may describe the same field twice.
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are made anew together.
        <Field key={n} row={row} />
      ))}
    </ul>
  )
}

function Field({ row: { path, type, isRequired, isDeprecated, bounds, description } }: { row: SchemaRow }) {
  return (
    <li className="grid gap-x-4 gap-y-0.5 px-4 py-2.5 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <div className="flex flex-wrap items-baseline gap-x-2">
        <Path path={`data.${path}`} />
        {isDeprecated && <Badge variant="warning">Deprecated</Badge>}
      </div>
      <div className="min-w-0">
        <span>{type}</span>
        <span className="text-kumo-subtle">{isRequired ? ', always there' : ', may be missing'}</span>
        {bounds.length > 0 && <p className="text-sm text-kumo-subtle wrap-anywhere">{bounds.join('; ')}</p>}
        {description !== null && <p className="text-sm wrap-anywhere">{description}</p>}
      </div>
    </li>
  )
}

/** Its own name stands out; the way there may be broken between names. */
function Path({ path }: { path: string }) {
  const end = path.lastIndexOf('.') + 1
  return (
    <code className="text-sm wrap-anywhere">
      <span className="text-kumo-subtle">{path.slice(0, end)}</span>
      <span className="font-semibold">{path.slice(end)}</span>
    </code>
  )
}

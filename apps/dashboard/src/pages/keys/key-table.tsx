import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { Time } from '../../components/time.tsx'
import { KeyActions } from './key-actions.tsx'

type Key = Schemas['ApiKey']

type KeyTableProps = { rows: readonly Key[]; onShow: (key: Schemas['ShownApiKey']) => void }

/** Keys as rows, each with what it may do and when it was last used. */
export function KeyTable({ rows, onShow }: KeyTableProps) {
  const columns: [Column<Key>, ...Column<Key>[]] = [
    {
      header: 'Name',
      cell: ({ id, name }) => (
        <span className="flex flex-col wrap-anywhere">
          <span className="font-medium">{name}</span>
          <code className="text-sm text-kumo-subtle">{id}</code>
        </span>
      ),
    },
    { header: 'May', from: 'md', cell: ({ role, scopes }) => role ?? scopes.join(', ') },
    { header: 'Last used', from: 'sm', cell: ({ lastUsedAt }) => timeOr(lastUsedAt, 'never') },
    { header: 'Expires', from: 'lg', cell: ({ expiresAt }) => timeOr(expiresAt, 'never') },
    { header: 'Change', cell: (key) => <KeyActions apiKey={key} onShow={onShow} /> },
  ]
  return <DataTable caption="Keys" rows={rows} columns={columns} keyOf={({ id }) => id} />
}

function timeOr(at: string | null, otherwise: string) {
  return at === null ? <span className="text-kumo-subtle">{otherwise}</span> : <Time at={at} />
}

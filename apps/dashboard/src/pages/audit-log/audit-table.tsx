import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { StatusBadge } from '../../components/status-badge.tsx'
import { Time } from '../../components/time.tsx'
import { actionInWords, actorInWords, outcomeInWords } from '../../words/audit.ts'
import type { Log } from './log.ts'

type Entry = Schemas['AuditEntry']

const COLUMNS: [Column<Entry>, ...Column<Entry>[]] = [
  {
    header: 'What',
    cell: ({ action, actor, at }) => (
      <>
        {actionInWords(action)}
        <span className="block text-sm font-normal text-kumo-subtle sm:hidden">
          {actorInWords(actor)}, <Time at={at} />
        </span>
      </>
    ),
  },
  {
    header: 'Object',
    from: 'lg',
    cell: ({ object }) => <code className="text-sm text-kumo-subtle wrap-anywhere">{object}</code>,
  },
  {
    header: 'Who',
    from: 'md',
    cell: ({ actor }) => <span className="wrap-anywhere">{actorInWords(actor)}</span>,
  },
  { header: 'Outcome', cell: (entry) => <StatusBadge words={outcomeInWords(entry)} /> },
  { header: 'When', from: 'sm', cell: ({ at }) => <Time at={at} /> },
]

/** Rows of the audit log. */
export function AuditTable({ rows, log }: { rows: readonly Entry[]; log: Log }) {
  return (
    <DataTable
      caption="Audit log"
      rows={rows}
      columns={COLUMNS}
      keyOf={({ no }) => String(no)}
      linkOf={({ no }) => `/audit-log/${no}${log === 'relay' ? '?log=relay' : ''}`}
    />
  )
}

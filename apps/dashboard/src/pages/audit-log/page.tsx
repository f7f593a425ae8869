import { ListMagnifyingGlassIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { DateRange } from '../../components/list/date-range.tsx'
import { FilterBar, useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { SearchField } from '../../components/list/search-field.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { AuditTable } from './audit-table.tsx'
import { ExportButton } from './export-button.tsx'
import { LOGS, type Log, logOf } from './log.ts'
import { Verification } from './verification.tsx'

const PAGE_ROWS = 50
const FILTERS = ['log', 'actor', 'object', 'action', 'dateFrom', 'dateTo'] as const

/** Who has changed what, and who was shown a secret; the newest first. */
export function Page() {
  const { values, query, set, clear } = useFilters(FILTERS)
  const log = logOf(values.log)
  const { cursor, ...filters } = { ...query, log }
  const isOperator = useMay('operator')
  const list = useQuery('get', '/api/v1/audit-log', {
    params: { query: { limit: PAGE_ROWS, ...filters, ...(cursor !== undefined && { cursor }) } },
  })
  // As text it is an export, which is not asked for here.
  const rows = typeof list.data === 'string' ? undefined : list.data
  const isFiltered = Object.keys(values).some((name) => name !== 'log')
  return (
    <Frame
      title="Audit log"
      lead="Who has changed what, and who was shown a secret."
      actions={<ExportButton filters={filters} />}
    >
      <FilterBar isFiltered={isFiltered} onClear={clear}>
        {isOperator && (
          <Choice label="Log" name="log" value={log} options={LOGS} onChange={(next) => set({ log: next })} />
        )}
        <SearchField
          label="Who"
          placeholder="operator or key:…"
          value={values.actor ?? ''}
          onSearch={(actor) => set({ actor })}
        />
        <SearchField
          label="Object"
          placeholder="webhooks/webhook_…"
          value={values.object ?? ''}
          onSearch={(object) => set({ object })}
        />
        <SearchField
          label="Action"
          placeholder="getSecret"
          value={values.action ?? ''}
          onSearch={(action) => set({ action })}
        />
        <DateRange values={values} onChange={set} />
      </FilterBar>
      <List query={{ ...list, data: rows }} empty={<Nothing isFiltered={isFiltered} log={log} />}>
        {(entries) => <AuditTable rows={entries} log={log} />}
      </List>
      <Verification key={log} log={log} />
    </Frame>
  )
}

function Nothing({ isFiltered, log }: { isFiltered: boolean; log: Log }) {
  if (isFiltered)
    return (
      <EmptyState
        icon={ListMagnifyingGlassIcon}
        title="Nothing matches"
        description="Names are taken as they stand in a row: open one to see them. Or try other dates."
      />
    )
  return (
    <EmptyState
      icon={ListMagnifyingGlassIcon}
      title="Nothing has been changed yet"
      description={
        log === 'relay'
          ? 'Calls of the operator about the whole relay, and those without a valid credential, stand here.'
          : 'Each change of this workspace, and each look at a secret, has a row here.'
      }
    />
  )
}

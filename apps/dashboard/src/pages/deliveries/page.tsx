import { PaperPlaneTiltIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { DateRange } from '../../components/list/date-range.tsx'
import { FilterBar, useFilters } from '../../components/list/filter-bar.tsx'
import { SearchField } from '../../components/list/search-field.tsx'
import { StateTabs } from '../../components/list/state-tabs.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { SelectableDeliveries } from '../../components/send-again/selectable-deliveries.tsx'
import { Blocked } from './blocked.tsx'
import { Chips } from './chips.tsx'
import { FILTERS, queryOf, replayOf, stateOf } from './filters.ts'
import { ReplayAll } from './replay-all.tsx'

const PAGE_ROWS = 50

/** The deliveries of all subscriptions, newest first; those that hold others back on top. */
export function Page() {
  const { values, query, set, clear } = useFilters(FILTERS)
  const list = useQuery(
    'get',
    '/api/v1/deliveries',
    { params: { query: { limit: PAGE_ROWS, ...queryOf(query) } } },
    useLive(),
  )
  const rows = list.data?.data ?? []
  const isFiltered = Object.keys(values).length > 0
  const replay = isFiltered ? replayOf(values) : null
  return (
    <Frame title="Deliveries" lead="Each event on its way to each subscription, and what became of it.">
      {!isFiltered && <Blocked />}
      <div className="flex flex-wrap items-end justify-between gap-3">
        <StateTabs
          value={stateOf(values)}
          onChange={(state) => set({ status: state === 'all' ? '' : state })}
        />
        {replay !== null && <ReplayAll rows={rows} initial={replay} />}
      </div>
      <FilterBar isFiltered={isFiltered} onClear={clear}>
        <SearchField
          label="Event type"
          placeholder="invoice.paid or invoice.*"
          value={values.event ?? ''}
          onSearch={(event) => set({ event })}
        />
        <SearchField
          label="Answer"
          placeholder="503 or 5xx"
          value={values.responseCode ?? ''}
          onSearch={(responseCode) => set({ responseCode })}
        />
        <SearchField label="Id, or text in the payload" value={values.q ?? ''} onSearch={(q) => set({ q })} />
        <DateRange values={values} onChange={set} />
      </FilterBar>
      <Chips values={values} rows={rows} onRemove={(name) => set({ [name]: '' })} />
      <SelectableDeliveries query={list} empty={<Nothing isFiltered={isFiltered} />} />
    </Frame>
  )
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return (
    <EmptyState
      icon={PaperPlaneTiltIcon}
      title={isFiltered ? 'No delivery matches' : 'Nothing was sent yet'}
      description={
        isFiltered
          ? 'Try another state, a wider type or other dates.'
          : 'Deliveries appear as soon as an event matches a subscription.'
      }
    />
  )
}

import { PaperPlaneTiltIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { DateRange } from '../../components/list/date-range.tsx'
import { DeliveryTable } from '../../components/list/delivery-table.tsx'
import { FilterBar, useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { SearchField } from '../../components/list/search-field.tsx'
import { DELIVERY_STATES, StateTabs } from '../../components/list/state-tabs.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Blocked } from './blocked.tsx'

const PAGE_ROWS = 50
const FILTERS = ['status', 'event', 'responseCode', 'webhook', 'dateFrom', 'dateTo'] as const

/** The deliveries of all subscriptions, newest first; those that hold others back on top. */
export function Page() {
  const { values, query, set, clear } = useFilters(FILTERS)
  const list = useQuery(
    'get',
    '/api/v1/deliveries',
    { params: { query: { limit: PAGE_ROWS, ...query } } },
    useLive(),
  )
  const isFiltered = Object.keys(values).length > 0
  return (
    <Frame title="Deliveries" lead="Each event on its way to each subscription, and what became of it.">
      {!isFiltered && <Blocked />}
      <StateTabs
        value={DELIVERY_STATES.find((state) => state === values.status) ?? 'all'}
        onChange={(state) => set({ status: state === 'all' ? '' : state })}
      />
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
        <DateRange values={values} onChange={set} />
      </FilterBar>
      <List
        query={list}
        empty={
          <EmptyState
            icon={PaperPlaneTiltIcon}
            title={isFiltered ? 'No delivery matches' : 'Nothing was sent yet'}
            description={
              isFiltered
                ? 'Try another state, a wider type or other dates.'
                : 'Deliveries appear as soon as an event matches a subscription.'
            }
          />
        }
      >
        {(rows) => <DeliveryTable rows={rows} />}
      </List>
    </Frame>
  )
}

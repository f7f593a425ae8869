import { BroadcastIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { FilterBar, useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { SearchField } from '../../components/list/search-field.tsx'
import { Segments } from '../../components/list/segments.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { STANDINGS } from '../../words/standing.ts'
import { SubscriptionTable } from './subscription-table.tsx'

const PAGE_ROWS = 50
const FILTERS = ['health', 'q', 'sort'] as const

const HEALTHS = [{ value: 'all', label: 'All' } as const, ...STANDINGS]
const SORTS = [
  { value: 'created', label: 'Newest first' },
  { value: 'failures', label: 'Most failures first' },
  { value: 'rate', label: 'Worst success rate first' },
  { value: 'deliveries', label: 'Most deliveries first' },
] as const

/** All subscriptions, each with how its receiver is doing. */
export function Page() {
  const { values, query, set, clear } = useFilters(FILTERS)
  const health = STANDINGS.find(({ value }) => value === values.health)?.value
  const sort = SORTS.find(({ value }) => value === values.sort)?.value
  const { health: _, sort: __, ...rest } = query
  const params = {
    query: { limit: PAGE_ROWS, ...rest, ...(health && { health }), ...(sort && { sort }) },
  }
  const list = useQuery('get', '/api/v1/webhooks', { params }, useLive())
  const isFiltered = health !== undefined || values.q !== undefined
  return (
    <Frame
      title="Subscriptions"
      lead="Where events go, and how the receivers are doing."
      actions={
        useMay('webhooks:write') && (
          <LinkButton to="/subscriptions/new" isPrimary>
            New subscription
          </LinkButton>
        )
      }
    >
      <Segments
        legend="Health"
        options={HEALTHS}
        value={health ?? 'all'}
        onChange={(next) => set({ health: next === 'all' ? '' : next })}
      />
      <FilterBar isFiltered={isFiltered} onClear={clear}>
        <SearchField
          label="Search"
          placeholder="a part of name or URL"
          value={values.q ?? ''}
          onSearch={(q) => set({ q })}
        />
        <Choice
          label="Order"
          name="sort"
          value={sort ?? 'created'}
          options={SORTS}
          onChange={(next) => set({ sort: next === 'created' ? '' : next })}
        />
      </FilterBar>
      <List
        query={list}
        order={sort === undefined || sort === 'created' ? 'time' : 'name'}
        empty={isFiltered ? <NoneFound /> : <NoSubscriptions />}
      >
        {(rows) => <SubscriptionTable rows={rows} />}
      </List>
    </Frame>
  )
}

function NoSubscriptions() {
  const mayCreate = useMay('webhooks:write')
  return (
    <EmptyState
      icon={BroadcastIcon}
      title="No subscriptions yet"
      description={`A subscription names a URL and the events that are sent there.${mayCreate ? ' Create the first with New subscription, or over the API.' : ''}`}
    />
  )
}

function NoneFound() {
  return (
    <EmptyState
      icon={BroadcastIcon}
      title="No subscription matches"
      description="Try another health, or less of the name."
    />
  )
}

import { LightningIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { usePolled } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { DateRange } from '../../components/list/date-range.tsx'
import { FilterBar, useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { SearchField } from '../../components/list/search-field.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { EventTable } from './event-table.tsx'

const PAGE_ROWS = 50
const FILTERS = ['event', 'q', 'path', 'equals', 'dateFrom', 'dateTo'] as const

/** All events, newest first. */
export function Page() {
  const { values, query, set, clear } = useFilters(FILTERS)
  const list = useQuery(
    'get',
    '/api/v1/events',
    { params: { query: { limit: PAGE_ROWS, ...searchOf(query) } } },
    usePolled(),
  )
  const mayPublish = useMay('events:publish')
  const isFiltered = Object.keys(values).length > 0
  return (
    <Frame
      title="Events"
      lead="What was published, newest first. Open one to see who got it, and who did not."
      actions={mayPublish && <LinkButton to="/publish">Publish a test event</LinkButton>}
    >
      <FilterBar isFiltered={isFiltered} onClear={clear}>
        <SearchField
          label="Type"
          placeholder="invoice.paid or invoice.*"
          value={values.event ?? ''}
          onSearch={(event) => set({ event })}
        />
        <SearchField
          label="Id, or text in the payload"
          placeholder="inv_123"
          value={values.q ?? ''}
          onSearch={(q) => set({ q, path: '', equals: '' })}
        />
        <SearchField
          label="Field"
          placeholder="data.object.id"
          value={values.path ?? ''}
          onSearch={(path) => set({ path, q: '' })}
        />
        <SearchField
          label="Value"
          placeholder="inv_123"
          value={values.equals ?? ''}
          onSearch={(equals) => set({ equals, q: '' })}
        />
        <DateRange values={values} onChange={set} />
      </FilterBar>
      <List query={list} empty={isFiltered ? <NoneFound /> : <NoEvents />}>
        {(rows) => <EventTable rows={rows} />}
      </List>
    </Frame>
  )
}

type Search = { q?: string; path?: string; equals?: string; cursor?: string }

/** A field is asked for with its value: half of it is none yet. */
function searchOf<Query extends Search>({ path, equals, ...rest }: Query) {
  return path === undefined || equals === undefined ? rest : { ...rest, path, equals }
}

function NoEvents() {
  return (
    <EmptyState
      icon={LightningIcon}
      title="No events yet"
      description="Publish one with POST /api/v1/events: it appears here at once."
    />
  )
}

function NoneFound() {
  return (
    <EmptyState
      icon={LightningIcon}
      title="No event matches"
      description="Try a wider type, such as invoice.*, or other dates."
    />
  )
}

import { TagIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { FilterBar, useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { SearchField } from '../../components/list/search-field.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { Groups } from './groups.tsx'

/** The most that a catalogue holds: groups are whole unless the types are large. */
const PAGE_ROWS = 1_000
const SHOWN = [
  { value: '', label: 'All' },
  { value: 'false', label: 'In use' },
  { value: 'true', label: 'Deprecated' },
] as const

/** The catalogue of the workspace: what can be published, and what it looks like. */
export function Page() {
  const { values, query, set, clear } = useFilters(['q', 'deprecated'])
  const { deprecated, ...rest } = query
  const mayWrite = useMay('event-types:write')
  const narrowed = deprecated === undefined ? rest : { ...rest, deprecated: deprecated as never }
  const list = useQuery('get', '/api/v1/event-types', {
    params: { query: { limit: PAGE_ROWS, ...narrowed } },
  })
  const isFiltered = Object.keys(values).length > 0
  return (
    <Frame
      title="Event types"
      lead="What is published here, and what each event looks like."
      actions={mayWrite && <Actions />}
    >
      <FilterBar isFiltered={isFiltered} onClear={clear}>
        <SearchField
          label="Search"
          placeholder="invoice"
          value={values.q ?? ''}
          onSearch={(q) => set({ q })}
        />
        <Choice
          label="Show"
          name="deprecated"
          value={values.deprecated ?? ''}
          options={SHOWN}
          onChange={(value) => set({ deprecated: value })}
        />
      </FilterBar>
      <List query={list} order="name" empty={isFiltered ? <NoneFound /> : <NoTypes mayWrite={mayWrite} />}>
        {(rows) => <Groups rows={rows} />}
      </List>
    </Frame>
  )
}

function Actions() {
  return (
    <>
      <LinkButton to="/import-event-types">Import</LinkButton>
      <LinkButton to="/new-event-type" isPrimary>
        New event type
      </LinkButton>
    </>
  )
}

function NoTypes({ mayWrite }: { mayWrite: boolean }) {
  return (
    <EmptyState
      icon={TagIcon}
      title="The catalogue is empty"
      description={
        mayWrite
          ? 'Import the webhooks of an OpenAPI document, or describe the first type by hand.'
          : 'No event type is described yet.'
      }
    />
  )
}

function NoneFound() {
  return (
    <EmptyState
      icon={TagIcon}
      title="No event type matches"
      description="Try another word, or clear the filters."
    />
  )
}

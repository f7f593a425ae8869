import { KeyIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { usePolled } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { ShownOnce } from '../../components/shown-once.tsx'
import { KeyTable } from './key-table.tsx'
import { NewKey } from './new-key.tsx'

/** The keys of the workspace: to see who may call, and to make, change and end them. */
export function Page() {
  const { query } = useFilters([])
  const [shown, setShown] = useState<Schemas['ShownApiKey'] | null>(null)
  const list = useQuery('get', '/api/v1/keys', { params: { query: { limit: 100, ...query } } }, usePolled())
  return (
    <Frame title="Keys" lead="Who may call the relay in this workspace, and what for.">
      {shown !== null && (
        <ShownOnce
          title={`The key of ${shown.name}`}
          description="Copy it now: it is shown this once, and nowhere ever after."
          text={shown.key}
          copyLabel="Copy the key"
        />
      )}
      <List query={list} empty={<NoKeys />}>
        {(rows) => <KeyTable rows={rows} onShow={setShown} />}
      </List>
      <NewKey onShow={setShown} />
    </Frame>
  )
}

function NoKeys() {
  return (
    <EmptyState
      icon={KeyIcon}
      title="No keys yet"
      description="Give each program that calls the relay a key of its own, so that it can be ended alone."
    />
  )
}

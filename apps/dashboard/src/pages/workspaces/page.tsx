import { BuildingsIcon } from '@phosphor-icons/react'
import { useQuery } from '../../api/client.ts'
import { usePolled } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { useFilters } from '../../components/list/filter-bar.tsx'
import { List } from '../../components/list/list.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { NewWorkspace } from './new-workspace.tsx'
import { WorkspaceTable } from './workspace-table.tsx'

/** All workspaces of the relay: to see, to make and to delete. */
export function Page() {
  const { query } = useFilters([])
  const list = useQuery(
    'get',
    '/api/v1/workspaces',
    { params: { query: { limit: 50, ...query } } },
    usePolled(),
  )
  return (
    <Frame title="Workspaces" lead="Each has its own events, subscriptions, keys and settings.">
      <List query={list} empty={<NoWorkspaces />}>
        {(rows) => <WorkspaceTable rows={rows} />}
      </List>
      <NewWorkspace />
    </Frame>
  )
}

function NoWorkspaces() {
  return (
    <EmptyState
      icon={BuildingsIcon}
      title="No workspaces yet"
      description="One comes to be with its first use, or is made below."
    />
  )
}

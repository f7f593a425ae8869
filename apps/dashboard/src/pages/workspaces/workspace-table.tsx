import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import { queryClient, useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useSession } from '../../api/session.ts'
import { openWorkspace } from '../../api/workspace.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { useNotices } from '../../components/notices.tsx'
import { StatusBadge } from '../../components/status-badge.tsx'
import { Time } from '../../components/time.tsx'
import { countOf } from '../../words/numbers.ts'
import { workspaceInWords } from './workspace-in-words.ts'

type Workspace = Schemas['Workspace']

/** Workspaces as rows, each with how it is, and how far its deletion is. */
export function WorkspaceTable({ rows }: { rows: readonly Workspace[] }) {
  const { workspaceId } = useSession()
  const columns: [Column<Workspace>, ...Column<Workspace>[]] = [
    { header: 'Name', cell: ({ id }) => <span className="font-medium wrap-anywhere">{id}</span> },
    { header: 'State', cell: (row) => <State workspace={row} /> },
    { header: 'Keeps', from: 'lg', cell: ({ retentionDays }) => countOf(retentionDays, 'day') },
    { header: 'Made', from: 'md', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      header: 'Change',
      cell: (row) =>
        row.id === workspaceId ? (
          <span className="text-sm text-kumo-subtle">You are in it</span>
        ) : (
          <Actions workspace={row} />
        ),
    },
  ]
  return <DataTable caption="Workspaces" rows={rows} columns={columns} keyOf={({ id }) => id} />
}

function State({ workspace }: { workspace: Workspace }) {
  const words = workspaceInWords(workspace)
  return (
    <span className="flex flex-col items-start gap-1">
      <StatusBadge words={words} />
      {workspace.deletion !== null && <span className="text-sm text-kumo-subtle">{words.sentence}</span>}
    </span>
  )
}

function Actions({ workspace: { id, status } }: { workspace: Workspace }) {
  const notices = useNotices()
  const [isAsking, setIsAsking] = useState(false)
  const remove = useMutation('delete', '/api/v1/workspaces/{id}')
  if (status === 'deleting') return null
  const removeNow = async () => {
    await remove.mutateAsync({ params: { path: { id } } })
    notices.done('It is being erased', id)
    await queryClient.invalidateQueries()
  }
  return (
    <div className="flex flex-wrap gap-2">
      <Button size="sm" aria-label={`Open ${id}`} onClick={() => openWorkspace(id)}>
        Open
      </Button>
      <Button
        size="sm"
        variant="secondary-destructive"
        aria-label={`Delete ${id}`}
        onClick={() => setIsAsking(true)}
      >
        Delete
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={`Delete the workspace ${id}?`}
        description="All that is in it is erased: events, deliveries, subscriptions, keys, archives and its audit log. Its keys end at once. This cannot be undone."
        verb={`Delete ${id}`}
        isDestructive
        onConfirm={removeNow}
      />
    </div>
  )
}

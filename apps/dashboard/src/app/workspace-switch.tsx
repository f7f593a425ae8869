import { useId } from 'react'
import { useQuery } from '../api/client.ts'
import { useSession } from '../api/session.ts'
import { openWorkspace } from '../api/workspace.ts'

/** The most workspaces that can be chosen from; others are reached by their address, `/w/name`. */
const SHOWN_MAX = 1_000

/** The workspace that is looked at; the operator may look at any. */
export function WorkspaceSwitch() {
  const { kind, workspaceId } = useSession()
  if (kind === 'operator') return <Choice current={workspaceId} />
  return (
    <div className="px-2">
      <p className="text-xs text-kumo-subtle">Workspace</p>
      <p className="truncate font-medium">{workspaceId}</p>
    </div>
  )
}

/** The browser's own list: it takes a thousand names, is searched by typing, and costs nothing to load. */
function Choice({ current }: { current: string }) {
  const id = useId()
  const { data } = useQuery('get', '/api/v1/workspaces', { params: { query: { limit: SHOWN_MAX } } })
  const ids = new Set([current, ...(data?.data ?? []).map((workspace) => workspace.id)])
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="px-2 text-xs text-kumo-subtle">
        Workspace
      </label>
      <select
        id={id}
        value={current}
        onChange={(event) => openWorkspace(event.target.value)}
        className="h-9 w-full cursor-pointer truncate rounded-lg bg-kumo-control px-2 font-medium ring ring-kumo-line"
      >
        {[...ids].sort().map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </div>
  )
}

import { useQuery } from '../../api/client.ts'
import { useSession } from '../../api/session.ts'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Time } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { SettingsForm } from './form.tsx'

/** What the workspace keeps, where it delivers, and how much it may use. */
export function Page() {
  const { workspaceId } = useSession()
  const { data, error, isPending, refetch } = useQuery('get', '/api/v1/workspaces/{id}', {
    params: { path: { id: workspaceId } },
  })
  if (isPending) return <Waiting label="Loading the settings" />
  return (
    <Frame
      title="Settings"
      lead={
        data === undefined ? (
          workspaceId
        ) : (
          <>
            Of the workspace {workspaceId}, made <Time at={data.data.createdAt} />.
          </>
        )
      }
    >
      {data === undefined ? (
        <Problem error={error} onRetry={() => void refetch()} />
      ) : (
        <SettingsForm workspace={data.data} />
      )}
    </Frame>
  )
}

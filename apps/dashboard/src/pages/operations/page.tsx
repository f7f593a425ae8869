import { useQuery } from '../../api/client.ts'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { Figures } from './figures.tsx'
import { Jobs } from './jobs.tsx'
import { KeyRotation } from './key-rotation.tsx'
import { Queues } from './queues.tsx'
import { Trouble } from './trouble.tsx'

/** Each look reads some rows of every subscription of the relay, so it is taken less often than elsewhere. */
const LOOK_MS = 15_000

/** How the relay itself is doing, over all workspaces. */
export function Page() {
  const { data, error, isPending, refetch } = useQuery(
    'get',
    '/api/v1/status/relay',
    {},
    { refetchInterval: LOOK_MS },
  )
  if (isPending) return <Waiting label="Loading the state of the relay" />
  if (data === undefined)
    return (
      <Frame title="Operations">
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  const { relay, worst } = data.data
  return (
    <Frame
      title="Operations"
      lead={`How the relay itself is doing, over all workspaces. Version ${relay.version}${relay.migration === null ? '' : `, database as of ${relay.migration}`}.`}
    >
      {error !== null && <Problem error={error} onRetry={() => void refetch()} />}
      <Figures status={data.data} />
      <Jobs relay={relay} />
      <Trouble worst={worst} />
      <Queues queues={relay.queues} />
      <KeyRotation />
    </Frame>
  )
}

import { useQuery } from '../../api/client.ts'
import { useMay, useSession } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { Figure } from '../../components/figure.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Time } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { atLeast, countOf, numberInWords } from '../../words/numbers.ts'
import { NeedsYou } from './needs-you.tsx'
import { RecentEvents } from './recent-events.tsx'

/** What is going on, and what needs a person now. */
export function Page() {
  const { workspaceId, portal } = useSession()
  return (
    <Frame
      title="Overview"
      lead={
        portal === null
          ? `What is going on in the workspace ${workspaceId}.`
          : 'What is going on with your subscriptions.'
      }
    >
      {useMay('workspace:read') && <Figures />}
      {useMay('webhooks:read') && <NeedsYou />}
      {useMay('events:read') && <RecentEvents />}
    </Frame>
  )
}

function Figures() {
  const { data, error, isPending, refetch } = useQuery('get', '/api/v1/status', {}, useLive())
  if (isPending) return <Waiting label="Loading the figures" />
  if (data === undefined) return <Problem error={error} onRetry={() => void refetch()} />
  const { subscriptions, backlog } = data.data
  const { disabled, active, paused, failing } = subscriptions
  const off = disabled.manual + disabled.gone + disabled.failing + disabled.unverified
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Figure
        to="/subscriptions"
        label="Subscriptions"
        value={numberInWords(active)}
        note={
          off + paused === 0 ? 'all of them on' : `${numberInWords(off)} off, ${numberInWords(paused)} paused`
        }
      />
      <Figure
        to="/subscriptions"
        label="Failing now"
        value={numberInWords(failing)}
        note={failing === 0 ? 'every receiver takes its events' : countOf(failing, 'receiver')}
      />
      <Figure
        label="Due now"
        value={atLeast(backlog.due)}
        note={
          backlog.oldestDueAt === null ? (
            'nothing waits to be sent'
          ) : (
            <>
              the oldest since <Time at={backlog.oldestDueAt} />
            </>
          )
        }
      />
      <Figure
        label="Held back"
        value={atLeast(backlog.held)}
        note={backlog.held.count === 0 ? 'nothing is held back' : 'by pauses and failing receivers'}
      />
    </div>
  )
}

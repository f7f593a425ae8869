import { Link, useParams, useSearchParams } from 'react-router'
import { useQuery } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { Explain } from '../../components/explain.tsx'
import { Figure } from '../../components/figure.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { askedInWords, replayInWords } from '../../words/replay.ts'
import { titleOf } from '../../words/subscription.ts'
import { CancelButton } from './cancel-button.tsx'
import { Progress } from './progress.tsx'

const BACK = { to: '/replays', label: 'Replays' }
/** A replay takes its next step within a second. */
const ASK_MS = 1_000

/** One replay: how far it has come. It goes on whether or not this page is open. */
export function Page() {
  const { id = '' } = useParams()
  const { data, error, isPending, refetch } = useQuery(
    'get',
    '/api/v1/replays/{id}',
    { params: { path: { id } } },
    { refetchInterval: (query) => (query.state.data?.data.state === 'running' ? ASK_MS : false) },
  )
  if (isPending) return <Waiting label="Loading the replay" />
  if (data === undefined)
    return (
      <Frame title="Replay" back={BACK}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  return <Shown replay={data.data} />
}

function Shown({ replay }: { replay: Schemas['Replay'] }) {
  const { webhookId, eventId, state, replayed, examined, createdAt, finishedAt } = replay
  const [search] = useSearchParams()
  const expected = Number(search.get('of') ?? 0)
  return (
    <Frame
      title="Replay"
      back={BACK}
      lead={`${askedInWords(replay)}.`}
      actions={state === 'running' && <CancelButton id={replay.id} />}
    >
      <Section title={state === 'running' ? 'How far it has come' : 'What came of it'}>
        <div aria-live="polite" className="flex flex-col gap-4">
          <Explain words={replayInWords(replay)} />
          <Progress state={state} replayed={replayed} expected={expected} />
          {state === 'running' && (
            <p className="text-kumo-subtle">
              You can leave this page: the replay goes on, and is found again under Replays.
            </p>
          )}
        </div>
      </Section>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure label="Sent again" value={numberInWords(replayed)} />
        <Figure label="Looked at" value={numberInWords(examined)} />
        <Figure label="Started" value={<Time at={createdAt} />} />
        <Figure label="Ended" value={finishedAt === null ? '–' : <Time at={finishedAt} />} />
      </div>
      <p className="flex flex-wrap gap-x-6 gap-y-1">
        {webhookId !== null && <Receiver id={webhookId} />}
        {eventId !== null && (
          <Link to={`/events/${eventId}`} className="font-medium text-kumo-link underline">
            The event, and what becomes of its deliveries
          </Link>
        )}
      </p>
    </Frame>
  )
}

/** The way to the subscription, by its name where that may be read. */
function Receiver({ id }: { id: string }) {
  const enabled = useMay('webhooks:read')
  const { data } = useQuery('get', '/api/v1/webhooks/{id}', { params: { path: { id } } }, { enabled })
  const name = data === undefined ? 'The subscription' : titleOf(data.data).title
  if (!enabled) return null
  return (
    <Link to={`/subscriptions/${id}`} className="font-medium text-kumo-link underline">
      {name}, and what becomes of its deliveries
    </Link>
  )
}

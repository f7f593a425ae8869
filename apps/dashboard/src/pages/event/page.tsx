import { useParams } from 'react-router'
import { useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { useLive } from '../../api/use-live.ts'
import { JsonView } from '../../components/json/json-view.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { Marks } from '../events/event-table.tsx'
import { Actions } from './actions.tsx'
import { Fates } from './fates.tsx'

const BACK = { to: '/events', label: 'Events' }

/** One event: what it said, and what became of it at each subscription. */
export function Page() {
  const { id = '' } = useParams()
  return useMay('events:read') ? <Whole id={id} /> : <DeliveriesAlone id={id} />
}

function DeliveriesAlone({ id }: { id: string }) {
  return (
    <Frame
      title="Event"
      back={{ to: '/deliveries', label: 'Deliveries' }}
      lead={<code className="text-sm wrap-anywhere">{id}</code>}
    >
      <Fates id={id} />
    </Frame>
  )
}

function Whole({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery(
    'get',
    '/api/v1/events/{id}',
    { params: { path: { id } } },
    useLive(),
  )
  const mayRead = useMay('deliveries:read')
  if (isPending) return <Waiting label="Loading the event" />
  if (data === undefined)
    return (
      <Frame title="Event" back={BACK}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  const event = data.data
  return (
    <Frame
      title={event.event}
      aside={<Marks event={event} />}
      actions={<Actions id={id} event={event} />}
      back={BACK}
      lead={
        <>
          Accepted <Time at={event.acceptedAt} />, <code className="text-sm wrap-anywhere">{event.id}</code>
        </>
      }
    >
      {mayRead && <Fates id={id} />}
      <Section title="Payload" isFlush>
        {event.payload === null ? (
          <p className="p-4 text-kumo-subtle">
            {event.erasedAt === null ? 'It is not kept any more.' : 'Its content was erased.'}
          </p>
        ) : (
          <JsonView label="As it is sent by default" text={event.payload} />
        )}
      </Section>
    </Frame>
  )
}

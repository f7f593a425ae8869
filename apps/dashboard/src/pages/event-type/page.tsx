import { Badge } from '@cloudflare/kumo/components/badge'
import { useParams } from 'react-router'
import { type EventType, useEventType } from '../../api/event-type.ts'
import { useMay } from '../../api/session.ts'
import { JsonView } from '../../components/json/json-view.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { Time } from '../../components/time.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { Changes } from './changes.tsx'
import { SchemaFields } from './schema-fields.tsx'

const BACK = { to: '/event-types', label: 'Event types' }

/** One event type: what it means, what its data must be, and an example. */
export function Page() {
  const { name = '' } = useParams()
  const { data, error, isPending, refetch } = useEventType(name)
  const mayPublish = useMay('events:publish')
  const mayWrite = useMay('event-types:write')
  const maySeeEvents = useMay('events:read')
  if (isPending) return <Waiting label="Loading the event type" />
  if (data === undefined)
    return (
      <Frame title="Event type" back={BACK}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Frame>
    )
  return (
    <Frame
      title={name}
      back={BACK}
      aside={data.deprecated && <Badge variant="warning">Deprecated</Badge>}
      lead={data.description}
      actions={
        <>
          {maySeeEvents && <LinkButton to={`/events?event=${name}`}>See its events</LinkButton>}
          {mayWrite && <Changes type={data} />}
          {mayPublish && (
            <LinkButton to={`/publish?type=${name}`} isPrimary>
              Publish a test event
            </LinkButton>
          )}
        </>
      }
    >
      {data.deprecated && (
        <p>It is still taken and delivered. Subscribe to another type where there is one in its place.</p>
      )}
      <Schema type={data} />
      <Section title="Example" isFlush>
        {data.example === null ? (
          <p className="p-4 text-kumo-subtle">
            There is none. Test events and previews make up their data without it.
          </p>
        ) : (
          <JsonView label="The data of an event" text={JSON.stringify(data.example)} />
        )}
      </Section>
      <p className="text-sm text-kumo-subtle">
        {data.group !== null && <>In the group {data.group}. </>}
        Described <Time at={data.createdAt} />, changed <Time at={data.updatedAt} />.
      </p>
    </Frame>
  )
}

function Schema({ type: { schema } }: { type: EventType }) {
  return (
    <Section title="Data" isFlush>
      {schema === null ? (
        <p className="p-4 text-kumo-subtle">There is no schema: its data may be anything.</p>
      ) : (
        <>
          <SchemaFields schema={schema} />
          <details className="border-t border-kumo-hairline">
            <summary className="cursor-pointer px-4 py-2.5 text-sm">The JSON Schema</summary>
            <JsonView label="JSON Schema" text={JSON.stringify(schema)} />
          </details>
        </>
      )}
    </Section>
  )
}

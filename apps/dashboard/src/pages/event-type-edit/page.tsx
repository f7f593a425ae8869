import { useParams } from 'react-router'
import { useEventType } from '../../api/event-type.ts'
import { draftOf } from '../../components/event-type-form/draft.ts'
import { EventTypeForm } from '../../components/event-type-form/form.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Waiting } from '../../components/waiting.tsx'

/** Changes what the catalogue says of a type. */
export function Page() {
  const { name = '' } = useParams()
  const { data, error, isPending, refetch } = useEventType(name)
  if (isPending) return <Waiting label="Loading the event type" />
  return (
    <Frame title={`Edit ${name}`} back={{ to: `/event-types/${name}`, label: name }}>
      {data === undefined ? (
        <Problem error={error} onRetry={() => void refetch()} />
      ) : (
        <EventTypeForm key={name} initial={draftOf(data)} isNew={false} />
      )}
    </Frame>
  )
}

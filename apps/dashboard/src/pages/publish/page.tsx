import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'react-router'
import { findEventType } from '../../api/event-type.ts'
import { useMay } from '../../api/session.ts'
import { SearchField } from '../../components/list/search-field.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { Problem } from '../../components/problem.tsx'
import { Waiting } from '../../components/waiting.tsx'
import { PublishForm } from './publish-form.tsx'
import { TypeChoice } from './type-choice.tsx'

/** Publishes one event by hand, which begins as the example of its type. */
export function Page() {
  const [search, setSearch] = useSearchParams()
  const type = search.get('type') ?? ''
  const mayRead = useMay('webhooks:read')
  const known = useQuery({
    queryKey: ['known-event-type', type],
    queryFn: () => findEventType(type),
    enabled: type !== '' && mayRead,
  })
  const isLooking = type !== '' && mayRead && (known.isPending || known.isPlaceholderData)
  const choose = (name: string) => setSearch(name === '' ? {} : { type: name })
  return (
    <Frame
      title="Publish a test event"
      lead="It is an event like any other: every subscription that wants it gets it."
      back={{ to: '/events', label: 'Events' }}
    >
      {mayRead ? (
        <TypeChoice value={type} onChoose={choose} />
      ) : (
        <SearchField label="Event type" placeholder="invoice.paid" value={type} onSearch={choose} />
      )}
      {known.error !== null && <Problem error={known.error} onRetry={() => void known.refetch()} />}
      {isLooking && <Waiting label="Looking for its example" />}
      {type !== '' && !isLooking && <PublishForm key={type} type={type} known={known.data ?? null} />}
    </Frame>
  )
}

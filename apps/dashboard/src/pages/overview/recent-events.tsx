import { LightningIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { useQuery } from '../../api/client.ts'
import { usePolled } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { EventTable } from '../events/event-table.tsx'

const SHOWN = 8

/** The newest events. */
export function RecentEvents() {
  const { data, error } = useQuery(
    'get',
    '/api/v1/events',
    { params: { query: { limit: SHOWN } } },
    usePolled(),
  )
  if (data === undefined) return error === null ? null : <Problem error={error} />
  return (
    <Section
      title="Newest events"
      isFlush
      actions={
        <Link to="/events" className="text-sm text-kumo-link">
          All events
        </Link>
      }
    >
      {data.data.length === 0 ? (
        <EmptyState
          icon={LightningIcon}
          title="No events yet"
          description="Publish one with POST /api/v1/events: it appears here at once."
        />
      ) : (
        <EventTable rows={data.data} />
      )}
    </Section>
  )
}

import { Badge } from '@cloudflare/kumo/components/badge'
import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { Time } from '../../components/time.tsx'
import { countOf } from '../../words/numbers.ts'

type Event = Schemas['Event']

const COLUMNS: [Column<Event>, ...Column<Event>[]] = [
  { header: 'Type', cell: (event) => <Type event={event} /> },
  { header: 'Id', from: 'lg', cell: ({ id }) => <code className="text-sm text-kumo-subtle">{id}</code> },
  { header: 'Goes to', cell: ({ matched }) => receiversInWords(matched) },
  { header: 'Accepted', from: 'sm', cell: ({ acceptedAt }) => <Time at={acceptedAt} /> },
]

/** Events as rows. */
export function EventTable({ rows }: { rows: readonly Event[] }) {
  return (
    <DataTable
      caption="Events"
      rows={rows}
      columns={COLUMNS}
      keyOf={({ id }) => id}
      linkOf={({ id }) => `/events/${encodeURIComponent(id)}`}
    />
  )
}

function Type({ event }: { event: Event }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
      {event.event}
      <Marks event={event} />
    </span>
  )
}

function receiversInWords(matched: number) {
  return matched === 0 ? (
    <span className="text-kumo-subtle">no subscription</span>
  ) : (
    countOf(matched, 'subscription')
  )
}

/** What is special about an event. */
export function Marks({ event }: { event: Event }) {
  const marks = [
    event.test && 'Test',
    event.dispatched && 'Sent to one URL',
    event.cancelledAt !== null && 'Cancelled',
    event.erasedAt !== null && 'Erased',
    event.deliverAt !== null && 'Scheduled',
  ].filter((mark) => mark !== false)
  if (marks.length === 0) return null
  return (
    <span className="flex flex-wrap gap-1">
      {marks.map((mark) => (
        <Badge key={mark} variant="outline">
          {mark}
        </Badge>
      ))}
    </span>
  )
}

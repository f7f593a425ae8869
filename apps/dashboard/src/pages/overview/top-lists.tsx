import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { Section } from '../../components/section.tsx'
import { numberInWords } from '../../words/numbers.ts'
import { type Period, periodInWords } from '../../words/period.ts'
import { withoutScheme } from '../../words/subscription.ts'
import { lengthInWords } from '../../words/time.ts'

type Statistics = Schemas['WorkspaceStatistics']
type Receiver = Statistics['webhooks'][number]
type EventType = Statistics['eventTypes'][number]

const SHOWN_MAX = 6

const RECEIVERS: [Column<Receiver>, ...Column<Receiver>[]] = [
  { header: 'Receiver', cell: ({ webhookName, url }) => webhookName || withoutScheme(url) },
  { header: 'Failed', isNumber: true, cell: ({ failed }) => numberInWords(failed) },
  { header: 'Delivered', from: 'sm', isNumber: true, cell: ({ delivered }) => numberInWords(delivered) },
  {
    header: 'Within',
    from: 'sm',
    isNumber: true,
    cell: ({ latencyPercentiles: { p95 } }) => (p95 === null ? '–' : lengthInWords(p95)),
  },
]

const TYPES: [Column<EventType>, ...Column<EventType>[]] = [
  { header: 'Type', cell: ({ event }) => (event === '*' ? 'others' : event) },
  { header: 'Events', isNumber: true, cell: ({ events }) => numberInWords(events) },
  { header: 'Deliveries', from: 'sm', isNumber: true, cell: ({ matched }) => numberInWords(matched) },
]

/** The receivers with the most failures, and the types with the most events. */
export function TopLists({ statistics, period }: { statistics: Statistics; period: Period }) {
  const { webhooks, eventTypes } = statistics
  if (webhooks.length === 0) return null
  const time = periodInWords(period)
  return (
    <div className="grid items-start gap-6 xl:grid-cols-2">
      <Section title={`Receivers, most failures first, in ${time}`} isFlush>
        <DataTable
          caption="Receivers"
          rows={webhooks.slice(0, SHOWN_MAX)}
          columns={RECEIVERS}
          keyOf={({ webhookId }) => webhookId}
          linkOf={({ webhookId }) => `/subscriptions/${webhookId}`}
        />
      </Section>
      {eventTypes.length > 0 && (
        <Section title={`Event types in ${time}`} isFlush>
          <DataTable
            caption="Event types"
            rows={eventTypes.slice(0, SHOWN_MAX)}
            columns={TYPES}
            keyOf={({ event }) => event}
            linkOf={({ event }) => `/events?event=${encodeURIComponent(event)}`}
          />
        </Section>
      )}
    </div>
  )
}

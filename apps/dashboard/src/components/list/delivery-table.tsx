import type { Schemas } from '../../api/schemas.ts'
import { deliveryInWords } from '../../words/delivery.ts'
import { withoutScheme } from '../../words/subscription.ts'
import { StatusBadge } from '../status-badge.tsx'
import { Time } from '../time.tsx'
import { type Column, DataTable, type Selection } from './data-table.tsx'

/** In the list of a whole workspace its subscription is named. */
export type ListedDelivery = Schemas['Delivery'] & { webhookName?: string | null }

type DeliveryTableProps = {
  rows: readonly ListedDelivery[]
  /** True where all of them go to one receiver. */
  isOfOneReceiver?: boolean
  selection?: Selection<ListedDelivery>
}

/** Deliveries as rows, each with what became of it in a sentence. A row leads to its event. */
export function DeliveryTable({ rows, isOfOneReceiver = false, selection }: DeliveryTableProps) {
  const receiver: Column<ListedDelivery> = {
    header: 'Receiver',
    from: 'md',
    cell: ({ webhookName, url }) => (
      <span className="inline-block min-w-40 wrap-anywhere">{webhookName || withoutScheme(url)}</span>
    ),
  }
  const columns: [Column<ListedDelivery>, ...Column<ListedDelivery>[]] = [
    { header: 'Event', cell: ({ event }) => event },
    ...(isOfOneReceiver ? [] : [receiver]),
    { header: 'State', cell: (row) => <StatusBadge words={deliveryInWords(row)} /> },
    {
      header: 'What happened',
      from: 'lg',
      cell: (row) => <span className="text-kumo-subtle">{row.summary}</span>,
    },
    {
      header: 'Last attempt',
      from: 'sm',
      cell: ({ deliveredAt }) =>
        deliveredAt === null ? <span className="text-kumo-subtle">none yet</span> : <Time at={deliveredAt} />,
    },
  ]
  return (
    <DataTable
      caption="Deliveries"
      rows={rows}
      columns={columns}
      keyOf={({ id }) => id}
      {...(selection && { selection })}
      linkOf={({ eventId, id }) => `/events/${eventId}#${id}`}
    />
  )
}

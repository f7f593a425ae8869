import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { StatusBadge } from '../../components/status-badge.tsx'
import { Time, useNow } from '../../components/time.tsx'
import { healthOf } from '../../words/health.ts'
import { numberInWords } from '../../words/numbers.ts'
import { eventsInWords, titleOf } from '../../words/subscription.ts'

type Subscription = Schemas['Subscription']

/** Subscriptions as rows. */
export function SubscriptionTable({ rows }: { rows: readonly Subscription[] }) {
  const now = useNow()
  const columns: [Column<Subscription>, ...Column<Subscription>[]] = [
    { header: 'Receiver', cell: (row) => <Receiver subscription={row} /> },
    { header: 'Health', cell: (row) => <StatusBadge words={healthOf(row, now)} /> },
    { header: 'Events', from: 'lg', cell: ({ events }) => eventsInWords(events) },
    {
      header: 'Delivered',
      from: 'sm',
      isNumber: true,
      cell: ({ statistics }) => numberInWords(statistics.totalDelivered),
    },
    {
      header: 'Failed',
      from: 'sm',
      isNumber: true,
      cell: ({ statistics }) => numberInWords(statistics.totalFailed),
    },
    {
      header: 'Last delivery',
      from: 'md',
      cell: ({ statistics: { lastDelivery } }) =>
        lastDelivery === null ? <span className="text-kumo-subtle">never</span> : <Time at={lastDelivery} />,
    },
  ]
  return (
    <DataTable
      caption="Subscriptions"
      rows={rows}
      columns={columns}
      keyOf={({ id }) => id}
      linkOf={({ id }) => `/subscriptions/${id}`}
    />
  )
}

function Receiver({ subscription }: { subscription: Subscription }) {
  const { title, detail } = titleOf(subscription)
  return (
    <>
      {title}
      {detail !== null && <span className="block text-sm font-normal text-kumo-subtle">{detail}</span>}
    </>
  )
}

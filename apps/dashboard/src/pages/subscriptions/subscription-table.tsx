import type { Schemas } from '../../api/schemas.ts'
import { type Column, DataTable } from '../../components/list/data-table.tsx'
import { Sparkline } from '../../components/plot/sparkline.tsx'
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
    { header: 'Last day', from: 'lg', cell: (row) => <LastDay day={row.lastDay} /> },
    {
      header: 'Success',
      from: 'sm',
      isNumber: true,
      cell: ({ lastDay }) => rateInWords(lastDay),
    },
    {
      header: 'Failed',
      from: 'sm',
      isNumber: true,
      cell: ({ lastDay }) => numberInWords(lastDay?.failed ?? 0),
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

type Day = Subscription['lastDay']

function LastDay({ day }: { day: Day }) {
  if (day === undefined) return null
  const { delivered, failed, hours } = day
  const label = `${numberInWords(delivered)} delivered and ${numberInWords(failed)} failed in the last day`
  return <Sparkline hours={hours} label={label} />
}

function rateInWords(day: Day): string {
  const rate = day?.successRate ?? null
  return rate === null ? '–' : `${rate} %`
}

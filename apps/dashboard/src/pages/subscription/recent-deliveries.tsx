import { PaperPlaneTiltIcon } from '@phosphor-icons/react'
import { Link } from 'react-router'
import { useQuery } from '../../api/client.ts'
import { useLive } from '../../api/use-live.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { useFilters } from '../../components/list/filter-bar.tsx'
import { DELIVERY_STATES, StateTabs } from '../../components/list/state-tabs.tsx'
import { SelectableDeliveries } from '../../components/send-again/selectable-deliveries.tsx'

const PAGE_ROWS = 20

/** The deliveries of one subscription, newest first, by state. */
export function RecentDeliveries({ id }: { id: string }) {
  const { values, query, set } = useFilters(['status'])
  const status = DELIVERY_STATES.find((state) => state === values.status)
  const { status: _, ...page } = query
  const params = { path: { id }, query: { limit: PAGE_ROWS, ...page, ...(status && { status }) } }
  const list = useQuery('get', '/api/v1/webhooks/{id}/logs', { params }, useLive())
  return (
    <section aria-label="Deliveries" className="flex min-w-0 flex-col gap-2">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-base font-semibold">Deliveries</h2>
        <span className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <Link to={`/deliveries?webhook=${id}`} className="text-sm text-kumo-link">
            By time, answer or text
          </Link>
          <StateTabs
            value={status ?? 'all'}
            onChange={(state) => set({ status: state === 'all' ? '' : state })}
          />
        </span>
      </div>
      <SelectableDeliveries
        query={list}
        isOfOneReceiver
        empty={
          <EmptyState
            icon={PaperPlaneTiltIcon}
            title={status === undefined ? 'Nothing was sent here yet' : 'No deliveries in this state'}
            description={
              status === undefined
                ? 'Deliveries appear as soon as an event matches this subscription.'
                : 'Choose another state to see the others.'
            }
          />
        }
      />
    </section>
  )
}

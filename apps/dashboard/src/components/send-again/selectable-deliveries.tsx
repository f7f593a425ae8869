import type { ReactNode } from 'react'
import { useMay } from '../../api/session.ts'
import { DeliveryTable, type ListedDelivery } from '../list/delivery-table.tsx'
import { List, type ListQuery } from '../list/list.tsx'
import { SelectionBar } from './selection-bar.tsx'
import { useSelection } from './use-selection.ts'

type SelectableDeliveriesProps = {
  query: ListQuery<ListedDelivery>
  /** Shown where the list has nothing. */
  empty: ReactNode
  isOfOneReceiver?: boolean
}

/** A list of deliveries of which some can be chosen and sent again, by those who may. */
export function SelectableDeliveries({ query, empty, isOfOneReceiver = false }: SelectableDeliveriesProps) {
  const { chosen, selection, clear } = useSelection(query.data?.data ?? [])
  const mayRetry = useMay('deliveries:retry')
  const own = mayRetry ? { selection } : {}
  return (
    <>
      <List query={query} empty={empty}>
        {(rows) => <DeliveryTable rows={rows} isOfOneReceiver={isOfOneReceiver} {...own} />}
      </List>
      {/* Beside the list: what is sent again leaves a list of those that have arrived, and its progress is to stay. */}
      {mayRetry && <SelectionBar chosen={chosen} onClear={clear} />}
    </>
  )
}

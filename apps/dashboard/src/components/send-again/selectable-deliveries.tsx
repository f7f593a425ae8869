import { useMay } from '../../api/session.ts'
import { DeliveryTable, type ListedDelivery } from '../list/delivery-table.tsx'
import { SelectionBar } from './selection-bar.tsx'
import { useSelection } from './use-selection.ts'

type SelectableDeliveriesProps = { rows: readonly ListedDelivery[]; isOfOneReceiver?: boolean }

/** Deliveries of which some can be chosen and sent again, by those who may. */
export function SelectableDeliveries({ rows, isOfOneReceiver = false }: SelectableDeliveriesProps) {
  const { chosen, selection, clear } = useSelection(rows)
  const mayRetry = useMay('deliveries:retry')
  if (!mayRetry) return <DeliveryTable rows={rows} isOfOneReceiver={isOfOneReceiver} />
  return (
    <>
      <DeliveryTable rows={rows} isOfOneReceiver={isOfOneReceiver} selection={selection} />
      <SelectionBar chosen={chosen} onClear={clear} />
    </>
  )
}

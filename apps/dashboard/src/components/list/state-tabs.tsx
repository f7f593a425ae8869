import { Segments } from './segments.tsx'

export const DELIVERY_STATES = ['pending', 'success', 'failed', 'skipped'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

const OPTIONS = [
  { value: 'all', label: 'All' },
  { value: 'pending', label: 'Waiting' },
  { value: 'success', label: 'Delivered' },
  { value: 'failed', label: 'Failed' },
  { value: 'skipped', label: 'Not sent' },
] as const

type StateTabsProps = { value: DeliveryState | 'all'; onChange: (state: DeliveryState | 'all') => void }

/** The choice of one state of deliveries, or all. */
export function StateTabs(props: StateTabsProps) {
  return <Segments legend="State" options={OPTIONS} {...props} />
}

export const DELIVERY_STATES = ['pending', 'success', 'failed', 'skipped'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

const LABELS = {
  all: 'All',
  pending: 'Waiting',
  success: 'Delivered',
  failed: 'Failed',
  skipped: 'Not sent',
} as const

type StateTabsProps = { value: DeliveryState | 'all'; onChange: (state: DeliveryState | 'all') => void }

/** The choice of one state of deliveries, or all. */
export function StateTabs({ value, onChange }: StateTabsProps) {
  return (
    <fieldset className="flex w-fit max-w-full flex-wrap gap-0.5 rounded-lg bg-kumo-recessed p-0.5 text-sm">
      <legend className="sr-only">State</legend>
      {(['all', ...DELIVERY_STATES] as const).map((state) => (
        <label
          key={state}
          className="cursor-pointer rounded-md px-2.5 py-1 text-kumo-subtle has-checked:bg-kumo-base has-checked:font-medium has-checked:text-kumo-default has-checked:ring has-checked:ring-kumo-line has-focus-visible:outline-2 has-focus-visible:outline-kumo-brand"
        >
          <input
            type="radio"
            name="state"
            className="sr-only"
            checked={value === state}
            onChange={() => onChange(state)}
          />
          {LABELS[state]}
        </label>
      ))}
    </fieldset>
  )
}

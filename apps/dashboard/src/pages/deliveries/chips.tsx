import { XIcon } from '@phosphor-icons/react'
import type { ListedDelivery } from '../../components/list/delivery-table.tsx'
import { withoutScheme } from '../../words/subscription.ts'
import type { Filters } from './filters.ts'

type ChipsProps = {
  values: Filters
  rows: readonly ListedDelivery[]
  onRemove: (name: 'webhook' | 'blocked' | 'waiting') => void
}

/** Filters that other pages have set, each with a way out of it. */
export function Chips({ values, rows, onRemove }: ChipsProps) {
  const shown = rows.find(({ webhookId }) => webhookId === values.webhook)
  const receiver = shown?.webhookName || withoutScheme(shown?.url ?? values.webhook ?? '')
  const chips = [
    { name: 'webhook', label: `To ${receiver}` },
    { name: 'blocked', label: 'Blocked ones only' },
    { name: 'waiting', label: 'Still to be tried' },
  ] as const
  const set = chips.filter(({ name }) => values[name] !== undefined)
  if (set.length === 0) return null
  return (
    <ul className="flex flex-wrap gap-2">
      {set.map(({ name, label }) => (
        <li key={name}>
          <button
            type="button"
            className="flex cursor-pointer items-center gap-2 rounded-full bg-kumo-base px-3 py-1 text-sm ring ring-kumo-line wrap-anywhere hover:bg-kumo-tint"
            onClick={() => onRemove(name)}
          >
            {label}
            <XIcon size={14} aria-label="Remove this filter" />
          </button>
        </li>
      ))}
    </ul>
  )
}

import { Button } from '@cloudflare/kumo/components/button'
import { ArrowClockwiseIcon } from '@phosphor-icons/react'
import { lazy, Suspense, useRef, useState } from 'react'
import { countOf } from '../../words/numbers.ts'
import type { ListedDelivery } from '../list/delivery-table.tsx'

const SendAgainDialog = lazy(async () => ({
  default: (await import('./send-again-dialog.tsx')).SendAgainDialog,
}))

type SelectionBarProps = { chosen: readonly ListedDelivery[]; onClear: () => void }

/** What can be done with the deliveries that are chosen. It stays in sight while the list is scrolled. */
export function SelectionBar({ chosen, onClear }: SelectionBarProps) {
  const [isOpen, setIsOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  const close = (isDone: boolean) => {
    setIsOpen(false)
    if (!isDone) return
    onClear()
    // The button that had the focus is gone with the selection: it goes to where the bar was.
    place.current?.focus()
  }
  return (
    <div ref={place} tabIndex={-1} className="sticky bottom-4 z-10 outline-none">
      {(chosen.length > 0 || isOpen) && (
        <div className="flex flex-wrap items-center justify-between gap-3 rounded-lg bg-kumo-base p-3 shadow-lg ring ring-kumo-line">
          <span aria-live="polite">{countOf(chosen.length, 'delivery', 'deliveries')} selected</span>
          <span className="flex gap-2">
            <Button variant="ghost" onClick={onClear}>
              Clear
            </Button>
            <Button variant="primary" icon={<ArrowClockwiseIcon />} onClick={() => setIsOpen(true)}>
              Send again
            </Button>
          </span>
        </div>
      )}
      {isOpen && (
        <Suspense>
          <SendAgainDialog deliveries={chosen} onClose={close} />
        </Suspense>
      )}
    </div>
  )
}

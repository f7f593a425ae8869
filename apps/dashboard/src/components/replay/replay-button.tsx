import { Button } from '@cloudflare/kumo/components/button'
import { ClockCounterClockwiseIcon } from '@phosphor-icons/react'
import { lazy, Suspense, useState } from 'react'
import { useMay } from '../../api/session.ts'
import type { ReplayDraft } from './replay-draft.ts'

const ReplayDialog = lazy(async () => ({ default: (await import('./replay-dialog.tsx')).ReplayDialog }))

type ReplayButtonProps = {
  subscription: { id: string; title: string }
  initial?: Partial<ReplayDraft>
  label?: string
}

/** Opens the dialog in which one asks for a replay to one subscription. */
export function ReplayButton({ subscription, initial, label = 'Replay' }: ReplayButtonProps) {
  const [isOpen, setIsOpen] = useState(false)
  if (!useMay('deliveries:retry')) return null
  return (
    <>
      <Button icon={<ClockCounterClockwiseIcon />} onClick={() => setIsOpen(true)}>
        {label}
      </Button>
      {isOpen && (
        <Suspense>
          <ReplayDialog
            subscription={subscription}
            {...(initial && { initial })}
            onClose={() => setIsOpen(false)}
          />
        </Suspense>
      )}
    </>
  )
}

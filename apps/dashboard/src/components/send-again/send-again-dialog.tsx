import { Button } from '@cloudflare/kumo/components/button'
import { Dialog, DialogDescription, DialogRoot, DialogTitle } from '@cloudflare/kumo/components/dialog'
import { useState } from 'react'
import { queryClient } from '../../api/client.ts'
import { messageOf } from '../../api/problem.ts'
import { countOf } from '../../words/numbers.ts'
import { withoutScheme } from '../../words/subscription.ts'
import type { ListedDelivery } from '../list/delivery-table.tsx'
import { hasArrived, sendAgain } from './send-again.ts'

type SendAgainDialogProps = { deliveries: readonly ListedDelivery[]; onClose: (isDone: boolean) => void }

type Refusal = { delivery: ListedDelivery; message: string }
type Progress = { done: number; refused: readonly Refusal[] }

/** Says what is sent again, does it one after the other, and names those that cannot be. */
export function SendAgainDialog({ deliveries, onClose }: SendAgainDialogProps) {
  // Those that were chosen when it was opened: the list behind goes on.
  const [asked] = useState(deliveries)
  const [progress, setProgress] = useState<Progress | null>(null)
  const isDone = progress?.done === asked.length
  const send = async () => {
    const refused: Refusal[] = []
    setProgress({ done: 0, refused })
    for (const [n, delivery] of asked.entries()) {
      await sendAgain(delivery).catch((error: unknown) =>
        refused.push({ delivery, message: messageOf(error) }),
      )
      setProgress({ done: n + 1, refused: [...refused] })
    }
    await queryClient.invalidateQueries()
  }
  const count = countOf(asked.length, 'delivery', 'deliveries')
  return (
    <DialogRoot open onOpenChange={(open: boolean) => !open && onClose(isDone)}>
      <Dialog size="lg" className="flex max-h-[90dvh] flex-col gap-4 overflow-y-auto p-6">
        <DialogTitle className="text-lg font-semibold">Send {count} again?</DialogTitle>
        <DialogDescription className="text-kumo-subtle">{whatHappens(asked)}</DialogDescription>
        <div aria-live="polite" className="flex flex-col gap-2">
          {progress !== null && <Shown progress={progress} all={asked.length} />}
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={() => onClose(isDone)}>{isDone ? 'Close' : 'Cancel'}</Button>
          {!isDone && (
            <Button variant="primary" loading={progress !== null} onClick={() => void send()}>
              Send {asked.length} again
            </Button>
          )}
        </div>
      </Dialog>
    </DialogRoot>
  )
}

function whatHappens(deliveries: readonly ListedDelivery[]): string {
  const arrived = deliveries.filter(hasArrived).length
  const others = deliveries.length - arrived
  const parts = [
    others > 0 && `${countOf(others, 'delivery is', 'deliveries are')} tried once more now.`,
    arrived > 0 &&
      `${countOf(arrived, 'delivery', 'deliveries')} had arrived, and the receiver gets ${arrived === 1 ? 'it' : 'them'} a second time, as the subscription is set now.`,
  ]
  return parts.filter(Boolean).join(' ')
}

function Shown({ progress: { done, refused }, all }: { progress: Progress; all: number }) {
  return (
    <>
      <progress aria-label="Sent so far" className="h-2 w-full" max={all} value={done} />
      <p>
        {done - refused.length} of {all} sent again{refused.length > 0 && `, ${refused.length} refused`}.
      </p>
      {refused.length > 0 && (
        <ul className="flex max-h-48 flex-col gap-1 overflow-y-auto text-sm wrap-anywhere">
          {refused.map(({ delivery, message }) => (
            <li key={delivery.id}>
              {delivery.event} to {delivery.webhookName || withoutScheme(delivery.url)}: {message}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

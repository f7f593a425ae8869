import { Button } from '@cloudflare/kumo/components/button'
import { ArrowClockwiseIcon, ClockCounterClockwiseIcon } from '@phosphor-icons/react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { queryClient } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useNotices } from '../../components/notices.tsx'
import { hasArrived, sendAgain } from '../../components/send-again/send-again.ts'

/** Asks for an attempt now, of a delivery that failed or waits; makes one that has arrived once more, after asking. */
export function RetryButton({ delivery }: { delivery: Schemas['Delivery'] }) {
  const mayRetry = useMay('deliveries:retry')
  if (!mayRetry) return null
  return hasArrived(delivery) ? <Replay delivery={delivery} /> : <Retry delivery={delivery} />
}

function Retry({ delivery }: { delivery: Schemas['Delivery'] }) {
  const notices = useNotices()
  const retry = useMutation({
    mutationFn: () => sendAgain(delivery),
    onSuccess: () => {
      notices.done('An attempt is made now')
      return queryClient.invalidateQueries()
    },
    onError: (error: unknown) => notices.failed('This was not retried', error),
  })
  return (
    <Button size="sm" icon={<ArrowClockwiseIcon />} loading={retry.isPending} onClick={() => retry.mutate()}>
      Retry now
    </Button>
  )
}

function Replay({ delivery }: { delivery: Schemas['Delivery'] }) {
  const [isAsking, setIsAsking] = useState(false)
  const notices = useNotices()
  const replay = async () => {
    await sendAgain(delivery)
    notices.done('It is sent again')
    await queryClient.invalidateQueries()
  }
  return (
    <>
      <Button size="sm" icon={<ClockCounterClockwiseIcon />} onClick={() => setIsAsking(true)}>
        Replay
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="Send this delivery again?"
        description="The receiver has had it, and gets it a second time under the same event id, as the subscription is set now."
        verb="Send again"
        onConfirm={replay}
      />
    </>
  )
}

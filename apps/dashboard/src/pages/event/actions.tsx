import { Button } from '@cloudflare/kumo/components/button'
import { ClockCounterClockwiseIcon, ProhibitIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, queryClient } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useNotices } from '../../components/notices.tsx'

/** What can be done with a whole event: send it to all its subscriptions once more, or end what waits. */
export function Actions({ id, isOver }: { id: string /** Cancelled or erased. */; isOver: boolean }) {
  const [asking, setAsking] = useState<'replay' | 'cancel' | null>(null)
  const mayReplay = useMay('deliveries:retry')
  const mayCancel = useMay('events:publish')
  const navigate = useNavigate()
  const notices = useNotices()
  const params = { path: { id } }
  const replay = async () => {
    const { data } = await api.POST('/api/v1/events/{id}/replay', { params })
    if (data !== undefined) await navigate(`/replays/${data.data.id}`)
  }
  const cancel = async () => {
    const { data } = await api.POST('/api/v1/events/{id}/cancel', { params })
    notices.done(`Cancelled: ${data?.data.cancelledDeliveries ?? 0} waited to be sent`)
    await queryClient.invalidateQueries()
  }
  if (isOver) return null
  return (
    <>
      {mayReplay && (
        <Button icon={<ClockCounterClockwiseIcon />} onClick={() => setAsking('replay')}>
          Replay to all
        </Button>
      )}
      {mayCancel && (
        <Button variant="secondary-destructive" icon={<ProhibitIcon />} onClick={() => setAsking('cancel')}>
          Cancel
        </Button>
      )}
      <ConfirmDialog
        isOpen={asking === 'replay'}
        onClose={() => setAsking(null)}
        title="Send this event to all its receivers again?"
        description="Those that have had it get it a second time under the same id. Each is sent what its subscription makes of it now."
        verb="Replay"
        onConfirm={replay}
      />
      <ConfirmDialog
        isOpen={asking === 'cancel'}
        onClose={() => setAsking(null)}
        title="Cancel this event?"
        description="What still waits to be sent is not sent. What has arrived stays where it is. This cannot be undone."
        verb="Cancel the event"
        isDestructive
        onConfirm={cancel}
      />
    </>
  )
}

import { Button } from '@cloudflare/kumo/components/button'
import { ClockCounterClockwiseIcon, EraserIcon, ProhibitIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, queryClient } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useNotices } from '../../components/notices.tsx'

/** What can be done with a whole event: send it to all its subscriptions once more, end what waits, erase its content. */
export function Actions({ id, event }: { id: string; event: Schemas['Event'] }) {
  const [asking, setAsking] = useState<'replay' | 'cancel' | 'erase' | null>(null)
  const mayReplay = useMay('deliveries:retry')
  const mayCancel = useMay('events:publish')
  const mayErase = useMay('workspace:admin')
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
  const erase = async () => {
    await api.DELETE('/api/v1/events/{id}', { params })
    notices.done('Erased: its type, times and statuses stay')
    await queryClient.invalidateQueries()
  }
  if (event.erasedAt !== null) return null
  const isCancelled = event.cancelledAt !== null
  return (
    <>
      {mayReplay && !isCancelled && (
        <Button icon={<ClockCounterClockwiseIcon />} onClick={() => setAsking('replay')}>
          Replay to all
        </Button>
      )}
      {mayCancel && !isCancelled && (
        <Button variant="secondary-destructive" icon={<ProhibitIcon />} onClick={() => setAsking('cancel')}>
          Cancel
        </Button>
      )}
      {mayErase && (
        <Button variant="secondary-destructive" icon={<EraserIcon />} onClick={() => setAsking('erase')}>
          Erase
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
      <ConfirmDialog
        isOpen={asking === 'erase'}
        onClose={() => setAsking(null)}
        title="Erase the content of this event?"
        description="Its payload, what was kept of it for retries, and the answers to it are removed; what still waits is not sent. Its type, times and statuses stay. This cannot be undone."
        verb="Erase the content"
        isDestructive
        onConfirm={erase}
      />
    </>
  )
}

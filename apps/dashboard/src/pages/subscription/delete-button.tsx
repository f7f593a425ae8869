import { Button } from '@cloudflare/kumo/components/button'
import { TrashIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, queryClient } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useNotices } from '../../components/notices.tsx'

/** Deletes a subscription, after having said what becomes of it. */
export function DeleteButton({ id, title }: { id: string; title: string }) {
  const [isAsking, setIsAsking] = useState(false)
  const notices = useNotices()
  const navigate = useNavigate()
  const remove = async () => {
    await api.DELETE('/api/v1/webhooks/{id}', { params: { path: { id } } })
    // What is looked at is gone: it is left, not read again.
    await queryClient.invalidateQueries({ refetchType: 'none' })
    notices.done('Deleted', title)
    await navigate('/subscriptions')
  }
  if (!useMay('webhooks:write')) return null
  return (
    <>
      <Button variant="secondary-destructive" icon={<TrashIcon />} onClick={() => setIsAsking(true)}>
        Delete
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={`Delete ${title}?`}
        description="Nothing is sent to it any more: what waits is not delivered, and its secret is wiped. What was delivered stays in the log. This cannot be undone; to stop for a while, pause or disable it."
        verb="Delete"
        isDestructive
        onConfirm={remove}
      />
    </>
  )
}

import { Button } from '@cloudflare/kumo/components/button'
import { ProhibitIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { api, queryClient } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'

/** Ends a replay that runs. */
export function CancelButton({ id }: { id: string }) {
  const [isAsking, setIsAsking] = useState(false)
  const cancel = async () => {
    await api.POST('/api/v1/replays/{id}/cancel', { params: { path: { id } } })
    await queryClient.invalidateQueries()
  }
  if (!useMay('deliveries:retry')) return null
  return (
    <>
      <Button variant="secondary-destructive" icon={<ProhibitIcon />} onClick={() => setIsAsking(true)}>
        Cancel the replay
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="Cancel this replay?"
        description="Nothing more is taken up. What it has made due already is delivered all the same."
        verb="Cancel the replay"
        isDestructive
        onConfirm={cancel}
      />
    </>
  )
}

import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import { queryClient, useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useNotices } from '../../components/notices.tsx'

type KeyActionsProps = { apiKey: Schemas['ApiKey']; onShow: (key: Schemas['ShownApiKey']) => void }

/** Gives a key another secret, or ends it; each asks once. */
export function KeyActions({ apiKey: { id, name }, onShow }: KeyActionsProps) {
  const notices = useNotices()
  const [asked, setAsked] = useState<'rotate' | 'revoke' | null>(null)
  const close = () => setAsked(null)
  const rotate = useMutation('post', '/api/v1/keys/{id}/rotate')
  const revoke = useMutation('delete', '/api/v1/keys/{id}')
  const path = { params: { path: { id } } }
  const rotateNow = async () => {
    const { data } = await rotate.mutateAsync({ ...path, body: {} })
    onShow(data)
    await queryClient.invalidateQueries()
  }
  const revokeNow = async () => {
    await revoke.mutateAsync(path)
    notices.done('Revoked', name)
    await queryClient.invalidateQueries()
  }
  return (
    <div className="flex flex-wrap gap-2">
      <Button size="sm" aria-label={`Rotate ${name}`} onClick={() => setAsked('rotate')}>
        Rotate
      </Button>
      <Button
        size="sm"
        variant="secondary-destructive"
        aria-label={`Revoke ${name}`}
        onClick={() => setAsked('revoke')}
      >
        Revoke
      </Button>
      <ConfirmDialog
        isOpen={asked === 'rotate'}
        onClose={close}
        title={`Rotate the key of ${name}?`}
        description="It gets another secret, which is shown once. The one before is valid for a day more."
        verb="Rotate"
        onConfirm={rotateNow}
      />
      <ConfirmDialog
        isOpen={asked === 'revoke'}
        onClose={close}
        title={`Revoke the key of ${name}?`}
        description="No call by it is accepted from then on. This cannot be undone."
        verb="Revoke"
        isDestructive
        onConfirm={revokeNow}
      />
    </div>
  )
}

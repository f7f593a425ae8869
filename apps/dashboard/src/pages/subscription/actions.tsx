import { Button } from '@cloudflare/kumo/components/button'
import { PauseIcon, PlayIcon, PowerIcon, ProhibitIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { queryClient, useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { useNotices } from '../../components/notices.tsx'

/** The switches of a subscription, those that make sense in its state. */
export function Actions({ subscription }: { subscription: Schemas['Subscription'] }) {
  const { active, pausedAt } = subscription
  const notices = useNotices()
  const [isAsking, setIsAsking] = useState(false)
  const path = { params: { path: { id: subscription.id } } }
  const after = (title: string) => ({
    onSuccess: () => {
      notices.done(title)
      return queryClient.invalidateQueries()
    },
    onError: (error: unknown) => notices.failed('This was not done', error),
  })
  const pause = useMutation('post', '/api/v1/webhooks/{id}/pause', after('Paused'))
  const resume = useMutation('post', '/api/v1/webhooks/{id}/resume', after('Resumed'))
  const enable = useMutation('post', '/api/v1/webhooks/{id}/enable', after('Enabled'))
  const disable = useMutation('post', '/api/v1/webhooks/{id}/disable', {
    onSuccess: after('Disabled').onSuccess,
  })
  if (!useMay('webhooks:write')) return null
  if (!active)
    return (
      <>
        <LinkButton to={`/subscriptions/${subscription.id}/edit`}>Edit</LinkButton>
        <Button
          variant="primary"
          icon={<PowerIcon />}
          loading={enable.isPending}
          onClick={() => enable.mutate(path)}
        >
          Enable
        </Button>
      </>
    )
  return (
    <>
      <LinkButton to={`/subscriptions/${subscription.id}/edit`}>Edit</LinkButton>
      {pausedAt === null ? (
        <Button icon={<PauseIcon />} loading={pause.isPending} onClick={() => pause.mutate(path)}>
          Pause
        </Button>
      ) : (
        <Button
          variant="primary"
          icon={<PlayIcon />}
          loading={resume.isPending}
          onClick={() => resume.mutate(path)}
        >
          Resume
        </Button>
      )}
      <Button variant="secondary-destructive" icon={<ProhibitIcon />} onClick={() => setIsAsking(true)}>
        Disable
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="Disable this subscription?"
        description="Nothing is sent any more: what waits is not delivered, and events that come meanwhile are not kept for it. To hold events back and send them later, pause it instead."
        verb="Disable"
        isDestructive
        onConfirm={() => disable.mutateAsync(path)}
      />
    </>
  )
}

import { Button } from '@cloudflare/kumo/components/button'
import { StackIcon } from '@phosphor-icons/react'
import { queryClient, useMutation } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { useNotices } from '../../components/notices.tsx'

/** Sends what waits for its batch without waiting any longer. */
export function FlushButton({ id }: { id: string }) {
  const notices = useNotices()
  const flush = useMutation('post', '/api/v1/webhooks/{id}/flush', {
    onSuccess: () => {
      notices.done('What waited for its batch is being sent')
      return queryClient.invalidateQueries()
    },
    onError: (error: unknown) => notices.failed('This was not done', error),
  })
  if (!useMay('deliveries:retry')) return null
  return (
    <Button
      icon={<StackIcon />}
      loading={flush.isPending}
      onClick={() => flush.mutate({ params: { path: { id } } })}
    >
      Send the batch now
    </Button>
  )
}

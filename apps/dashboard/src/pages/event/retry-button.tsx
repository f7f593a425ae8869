import { Button } from '@cloudflare/kumo/components/button'
import { ArrowClockwiseIcon } from '@phosphor-icons/react'
import { queryClient, useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { useNotices } from '../../components/notices.tsx'

/** Asks for an attempt now, of a delivery that failed or waits. */
export function RetryButton({ delivery }: { delivery: Schemas['Delivery'] }) {
  const notices = useNotices()
  const mayRetry = useMay('deliveries:retry')
  const retry = useMutation('post', '/api/v1/deliveries/{id}/retry', {
    onSuccess: () => {
      notices.done('An attempt is made now')
      return queryClient.invalidateQueries()
    },
    onError: (error: unknown) => notices.failed('This was not retried', error),
  })
  if (!mayRetry || delivery.status === 'success' || delivery.status === 'skipped') return null
  return (
    <Button
      size="sm"
      icon={<ArrowClockwiseIcon />}
      loading={retry.isPending}
      onClick={() => retry.mutate({ params: { path: { id: delivery.id } } })}
    >
      Retry now
    </Button>
  )
}

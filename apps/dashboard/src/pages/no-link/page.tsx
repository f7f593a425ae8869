import { LinkBreakIcon } from '@phosphor-icons/react'
import { useEffect } from 'react'
import { endOfSession } from '../../api/client.ts'
import { EmptyState } from '../../components/empty-state.tsx'

/** Tells a customer why their link opens nothing any more. */
export function NoLink() {
  useEffect(() => {
    document.title = 'Webhooks'
  }, [])
  return (
    <main className="flex min-h-dvh items-center justify-center bg-kumo-canvas p-4 text-kumo-default">
      <h1 className="sr-only">Webhooks</h1>
      <EmptyState
        icon={LinkBreakIcon}
        title="Your link is not open"
        description={endOfSession() ?? 'Open it again, or ask for a new one where you got it.'}
      />
    </main>
  )
}

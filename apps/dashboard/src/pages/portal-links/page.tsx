import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import { useMutation } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useNotices } from '../../components/notices.tsx'
import { Page as Frame } from '../../components/page.tsx'
import { ShownOnce } from '../../components/shown-once.tsx'
import { fullTime } from '../../words/time.ts'
import { NewLink } from './new-link.tsx'

/** Links by which customers look after their own subscriptions. None is stored: they can be ended together only. */
export function Page() {
  const [made, setMade] = useState<Schemas['PortalToken'] | null>(null)
  return (
    <Frame
      title="Portal links"
      lead="Let a customer look after their own subscriptions, for a time."
      actions={<EndAll onEnd={() => setMade(null)} />}
    >
      {made !== null && (
        <ShownOnce
          title="The link is ready"
          description={`Copy it now: it is shown this once. Who has it may use it until ${fullTime(made.expiresAt)}.`}
          text={made.url}
          copyLabel="Copy the link"
        />
      )}
      <NewLink onMade={setMade} />
    </Frame>
  )
}

function EndAll({ onEnd }: { onEnd: () => void }) {
  const notices = useNotices()
  const [isAsking, setIsAsking] = useState(false)
  const end = useMutation('delete', '/api/v1/portal-tokens')
  const endNow = async () => {
    await end.mutateAsync({})
    onEnd()
    notices.done('All links have ended')
  }
  return (
    <>
      <Button variant="secondary-destructive" onClick={() => setIsAsking(true)}>
        End all links
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="End all links of this workspace?"
        description="Every customer who looks at the portal is shown out at once, and needs a new link. This cannot be undone."
        verb="End them"
        isDestructive
        onConfirm={endNow}
      />
    </>
  )
}

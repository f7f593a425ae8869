import { Button } from '@cloudflare/kumo/components/button'
import { ArrowsClockwiseIcon, EyeIcon, EyeSlashIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { api, queryClient } from '../../api/client.ts'
import type { Schemas } from '../../api/schemas.ts'
import { useMay } from '../../api/session.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { CopyButton } from '../../components/json/json-view.tsx'
import { useNotices } from '../../components/notices.tsx'
import { Section } from '../../components/section.tsx'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { Time } from '../../components/time.tsx'

/** How long the secret before a rotation may stay valid, in seconds. */
const OVERLAPS = [
  { value: '86400', label: '1 day' },
  { value: '604800', label: '7 days' },
  { value: '3600', label: '1 hour' },
  { value: '0', label: 'No time' },
] as const

type Shown = { secret: string | null; onShow: (secret: string | null) => void }

/** The signing secret: shown on demand, which is audited, and rotated. */
export function Secret({ subscription }: { subscription: Schemas['Subscription'] }) {
  const [secret, onShow] = useState<string | null>(null)
  const { id, previousSecretValidUntil } = subscription
  if (!useMay('webhooks:secret')) return null
  return (
    <Section title="Signing secret">
      <div className="flex flex-col gap-4">
        <Reveal {...{ id, secret, onShow }} />
        {previousSecretValidUntil !== undefined && (
          <p>
            The secret before this one is valid too, and signs beside it, until{' '}
            <Time at={previousSecretValidUntil} />.
          </p>
        )}
        <Rotate {...{ id, onShow }} />
      </div>
    </Section>
  )
}

function Reveal({ id, secret, onShow }: Shown & { id: string }) {
  const notices = useNotices()
  const reveal = async () => {
    try {
      const { data } = await api.GET('/api/v1/webhooks/{id}/secret', { params: { path: { id } } })
      onShow(data?.data.secret ?? null)
    } catch (error) {
      notices.failed('The secret cannot be shown', error)
    }
  }
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      <code className="wrap-anywhere">{secret ?? '••••••••••••'}</code>
      {secret !== null && <CopyButton text={secret} label="Copy the secret" />}
      <Button
        size="sm"
        icon={secret === null ? <EyeIcon /> : <EyeSlashIcon />}
        onClick={() => (secret === null ? void reveal() : onShow(null))}
      >
        {secret === null ? 'Show the secret' : 'Hide the secret'}
      </Button>
    </div>
  )
}

/** Makes a new secret; the one before is valid beside it for as long as the receiver needs. */
function Rotate({ id, onShow }: Pick<Shown, 'onShow'> & { id: string }) {
  const [overlap, setOverlap] = useState<string>(OVERLAPS[0].value)
  const [isAsking, setIsAsking] = useState(false)
  const notices = useNotices()
  const rotate = async () => {
    const { data } = await api.POST('/api/v1/webhooks/{id}/rotate-secret', {
      params: { path: { id } },
      body: { overlapSeconds: Number(overlap) },
    })
    onShow(data?.data.secret ?? null)
    notices.done('Rotated', 'Give the new secret to the receiver.')
    await queryClient.invalidateQueries()
  }
  const length = OVERLAPS.find(({ value }) => value === overlap)?.label ?? ''
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Choice
        label="The old secret stays valid for"
        name="overlap"
        value={overlap}
        onChange={setOverlap}
        options={OVERLAPS}
      />
      <Button icon={<ArrowsClockwiseIcon />} onClick={() => setIsAsking(true)}>
        Rotate
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title="Rotate the secret?"
        description={
          overlap === '0'
            ? 'The old secret signs nothing from now on: a receiver that does not have the new one refuses every request.'
            : `A new secret is made. For ${length} each request is signed with both, so that the receiver can change over; then the old one ends.`
        }
        verb="Rotate"
        isDestructive={overlap === '0'}
        onConfirm={rotate}
      />
    </div>
  )
}

import { Button } from '@cloudflare/kumo/components/button'
import { Dialog, DialogDescription, DialogRoot, DialogTitle } from '@cloudflare/kumo/components/dialog'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api } from '../../api/client.ts'
import { atLeast, countOf } from '../../words/numbers.ts'
import { Problem } from '../problem.tsx'
import { NEW_REPLAY, type ReplayDraft, requestOf } from './replay-draft.ts'
import { ReplayFields } from './replay-fields.tsx'
import { useReplayCount } from './use-replay-count.ts'

type ReplayDialogProps = {
  subscription: { id: string; title: string }
  /** What is asked for at first. */
  initial?: Partial<ReplayDraft>
  onClose: () => void
}

/** Asks what a subscription is to be sent again, says how much that is, and starts it. */
export function ReplayDialog({ subscription, initial, onClose }: ReplayDialogProps) {
  const { id, title } = subscription
  const [draft, setDraft] = useState<ReplayDraft>({ ...NEW_REPLAY, ...initial })
  const request = requestOf(draft)
  const counted = useReplayCount(id, request)
  const navigate = useNavigate()
  const start = useMutation({
    mutationFn: async () =>
      await api.POST('/api/v1/webhooks/{id}/replay', { params: { path: { id } }, body: request }),
    onSuccess: async ({ data }) => {
      if (data === undefined || !('id' in data.data)) return
      await navigate(`/replays/${data.data.id}?of=${counted.data?.count ?? ''}`)
    },
  })
  const error = start.error ?? counted.error
  const count = counted.data?.count ?? 0
  return (
    <DialogRoot open onOpenChange={(open: boolean) => !open && onClose()}>
      <Dialog size="lg" className="flex max-h-[90dvh] flex-col gap-4 overflow-y-auto p-6">
        <DialogTitle className="text-lg font-semibold">Replay to {title}</DialogTitle>
        <DialogDescription className="text-kumo-subtle">
          Past events are sent once more, as the subscription is set now. Receivers know a repetition by the
          event’s id.
        </DialogDescription>
        <ReplayFields draft={draft} onChange={(changes) => setDraft({ ...draft, ...changes })} />
        <div aria-live="polite" className="rounded-lg bg-kumo-recessed p-3">
          {error !== null ? (
            <Problem error={error} />
          ) : counted.data === undefined ? (
            'Counting …'
          ) : (
            <>
              <strong>{countInWords(counted.data)}</strong>
              {count === 0 ? ' match: there is nothing to send again.' : ' would be sent again.'}
            </>
          )}
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            disabled={count === 0}
            loading={start.isPending}
            onClick={() => start.mutate()}
          >
            {count === 0 ? 'Replay' : `Replay ${atLeast(toCount(counted.data))}`}
          </Button>
        </div>
      </Dialog>
    </DialogRoot>
  )
}

type Counted = { count: number; countIsMinimum?: boolean }

function toCount(counted: Counted | undefined) {
  return { count: counted?.count ?? 0, isMinimum: counted?.countIsMinimum === true }
}

function countInWords(counted: Counted): string {
  const { count, countIsMinimum = false } = counted
  return `${countIsMinimum ? 'At least ' : ''}${countOf(count, 'delivery', 'deliveries')}`
}

import { useState } from 'react'
import type { ListedDelivery } from '../../components/list/delivery-table.tsx'
import { ReplayButton } from '../../components/replay/replay-button.tsx'
import type { ReplayDraft } from '../../components/replay/replay-draft.ts'
import { Choice } from '../../components/subscription-form/choice.tsx'
import { withoutScheme } from '../../words/subscription.ts'

type ReplayAllProps = { rows: readonly ListedDelivery[]; initial: Partial<ReplayDraft> }

/** Sends again all that the filters let pass, page or no page: to one of the receivers that are shown. */
export function ReplayAll({ rows, initial }: ReplayAllProps) {
  const receivers = [...new Map(rows.map((row) => [row.webhookId, row])).values()].map((row) => ({
    value: row.webhookId,
    label: row.webhookName || withoutScheme(row.url),
  }))
  const [chosen, setChosen] = useState('')
  const receiver = receivers.find(({ value }) => value === chosen) ?? receivers[0]
  if (receiver === undefined) return null
  return (
    <div className="flex flex-wrap items-end gap-3">
      {receivers.length > 1 && (
        <Choice
          label="Replay all that match to"
          name="receiver"
          value={receiver.value}
          options={receivers}
          onChange={setChosen}
        />
      )}
      <ReplayButton
        key={receiver.value}
        subscription={{ id: receiver.value, title: receiver.label }}
        initial={initial}
        label={receivers.length > 1 ? 'Replay' : `Replay all that match to ${receiver.label}`}
      />
    </div>
  )
}

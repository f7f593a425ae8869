import { Input } from '@cloudflare/kumo/components/input'
import { REPLAYED_STATES, type ReplayedState } from '../../words/replay.ts'
import type { ReplayDraft } from './replay-draft.ts'

type ReplayFieldsProps = { draft: ReplayDraft; onChange: (changes: Partial<ReplayDraft>) => void }

/** What is to be sent again, and how fast. */
export function ReplayFields({ draft, onChange }: ReplayFieldsProps) {
  const field = (name: 'events' | 'dateFrom' | 'dateTo' | 'ratePerSecond', label: string) => ({
    ...{ label, name, value: draft[name], className: 'w-full min-w-0' },
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
  })
  return (
    <>
      <States states={draft.states} onChange={(states) => onChange({ states })} />
      <div className="grid gap-3 sm:grid-cols-2">
        <Input {...field('dateFrom', 'Accepted from')} type="date" />
        <Input {...field('dateTo', 'Accepted until')} type="date" />
        <Input {...field('events', 'Event types')} placeholder="all, or invoice.*, order.paid" />
        <Input
          {...field('ratePerSecond', 'At most, per second')}
          inputMode="numeric"
          placeholder="no limit"
        />
      </div>
      <label className="flex cursor-pointer items-baseline gap-2">
        <input
          type="checkbox"
          checked={draft.backfill}
          onChange={(event) => onChange({ backfill: event.target.checked })}
        />
        <span>
          Also events that it wants now, and was never owed
          <span className="block text-sm text-kumo-subtle">
            Such as those from before the subscription was made.
          </span>
        </span>
      </label>
    </>
  )
}

type StatesProps = { states: readonly ReplayedState[]; onChange: (states: ReplayedState[]) => void }

function States({ states, onChange }: StatesProps) {
  const all = Object.keys(REPLAYED_STATES) as ReplayedState[]
  const toggle = (state: ReplayedState) =>
    onChange(all.filter((each) => states.includes(each) !== (each === state)))
  return (
    <fieldset className="flex flex-wrap gap-x-4 gap-y-1">
      <legend className="mb-1 font-medium">Deliveries that were</legend>
      {all.map((state) => (
        <label key={state} className="flex cursor-pointer items-center gap-2">
          <input type="checkbox" checked={states.includes(state)} onChange={() => toggle(state)} />
          {REPLAYED_STATES[state]}
        </label>
      ))}
    </fieldset>
  )
}

import { InputArea } from '@cloudflare/kumo/components/input'
import { useState } from 'react'
import { api, useQuery } from '../../api/client.ts'
import { useMay } from '../../api/session.ts'
import { timeOfDay } from '../../words/time.ts'
import { useNow } from '../time.tsx'
import { Choice } from './choice.tsx'

const RECENT_MAX = 20
const EXAMPLE = { value: '', label: 'The example of its type' }
const OWN = { value: 'own', label: 'As written below' }

type SampleProps = { text: string; error: string | undefined; onChange: (text: string) => void }

/** The event that a preview is of: an example, a recent one, or one that is pasted. */
export function Sample({ text, error, onChange }: SampleProps) {
  const [chosen, setChosen] = useState('')
  const now = useNow()
  const mayRead = useMay('events:read')
  const { data } = useQuery(
    'get',
    '/api/v1/events',
    { params: { query: { limit: RECENT_MAX } } },
    { enabled: mayRead },
  )
  const recent = (data?.data ?? []).map(({ id, event, acceptedAt }) => ({
    value: id,
    label: `${event}, ${timeOfDay(acceptedAt, now)}`,
  }))
  const choose = async (id: string) => {
    setChosen(id)
    if (id === OWN.value) return
    onChange(id === '' ? '' : await payloadOf(id))
  }
  return (
    <div className="flex flex-col gap-4">
      <Choice
        label="Sample event"
        name="sample"
        value={chosen}
        onChange={(id) => void choose(id)}
        options={[EXAMPLE, ...recent, OWN]}
      />
      <InputArea
        label="Event as JSON"
        rows={4}
        spellCheck={false}
        className="font-mono text-sm"
        placeholder='{"event": "invoice.paid", "data": {"object": {"total": 12.5}}}'
        value={text}
        onChange={(event) => {
          setChosen(event.target.value === '' ? '' : OWN.value)
          onChange(event.target.value)
        }}
        {...(error !== undefined && { error })}
      />
    </div>
  )
}

/** The text of an event, no number of it changed; nothing where it is not kept any more. */
async function payloadOf(id: string): Promise<string> {
  const { data } = await api.GET('/api/v1/events/{id}', { params: { path: { id } } })
  return data?.data.payload ?? ''
}

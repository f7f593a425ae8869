import { Button } from '@cloudflare/kumo/components/button'
import { InputArea } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import { api, queryClient } from '../../api/client.ts'
import type { EventType } from '../../api/event-type.ts'
import { useMay } from '../../api/session.ts'
import { indentJson } from '../../components/json/indent-json.ts'
import { useNotices } from '../../components/notices.tsx'
import { Problem } from '../../components/problem.tsx'
import { Section } from '../../components/section.tsx'
import { readJson } from '../../components/subscription-form/text-values.ts'
import { countOf } from '../../words/numbers.ts'

type PublishFormProps = { type: string; known: EventType | null }

/** The data of an event, sent as the text that it is, no number of it changed. */
export function PublishForm({ type, known }: PublishFormProps) {
  const notices = useNotices()
  const navigate = useNavigate()
  const mayReadEvents = useMay('events:read')
  const [data, setData] = useState(() => exampleOf(known))
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({ isBusy: false, error: null })
  const read = readJson(data)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (read.kind === 'refused') return
    setState({ isBusy: true, error: null })
    try {
      const { id, matched, warnings } = await publish(type, data)
      const receivers =
        matched === 0 ? 'No subscription wants it.' : `To ${countOf(matched, 'subscription')}.`
      notices.done('Published', [receivers, ...warnings].join(' '))
      await queryClient.invalidateQueries()
      if (mayReadEvents) await navigate(`/events/${encodeURIComponent(id)}`)
      else setState({ isBusy: false, error: null })
    } catch (error) {
      setState({ isBusy: false, error })
    }
  }
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4" noValidate>
      <Section title="Data">
        <InputArea
          label="Data of the event as JSON"
          rows={14}
          className="font-mono text-sm"
          spellCheck={false}
          description={sourceOf(known)}
          value={data}
          onChange={(event) => setData(event.target.value)}
          {...(read.kind === 'refused' && { error: read.message, 'aria-invalid': true })}
        />
      </Section>
      {state.error !== null && <Problem error={state.error} />}
      <div className="flex justify-end">
        <Button type="submit" variant="primary" loading={state.isBusy} disabled={read.kind === 'refused'}>
          Publish {type}
        </Button>
      </div>
    </form>
  )
}

function sourceOf(known: EventType | null): string {
  if (known === null) return 'The catalogue does not know this type.'
  return known.example === null
    ? 'The catalogue has no example of this type.'
    : 'It begins as the example of the catalogue.'
}

function exampleOf(known: EventType | null): string {
  const text = JSON.stringify(known?.example ?? { object: { id: 'test_1' } })
  return indentJson(text) ?? text
}

type Accepted = { id: string; matched: number; warnings: readonly string[] }

async function publish(type: string, data: string): Promise<Accepted> {
  const { data: answer } = await api.POST('/api/v1/events', {
    body: { event: type, data: {} },
    bodySerializer: () => `{"event":${JSON.stringify(type)},"data":${data}}`,
  })
  if (answer === undefined || 'events' in answer.data) throw new Error('The relay gave no event.')
  const { id, matched, warnings = [] } = answer.data
  return { id, matched, warnings }
}

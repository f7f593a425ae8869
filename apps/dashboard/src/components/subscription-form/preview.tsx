import { useQuery as useRead } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem } from '../../api/problem.ts'
import type { Schemas } from '../../api/schemas.ts'
import { Problem } from '../problem.tsx'
import { Section } from '../section.tsx'
import type { Draft } from './draft.ts'
import { PreviewAnswer } from './preview-answer.tsx'
import { readDraft, type Settings } from './read-draft.ts'
import { Sample } from './sample.tsx'
import { readJson } from './text-values.ts'

/** How long nobody types before the relay is asked. */
const SETTLED_MS = 400
const MASK = '********'

/** What an event would become under the draft, asked anew when typing stops. Sends nothing. */
export function Preview({ draft, others }: { draft: Draft; others: Partial<Settings> }) {
  const [sample, setSample] = useState('')
  const { settings, problems } = readDraft(draft)
  const sampleError = sample.trim() === '' ? null : readJson(sample)
  const isReadable = Object.keys(problems).length === 0 && URL.canParse(settings.url)
  const body = bodyOf({ ...others, ...settings }, sample)
  const asked = useSettled(isReadable && sampleError?.kind !== 'refused' ? body : null)
  const { data, error } = useRead({
    queryKey: ['preview', asked],
    queryFn: () => askPreview(asked ?? ''),
    enabled: asked !== null,
    retry: false,
  })
  return (
    <Section title="Preview">
      <div className="flex flex-col gap-4">
        <Sample
          text={sample}
          onChange={setSample}
          error={sampleError?.kind === 'refused' ? sampleError.message : undefined}
        />
        <div aria-live="polite" className="flex min-w-0 flex-col gap-4">
          {asked === null && <p className="text-kumo-subtle">It appears once a URL and events are given.</p>}
          {asked !== null && error !== null && <Refused error={error} />}
          {asked !== null && error === null && data !== undefined && <PreviewAnswer answer={data} />}
        </div>
      </div>
    </Section>
  )
}

/** The fields that the relay would refuse too, each with its reason. */
function Refused({ error }: { error: Error }) {
  if (!(error instanceof ApiProblem) || error.details.length === 0) return <Problem error={error} />
  return (
    <ul className="flex flex-col gap-1 text-kumo-danger wrap-anywhere">
      {error.details.map(({ path, message }) => (
        <li key={`${path} ${message}`}>
          {path.replace(/^subscription\./, '')}: {message}
        </li>
      ))}
    </ul>
  )
}

/** The sample stands in it as the text that it is. Headers that are masked are not known here. */
function bodyOf(settings: Settings, sample: string): string {
  const known = Object.entries(settings.headers ?? {}).filter(([, value]) => value !== MASK)
  const subscription = JSON.stringify({ ...settings, headers: Object.fromEntries(known) })
  return `{"subscription":${subscription}${sample.trim() === '' ? '' : `,"event":${sample}`}}`
}

async function askPreview(body: string): Promise<Schemas['Preview']> {
  const { data } = await api.POST('/api/v1/webhooks/preview', {
    body: JSON.parse(body) as { subscription: Settings },
    bodySerializer: () => body,
  })
  if (data === undefined) throw new Error('The relay gave no preview.')
  return data.data
}

/** A value, once it has not changed for a while. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}

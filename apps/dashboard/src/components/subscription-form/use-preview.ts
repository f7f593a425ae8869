import { useQuery as useRead } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api } from '../../api/client.ts'
import { ApiProblem } from '../../api/problem.ts'
import type { Schemas } from '../../api/schemas.ts'
import { type Draft, type FieldName, type FieldProblems, problemsByField } from './draft.ts'
import { readDraft, type Settings } from './read-draft.ts'
import { readJson } from './text-values.ts'

/** How long nobody types before the relay is asked. */
const SETTLED_MS = 400
const MASK = '********'

/** What an event would become under a draft; `answer` is null where that cannot be asked yet. */
export type PreviewState = {
  isAsked: boolean
  answer: Schemas['Preview'] | undefined
  error: Error | null
  sampleProblem: string | undefined
  /** What is wrong with fields as they stand, found while they are filled in. */
  problems: FieldProblems
}

type Previewed = { draft: Draft; others: Partial<Settings>; sample: string }

/** Asks the relay anew when typing stops. Sends nothing to the receiver. */
export function usePreview({ draft, others, sample }: Previewed): PreviewState {
  const settled = useSettled(draft)
  const settledSample = useSettled(sample)
  const { settings, problems } = readDraft(settled)
  const sampleRead = settledSample.trim() === '' ? null : readJson(settledSample)
  const isReadable = Object.keys(problems).length === 0 && URL.canParse(settings.url)
  const isAsked = isReadable && sampleRead?.kind !== 'refused'
  const asked = isAsked ? bodyOf({ ...others, ...settings }, settledSample) : null
  const { data, error } = useRead({
    queryKey: ['preview', asked],
    queryFn: () => askPreview(asked ?? ''),
    enabled: asked !== null,
    retry: false,
  })
  const refused = isAsked && error instanceof ApiProblem ? problemsByField(error.details).problems : {}
  return {
    isAsked,
    answer: data,
    error: isAsked ? error : null,
    sampleProblem: sampleRead?.kind === 'refused' ? sampleRead.message : undefined,
    problems: ofFilledFields({ ...problems, ...refused }, { draft, settled }),
  }
}

/** Fields that are empty say nothing wrong yet, and those that have been changed since may be right by now. */
function ofFilledFields(problems: FieldProblems, { draft, settled }: { draft: Draft; settled: Draft }) {
  const isAsItWas = (name: FieldName) => draft[name].trim() !== '' && draft[name] === settled[name]
  return Object.fromEntries(Object.entries(problems).filter(([name]) => isAsItWas(name as FieldName)))
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

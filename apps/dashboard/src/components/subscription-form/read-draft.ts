import type { Schemas } from '../../api/schemas.ts'
import type { Draft, FieldName, FieldProblems } from './draft.ts'
import {
  type Read,
  readFilters,
  readJson,
  readTemplate,
  readTexts,
  readWhole,
  readWords,
} from './text-values.ts'

export type Settings = Schemas['SubscriptionSettings']

/** A draft as settings; where a field cannot be read, its problem, and no setting. */
export type ReadDraft = { settings: Settings; problems: FieldProblems }

/** The fields that make up a setting, where they are not one of the same name. */
const FIELDS_OF: Partial<Record<keyof Settings, readonly FieldName[]>> = {
  transform: ['template', 'contentType'],
  rateLimit: ['rateRequests', 'ratePerSeconds'],
}

/** Reads the fields. Those that are empty say that there is none. */
export function readDraft(draft: Draft): ReadDraft {
  const problems: FieldProblems = {}
  const read = <T>(name: FieldName, reader: (text: string) => Read<T>): T | null => {
    if (draft[name].trim() === '') return null
    const answer = reader(draft[name])
    if (answer.kind === 'value') return answer.value
    problems[name] = answer.message
    return null
  }
  const template = read('template', readTemplate<Schemas['Transform']['template']>)
  const timeoutSeconds = read('timeoutSeconds', readWhole)
  const requests = read('rateRequests', readWhole)
  const perSeconds = read('ratePerSeconds', readWhole) ?? 1
  const contentType = draft.contentType.trim()
  const settings: Settings = {
    name: draft.name.trim() || null,
    url: draft.url.trim(),
    events: readWords(draft.events),
    description: draft.description.trim() || null,
    profile: draft.profile as Schemas['Profile'],
    filters: read('filters', readFilters<Schemas['Filters']>),
    transform: template === null ? null : { template, ...(contentType !== '' && { contentType }) },
    retryPolicy: read('retryPolicy', readJson<Schemas['RetryPolicy']>),
    ...(timeoutSeconds !== null && { timeoutSeconds }),
    rateLimit: requests === null ? null : { requests, perSeconds },
    concurrency: read('concurrency', readWhole),
    ordered: draft.ordered !== '',
    headers: read('headers', readTexts) ?? {},
    metadata: read('metadata', readTexts) ?? {},
  }
  if (settings.url === '') problems.url = 'is needed: where events are sent'
  if (settings.events.length === 0) problems.events = 'is needed: types such as invoice.paid, or * for all'
  if (template === null && contentType !== '') problems.contentType ??= 'goes with a template only'
  if (requests === null && draft.ratePerSeconds !== '') problems.rateRequests ??= 'is needed for a limit'
  return { settings, problems }
}

/** The settings whose fields were changed: the others stay as they are, those that are masked too. */
export function changesOf(settings: Settings, before: Draft, now: Draft): Schemas['SubscriptionChange'] {
  const isChanged = (setting: string) =>
    (FIELDS_OF[setting as keyof Settings] ?? [setting as FieldName]).some(
      (name) => before[name] !== now[name],
    )
  const changes = Object.entries(settings).filter(([setting]) => isChanged(setting))
  // A timeout that is there cannot be taken away: the relay says what it can be.
  const isLost = before.timeoutSeconds !== '' && now.timeoutSeconds.trim() === ''
  return { ...Object.fromEntries(changes), ...(isLost && { timeoutSeconds: 0 }) }
}

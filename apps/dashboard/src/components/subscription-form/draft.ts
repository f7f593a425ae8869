import type { FieldProblem } from '../../api/problem.ts'
import type { Schemas } from '../../api/schemas.ts'
import { writeFilters, writeJson, writeTemplate, writeTexts } from './text-values.ts'

/** A subscription as it stands in the fields of the form: all of them texts. */
export type Draft = typeof EMPTY_DRAFT
export type FieldName = keyof Draft
export type FieldProblems = Partial<Record<FieldName, string>>

/** A subscription that nothing is said about yet. */
export const EMPTY_DRAFT = {
  name: '',
  url: '',
  events: '',
  description: '',
  filters: '',
  template: '',
  contentType: '',
  profile: 'standard' as string,
  retryPolicy: '',
  timeoutSeconds: '',
  rateRequests: '',
  ratePerSeconds: '',
  concurrency: '',
  /** `yes` or nothing. */
  ordered: '',
  headers: '',
  metadata: '',
}

/** The fields of a subscription that is there. */
export function draftOf(subscription: Schemas['Subscription']): Draft {
  const { name, url, events, description, profile, filters, transform, retryPolicy } = subscription
  const { rateLimit, concurrency, ordered, headers, metadata, timeoutSeconds } = subscription
  return {
    name: name ?? '',
    url,
    events: events.join('\n'),
    description: description ?? '',
    filters: filters === null ? '' : writeFilters(filters),
    template: transform === null ? '' : writeTemplate(transform.template),
    contentType: transform?.contentType ?? '',
    profile,
    retryPolicy: retryPolicy === null ? '' : writeJson(retryPolicy),
    timeoutSeconds: String(timeoutSeconds),
    rateRequests: String(rateLimit?.requests ?? ''),
    ratePerSeconds: String(rateLimit?.perSeconds ?? ''),
    concurrency: String(concurrency ?? ''),
    ordered: ordered ? 'yes' : '',
    headers: writeTexts(headers),
    metadata: writeTexts(metadata),
  }
}

/** Sorts what the relay refused by the field that it is about; the rest has no field here. */
export function problemsByField(details: readonly FieldProblem[]): {
  problems: FieldProblems
  rest: FieldProblem[]
} {
  const problems: FieldProblems = {}
  const rest: FieldProblem[] = []
  for (const detail of details) {
    const path = detail.path.replace(/^subscription\./, '')
    const field = fieldOf(path)
    if (field === null) rest.push(detail)
    else problems[field] ??= path === field ? detail.message : `${path}: ${detail.message}`
  }
  return { problems, rest }
}

function fieldOf(path: string): FieldName | null {
  if (path.startsWith('transform')) return path.endsWith('contentType') ? 'contentType' : 'template'
  if (path.startsWith('rateLimit')) return path.endsWith('perSeconds') ? 'ratePerSeconds' : 'rateRequests'
  const [name = ''] = path.split(/[.[]/)
  return name in EMPTY_DRAFT ? (name as FieldName) : null
}

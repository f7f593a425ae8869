import type { FieldProblem } from '../../api/problem.ts'
import type { Schemas } from '../../api/schemas.ts'
import { readWords } from '../../components/subscription-form/text-values.ts'

type Workspace = Schemas['Workspace']
type Settings = Schemas['WorkspaceSettings']

export const LIMIT_NAMES = [
  'requestsPerSecond',
  'eventsPerSecond',
  'eventsPerDay',
  'subscriptions',
  'payloadBytes',
  'storedEvents',
] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** The settings as they stand in the fields: texts, and switches. */
export type Draft = {
  eventTypeEnforcement: string
  apiVersion: string
  livemode: boolean
  retentionDays: string
  retentionMegabytes: string
  archive: boolean
  allowedHosts: string
  deniedHosts: string
  allowedPorts: string
  allowHttp: boolean
  verifyOwnership: boolean
  hasOwnCertificates: boolean
  allowedCertificates: string
} & Record<LimitName, string>

export type FieldName = keyof Draft
export type FieldProblems = Partial<Record<FieldName, string>>

const MEGABYTE = 1_000_000

/** The fields of a workspace. */
export function draftOf(workspace: Workspace): Draft {
  const { eventTypeEnforcement, apiVersion, livemode, retentionDays, retentionBytes, archive } = workspace
  const { allowedHosts, deniedHosts, allowedPorts, allowHttp, verifyOwnership, allowedCertificates } =
    workspace
  const limits = LIMIT_NAMES.map((name) => [name, String(workspace.limits[name] ?? '')])
  return {
    ...{ eventTypeEnforcement, apiVersion, livemode, archive, allowHttp, verifyOwnership },
    retentionDays: String(retentionDays),
    retentionMegabytes: retentionBytes === null ? '' : String(retentionBytes / MEGABYTE),
    allowedHosts: (allowedHosts ?? []).join('\n'),
    deniedHosts: deniedHosts.join('\n'),
    allowedPorts: allowedPorts.join(', '),
    hasOwnCertificates: allowedCertificates !== null,
    allowedCertificates: (allowedCertificates ?? []).join('\n'),
    ...(Object.fromEntries(limits) as Record<LimitName, string>),
  }
}

/** The settings that were changed; a field that is no number is passed on for the relay to refuse. */
export function changesOf(before: Draft, now: Draft): Settings {
  const [old, next] = [settingsOf(before), settingsOf(now)]
  const { limits: oldLimits = {}, ...others } = old
  const isOther = (one: unknown, other: unknown) => JSON.stringify(one) !== JSON.stringify(other)
  const { limits = {}, ...settings } = next
  const changed = Object.entries(settings).filter(([name, value]) =>
    isOther(value, others[name as keyof typeof others]),
  )
  const changedLimits = Object.entries(limits).filter(([name, value]) =>
    isOther(value, oldLimits[name as LimitName]),
  )
  return {
    ...Object.fromEntries(changed),
    ...(changedLimits.length > 0 && { limits: Object.fromEntries(changedLimits) }),
  }
}

function settingsOf(draft: Draft): Settings {
  const { livemode, archive, allowHttp, verifyOwnership } = draft
  const hosts = readWords(draft.allowedHosts)
  const limits = LIMIT_NAMES.map((name) => [name, numberOrNull(draft[name])])
  return {
    ...{ livemode, archive, allowHttp, verifyOwnership },
    eventTypeEnforcement: draft.eventTypeEnforcement as Workspace['eventTypeEnforcement'],
    apiVersion: draft.apiVersion.trim(),
    retentionDays: numberOf(draft.retentionDays),
    retentionBytes:
      draft.retentionMegabytes.trim() === ''
        ? null
        : Math.round(numberOf(draft.retentionMegabytes) * MEGABYTE),
    allowedHosts: hosts.length === 0 ? null : hosts,
    deniedHosts: readWords(draft.deniedHosts),
    allowedPorts: readWords(draft.allowedPorts).map(numberOf),
    allowedCertificates: draft.hasOwnCertificates ? readWords(draft.allowedCertificates) : null,
    limits: Object.fromEntries(limits) as Settings['limits'] & object,
  }
}

/** JSON has no word for what is no number: a fraction is refused where a whole number is asked for. */
function numberOf(text: string): number {
  const number = Number(text.trim().replaceAll(',', ''))
  return text.trim() === '' || Number.isNaN(number) ? 0.5 : number
}

function numberOrNull(text: string): number | null {
  return text.trim() === '' ? null : numberOf(text)
}

/** Sorts what the relay refused by the field that it is about; the rest has no field here. */
export function problemsByField(details: readonly FieldProblem[], draft: Draft) {
  const problems: FieldProblems = {}
  const rest: FieldProblem[] = []
  for (const detail of details) {
    const path = detail.path.replace(/^limits\./, '').replace(/^retentionBytes/, 'retentionMegabytes')
    const [name = ''] = path.split(/[.[]/)
    if (name in draft) problems[name as FieldName] ??= detail.message
    else rest.push(detail)
  }
  return { problems, rest }
}

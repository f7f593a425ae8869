import * as z from 'zod'
import { storedDestinationsShape, workspaceDestinationsShape } from '../destination/rules.ts'
import {
  LIMIT_NAMES,
  type LimitName,
  type Limits,
  type LimitsChange,
  limitsSchema,
  NO_LIMITS,
  storedLimitsSchema,
} from '../limits/limits.ts'
import { apiVersionSchema } from '../model/event-type.ts'

const ENFORCEMENTS = ['off', 'warn', 'reject'] as const
const enforcementSchema = z.enum(ENFORCEMENTS, 'must be "off", "warn" or "reject"')

/**
 * The treatment of events that the catalogue does not know or whose data does not match: nothing is
 * checked, they are accepted with warnings, or refused.
 */
export type EventTypeEnforcement = (typeof ENFORCEMENTS)[number]

/** Days of history kept where the workspace does not say. */
export const RETENTION_DAYS_DEFAULT = 90
const RETENTION_DAYS_MAX = 3650
/** A smaller limit would purge events before they could be looked at. */
const RETENTION_BYTES_MIN = 1_000_000

const DAYS = `must be a whole number of days, 1-${RETENTION_DAYS_MAX}`
const BYTES = `must be a whole number of bytes, at least ${RETENTION_BYTES_MIN}, or null for no limit`

/** The settings of a workspace as they are sent. */
export const workspaceSettingsShape = {
  eventTypeEnforcement: enforcementSchema.optional(),
  /** `api_version` of events that do not say. */
  apiVersion: apiVersionSchema.optional(),
  /** `livemode` of events that do not say. */
  livemode: z.boolean().optional(),
  /** Events older than this are purged, with their deliveries. */
  retentionDays: z.int(DAYS).min(1, DAYS).max(RETENTION_DAYS_MAX, DAYS).optional(),
  /** The oldest events are purged while all of them take more than this, roughly; null for no limit. */
  retentionBytes: z.int(BYTES).min(RETENTION_BYTES_MIN, BYTES).nullable().optional(),
  /** Archives events before they are purged. */
  archive: z.boolean().optional(),
  ...workspaceDestinationsShape,
  /** What the workspace may use; set by the operator alone. */
  limits: limitsSchema.optional(),
}

/** Body of `PUT /workspaces/{id}`: only settings that are named change. */
export const workspaceSettingsSchema = z
  .strictObject(workspaceSettingsShape)
  .meta({ id: 'WorkspaceSettings' })
export type WorkspaceSettingsChange = z.infer<typeof workspaceSettingsSchema>

/** A workspace's settings as stored; what was never set is the default. */
export const storedWorkspaceSettingsSchema = z.object({
  eventTypeEnforcement: enforcementSchema.default('off'),
  apiVersion: z.string().default('v1'),
  livemode: z.boolean().default(true),
  retentionDays: z.number().default(RETENTION_DAYS_DEFAULT),
  retentionBytes: z.number().nullable().default(null),
  archive: z.boolean().default(false),
  ...storedDestinationsShape,
  limits: storedLimitsSchema.default(NO_LIMITS),
})
export type WorkspaceSettings = z.infer<typeof storedWorkspaceSettingsSchema>

/** True for a change that would change anything. */
export function changesSettings(settings: WorkspaceSettings, change: WorkspaceSettingsChange): boolean {
  const { limits: _, ...before } = settings
  const { limits = {}, ...others } = change
  const names = Object.keys(before) as (keyof typeof before)[]
  const isOther = (name: keyof typeof before) => JSON.stringify(others[name]) !== JSON.stringify(before[name])
  return (
    names.some((name) => others[name] !== undefined && isOther(name)) ||
    changedLimits(settings, limits).length > 0
  )
}

/** The names of limits that a change would make others than a workspace has. */
export function changedLimits({ limits }: WorkspaceSettings, change: LimitsChange): LimitName[] {
  return LIMIT_NAMES.filter((name) => change[name] !== undefined && change[name] !== limits[name])
}

/** Settings after a change, as they will be stored. */
export function changedSettings(
  settings: WorkspaceSettings,
  { limits, ...change }: WorkspaceSettingsChange,
): WorkspaceSettings {
  const named = Object.entries(change).filter(([, value]) => value !== undefined)
  return {
    ...settings,
    ...(Object.fromEntries(named) as Partial<WorkspaceSettings>),
    limits: { ...settings.limits, ...limits } as Limits,
  }
}

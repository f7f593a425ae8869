import { z } from 'zod'

const apiVersionSchema = z
  .string()
  .min(1, 'must be 1-64 characters')
  .max(64, 'must be 1-64 characters')
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')

const ENFORCEMENTS = ['off', 'warn', 'reject'] as const
const enforcementSchema = z.enum(ENFORCEMENTS, 'must be "off", "warn" or "reject"')

/**
 * What becomes of events whose type is not in the workspace's catalogue, or whose data is not as the type's schema has
 * it: nothing is checked; they are accepted with warnings; they are refused.
 */
export type EventTypeEnforcement = (typeof ENFORCEMENTS)[number]

/** Body of `PUT /workspaces/{id}`: what is named changes, the rest stays. */
export const workspaceSettingsSchema = z.strictObject({
  eventTypeEnforcement: enforcementSchema.optional(),
  /** `api_version` of events that do not say. */
  apiVersion: apiVersionSchema.optional(),
  /** `livemode` of events that do not say. */
  livemode: z.boolean().optional(),
})
export type WorkspaceSettingsChange = z.infer<typeof workspaceSettingsSchema>

/** A workspace's settings as stored; what was never set is the default (seed 002: `v1`, live). */
export const storedWorkspaceSettingsSchema = z.object({
  eventTypeEnforcement: enforcementSchema.default('off'),
  apiVersion: z.string().default('v1'),
  livemode: z.boolean().default(true),
})
export type WorkspaceSettings = z.infer<typeof storedWorkspaceSettingsSchema>

/** Whether a change would change anything. */
export function changesSettings(settings: WorkspaceSettings, change: WorkspaceSettingsChange): boolean {
  const names = ['eventTypeEnforcement', 'apiVersion', 'livemode'] as const
  return names.some((name) => change[name] !== undefined && change[name] !== settings[name])
}

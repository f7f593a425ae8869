import * as z from 'zod'
import { iso } from '../../../base/time.ts'
import { limitsInForceSchema } from '../../../limits/limits.ts'
import type { Workspace } from '../../../workspace/settings.sql.ts'

const workspaceShape = {
  id: z.string(),
  eventTypeEnforcement: z.enum(['off', 'warn', 'reject']),
  apiVersion: z.string(),
  livemode: z.boolean(),
  retentionDays: z.int(),
  retentionBytes: z.int().nullable(),
  archive: z.boolean(),
  allowedHosts: z.array(z.string()).nullable().describe('null for every public host'),
  deniedHosts: z.array(z.string()),
  allowHttp: z.boolean(),
  allowedPorts: z.array(z.int()).describe('Beside the standard one of the scheme'),
  verifyOwnership: z.boolean(),
  allowedCertificates: z.array(z.string()).nullable().describe('null for every one of the relay'),
  limits: limitsInForceSchema,
  createdAt: z.string(),
}

/** A workspace as the API shows it, with its settings. */
export const workspaceAnswerSchema = z.object(workspaceShape).meta({ id: 'Workspace' })

/** Shows a workspace. */
export function workspaceAnswer({
  id,
  settings,
  createdAtMs,
}: Workspace): z.infer<typeof workspaceAnswerSchema> {
  return { id, ...settings, createdAt: iso(createdAtMs) }
}

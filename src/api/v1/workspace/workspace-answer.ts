import * as z from 'zod'
import { iso } from '../../../base/time.ts'
import { limitsInForceSchema } from '../../../limits/limits.ts'
import { DELETION_PHASES, type Deletion } from '../../../workspace/deletion.ts'
import type { Workspace } from '../../../workspace/settings.sql.ts'

const erasedShape = {
  events: z.int(),
  deliveries: z.int(),
  subscriptions: z.int(),
  objects: z.int().describe('Large texts and archives'),
}

/** How far a deletion is. */
const deletionAnswerSchema = z
  .object({
    requestedAt: z.string(),
    phase: z
      .enum(DELETION_PHASES)
      .describe('What is being erased, in this order; `settling` waits for outcomes that may still come'),
    erased: z.object(erasedShape),
  })
  .meta({ id: 'WorkspaceDeletion', description: 'How far the deletion of a workspace is' })

const workspaceShape = {
  id: z.string(),
  status: z.enum(['active', 'deleting']),
  deletion: deletionAnswerSchema.nullable(),
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
type WorkspaceAnswer = z.infer<typeof workspaceAnswerSchema>

/** Shows a workspace. */
export function workspaceAnswer({ id, settings, createdAtMs, deletion }: Workspace): WorkspaceAnswer {
  return {
    id,
    status: deletion === null ? 'active' : 'deleting',
    deletion: deletion === null ? null : deletionAnswer(deletion),
    ...settings,
    createdAt: iso(createdAtMs),
  }
}

function deletionAnswer({ requestedAtMs, phase, erased }: Deletion): z.infer<typeof deletionAnswerSchema> {
  return { requestedAt: iso(requestedAtMs), phase, erased }
}

import * as z from 'zod'
import { AUDIT_OUTCOMES, type AuditEntry } from '../../../audit/entry.ts'
import { iso } from '../../../base/time.ts'
import { ERROR_CODES } from '../../../model/errors.ts'

const entryShape = {
  no: z.int().describe('Counts from 1 in each log'),
  at: z.string(),
  actor: z
    .string()
    .describe('`operator`, `key:<id>`, `identity:<subject>`, `portal:<id>:<subject>` or `unknown`'),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  action: z.string().describe('The `operationId` of the call'),
  route: z.string(),
  object: z.string(),
  fields: z
    .record(z.string(), z.unknown())
    .describe('The fields that were named; values that may be secret or are long are masked'),
  requestId: z.string(),
  outcome: z.enum(AUDIT_OUTCOMES),
  code: z.enum(ERROR_CODES).nullable().describe('Of a refusal'),
  previousHash: z.string(),
  hash: z.string(),
}

/** An entry of the audit log as the API shows it. */
export const auditEntrySchema = z.object(entryShape).meta({ id: 'AuditEntry' })

/** Shows an entry. */
export function auditEntryAnswer(entry: AuditEntry): z.infer<typeof auditEntrySchema> {
  const { no, atMs, actor, address, userAgent, action, route, object } = entry
  const { fields, requestId, outcome, code, previousHash, hash } = entry
  return {
    no,
    at: iso(atMs),
    actor,
    address,
    userAgent,
    action,
    route,
    object,
    fields: JSON.parse(fields) as Record<string, unknown>,
    requestId,
    outcome,
    code,
    previousHash,
    hash,
  }
}

import { z } from 'zod'
import { isRecord } from '../../../base/json/value.ts'
import { compareEventTypes, saveEventTypes } from '../../../catalogue/event-type-changes.sql.ts'
import { planImport } from '../../../catalogue/import-plan.ts'
import { readImport } from '../../../catalogue/openapi-import.ts'
import { useWorkspace } from '../../../workspace/settings.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { invalidInput } from '../../error-response.ts'

const notesSchema = z.array(z.object({ name: z.string(), reason: z.string() }))

/** `POST /event-types/import`: creates and replaces types from a list of them or an OpenAPI document's webhooks. */
export const importEventTypes = defineRoute(
  {
    method: 'post',
    path: '/event-types/import',
    summary: 'Import event types: {"eventTypes": [...]} or an OpenAPI 3.1 document with webhooks',
    tag: 'Event types',
    query: z.strictObject({
      dryRun: z
        .enum(['true', 'false'], 'must be "true" or "false"')
        .optional()
        .describe('true: says what would be done, and does nothing'),
    }),
    body: z.custom<Record<string, unknown>>(isRecord, 'must be a JSON object').meta({
      type: 'object',
      description: '{"eventTypes": [...]}, {"openapi": <document>} or the document',
    }),
    answer: z.object({
      dryRun: z.boolean(),
      created: z.array(z.string()),
      updated: z.array(z.string()),
      unchanged: z.array(z.string()),
      skipped: notesSchema,
      warnings: notesSchema.describe('Types that were taken without a part of theirs'),
    }),
  },
  async ({ relay, workspaceId, query, body, bodyText }) => {
    const read = readImport(body, bodyText)
    if (read.kind === 'invalid') throw invalidInput(read.error, read.path)
    const { DB } = relay.env
    const nowMs = relay.now()
    const { no } = await useWorkspace(DB, workspaceId, nowMs)
    const { write, skipped, ...done } = planImport(read.types, await compareEventTypes(DB, no, read.types))
    const dryRun = query.dryRun === 'true'
    if (!dryRun) await saveEventTypes(DB, no, write, nowMs)
    return {
      data: { dryRun, ...done, skipped: [...read.skipped, ...skipped], warnings: read.warnings },
    }
  },
)

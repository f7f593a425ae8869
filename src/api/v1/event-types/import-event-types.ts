import * as z from 'zod'
import { isRecord } from '../../../base/json/value.ts'
import { importEventTypes as runImport } from '../../../catalogue/import.ts'
import { IMPORTED_FIELDS } from '../../../catalogue/import-plan.ts'
import { defineRoute } from '../../define-route.ts'
import { invalidInput } from '../../error-response.ts'

const notesSchema = z.array(z.object({ name: z.string(), reason: z.string() }))

/**
 * `POST /event-types/import`: creates and replaces types
 * from a list of them or an OpenAPI document's webhooks.
 */
export const importEventTypes = defineRoute(
  {
    method: 'post',
    path: '/event-types/import',
    operationId: 'importEventTypes',
    summary: 'Import event types: {"eventTypes": [...]} or an OpenAPI 3.1 document with webhooks',
    tag: 'Event types',
    scope: 'event-types:write',
    forBound: 'refused',
    refusals: [],
    query: z.strictObject({
      dryRun: z
        .enum(['true', 'false'], 'must be "true" or "false"')
        .meta({ like: z.boolean() })
        .optional()
        .describe('true: says what would be done, and does nothing'),
    }),
    body: z.custom<Record<string, unknown>>(isRecord, 'must be a JSON object').meta({
      like: z.record(z.string(), z.unknown()),
      description: '{"eventTypes": [...]}, {"openapi": <document>} or the document',
    }),
    answer: z.object({
      dryRun: z.boolean(),
      created: z.array(z.string()),
      updated: z.array(z.string()),
      changes: z
        .array(z.object({ name: z.string(), fields: z.array(z.enum(IMPORTED_FIELDS)) }))
        .describe('What is otherwise of each updated type'),
      unchanged: z.array(z.string()),
      skipped: notesSchema,
      warnings: notesSchema.describe(
        'Types that were taken without a part of theirs, or with one that has no effect',
      ),
    }),
  },
  async ({ deps, workspaceId, query, body, sent }) => {
    const dryRun = query.dryRun === 'true'
    const imported = await runImport(deps, workspaceId, { body, text: sent.text, dryRun })
    if (imported.kind === 'invalid') throw invalidInput(imported.error, imported.path)
    const { created, updated, changes, unchanged, skipped, warnings } = imported
    return { data: { dryRun, created, updated, changes, unchanged, skipped, warnings } }
  },
)

import * as z from 'zod'
import type { EntryFilter } from '../../../audit/audit.sql.ts'
import { listEntries } from '../../../audit/list-entries.ts'
import { iso } from '../../../base/time.ts'
import { dateFromSchema, dateToSchema } from '../../../model/date-range.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { auditEntryAnswer, auditEntrySchema } from './audit-answer.ts'
import { chainOf, logSchema } from './chain-of.ts'

const NDJSON = 'application/x-ndjson'
const EXPORT_PAGE_ROWS = 500
const TOP = Number.MAX_SAFE_INTEGER
const textSchema = z.string().min(1).max(300)

const querySchema = z.strictObject({
  dateFrom: dateFromSchema.optional(),
  dateTo: dateToSchema.optional(),
  actor: textSchema.optional(),
  object: textSchema.optional(),
  action: textSchema.optional(),
  log: logSchema.optional(),
  ...pagingShape,
})

/**
 * `GET /audit-log`: who has changed what, newest first. As NDJSON, one entry a line, it is all that
 * matches, from the cursor on.
 */
export const listAuditLog = defineRoute(
  {
    method: 'get',
    path: '/audit-log',
    operationId: 'listAuditLog',
    summary: 'List changes, and who was shown a secret',
    tag: 'Audit log',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: [],
    query: querySchema,
    headers: z.object({ Accept: z.string().optional().describe(`\`${NDJSON}\` for an export`) }),
    answer: z.array(auditEntrySchema),
    paged: true,
    exportType: NDJSON,
  },
  async ({ deps, workspaceId, caller, query, headers }) => {
    const chain = chainOf(query.log, { workspaceId, caller })
    const filter = {
      actor: query.actor ?? null,
      object: query.object ?? null,
      action: query.action ?? null,
      fromMs: query.dateFrom ?? null,
      toMs: query.dateTo ?? null,
    }
    const belowNo = cursorStart('audit', query.cursor, TOP)
    if (headers.Accept?.includes(NDJSON)) return exported(deps, chain, { ...filter, belowNo })
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const { entries, next } = await listEntries(deps.db, chain, { ...filter, belowNo, limit })
    const searchedUntil = next === null ? null : iso(next.atMs)
    return {
      data: entries.map(auditEntryAnswer),
      pagination: { ...nextCursor('audit', next?.no ?? null), searchedUntil },
    }
  },
)

/** All that matches, read page by page as it is taken. A failure breaks the body off, so that no part passes for the whole. */
function exported({ db }: ApiDeps, chain: string, query: EntryFilter & { belowNo: number }): Response {
  const encoder = new TextEncoder()
  let belowNo = query.belowNo
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { entries, next } = await listEntries(db, chain, { ...query, belowNo, limit: EXPORT_PAGE_ROWS })
      const lines = entries.map((entry) => `${JSON.stringify(auditEntryAnswer(entry))}\n`)
      // An empty chunk is none: a stretch without a match is read on at once by the next pull.
      controller.enqueue(encoder.encode(lines.join('') || '\n'))
      if (next === null) controller.close()
      else belowNo = next.no
    },
  })
  return new Response(body, { headers: { 'Content-Type': NDJSON } })
}

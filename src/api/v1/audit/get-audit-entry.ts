import * as z from 'zod'
import { readEntries } from '../../../audit/audit.sql.ts'
import { type EarlierValue, earlierValues } from '../../../audit/earlier-values.ts'
import { iso } from '../../../base/time.ts'
import { notFound } from '../../../model/errors.ts'
import { defineRoute } from '../../define-route.ts'
import { auditEntryAnswer, auditEntrySchema } from './audit-answer.ts'
import { chainOf, logSchema } from './chain-of.ts'

const earlierSchema = z.object({ value: z.unknown(), no: z.int(), at: z.string() })

const answerSchema = auditEntrySchema
  .extend({
    earlier: z
      .record(z.string(), earlierSchema)
      .describe(
        'The value that each field had been given before, and by which row, as far back as was looked',
      ),
  })
  .meta({ id: 'AuditEntryDetail' })

/** `GET /audit-log/{id}`: one row by its number, with what its fields were before. */
export const getAuditEntry = defineRoute(
  {
    method: 'get',
    path: '/audit-log/{id}',
    operationId: 'getAuditEntry',
    summary: 'Show a row of the audit log by its number, with what its fields were before',
    tag: 'Audit log',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: ['not_found'],
    query: z.strictObject({ log: logSchema.optional() }),
    answer: answerSchema,
  },
  async ({ deps, workspaceId, caller, query, id }) => {
    const chain = chainOf(query.log, { workspaceId, caller })
    const [entry] = /^[1-9]\d{0,14}$/.test(id) ? await readEntries(deps.db, chain, Number(id)) : []
    if (entry === undefined) throw notFound('row of the audit log')
    const earlier = [...(await earlierValues(deps.db, entry))].map(([name, value]) => [name, shown(value)])
    return { data: { ...auditEntryAnswer(entry), earlier: Object.fromEntries(earlier) } }
  },
)

function shown({ value, no, atMs }: EarlierValue): z.infer<typeof earlierSchema> {
  return { value, no, at: iso(atMs) }
}

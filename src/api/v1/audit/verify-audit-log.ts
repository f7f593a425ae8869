import * as z from 'zod'
import type { ChainPlace } from '../../../audit/entry.ts'
import { type Verification, verifyChain } from '../../../audit/verify.ts'
import { iso } from '../../../base/time.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextCursor } from '../../paging.ts'
import { chainOf, logSchema } from './chain-of.ts'

const NOTED = /^([1-9]\d{0,14})\.([0-9a-f]{64})$/

const placeSchema = z.object({ no: z.int(), hash: z.string() })

const breakShape = {
  kind: z
    .enum(['changed', 'missing', 'inserted', 'rewritten'])
    .describe('`rewritten`: the noted row is not in the log any more'),
  no: z.int(),
  hash: z.string().nullable(),
}

const verificationShape = {
  intact: z.boolean().describe('Of what this step has looked at'),
  break: z.object(breakShape).nullable().describe('The newest row at which the chain breaks'),
  checked: z.int().describe('Rows'),
  head: placeSchema.describe('The newest row: note it elsewhere, as `<no>.<hash>`'),
  oldest: z.int().nullable().describe('The oldest row that is kept; null for none'),
}

const querySchema = z.strictObject({
  cursor: z.string().optional().describe('The `nextCursor` of the step before'),
  noted: z
    .string()
    .regex(NOTED, 'must be "<no>.<hash>" of a head')
    .optional()
    .describe('A head that was noted earlier: its row must still be there'),
  log: logSchema.optional(),
})

/** `GET /audit-log/verify`: recomputes the chain from its newest row down, in steps, and names the row where it breaks. */
export const verifyAuditLog = defineRoute(
  {
    method: 'get',
    path: '/audit-log/verify',
    operationId: 'verifyAuditLog',
    summary: 'Verify the chain of the audit log: call it until there is no next cursor',
    tag: 'Audit log',
    scope: 'workspace:admin',
    forBound: 'refused',
    refusals: [],
    query: querySchema,
    answer: z.object(verificationShape).meta({ id: 'AuditVerification' }),
    paged: true,
  },
  async ({ deps, workspaceId, caller, query }) => {
    const chain = chainOf(query.log, { workspaceId, caller })
    const belowNo = query.cursor === undefined ? null : cursorStart('audit-verify', query.cursor, 0)
    const verified = await verifyChain(deps.db, chain, { belowNo, noted: notedPlace(query.noted) })
    const { next } = verified
    return {
      data: verificationAnswer(verified),
      pagination: {
        ...nextCursor('audit-verify', next?.belowNo ?? null),
        searchedUntil: next === null ? null : iso(next.atMs),
      },
    }
  },
)

function notedPlace(text: string | undefined): ChainPlace | null {
  const [, no, hash] = NOTED.exec(text ?? '') ?? []
  return no === undefined || hash === undefined ? null : { no: Number(no), hash }
}

function verificationAnswer({ ends: { head, purged }, checked, found }: Verification) {
  return {
    intact: found === null,
    break: found,
    checked,
    head,
    oldest: head.no > purged.no ? purged.no + 1 : null,
  }
}

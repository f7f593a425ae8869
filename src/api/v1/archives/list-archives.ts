import * as z from 'zod'
import { listArchives as list } from '../../../retention/archive/archives.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { archiveAnswer, archiveAnswerSchema } from './archive-answer.ts'

/** `GET /archives`: a workspace's archives of purged events, newest first. */
export const listArchives = defineRoute(
  {
    method: 'get',
    path: '/archives',
    operationId: 'listArchives',
    summary: 'List archives of purged events',
    tag: 'Archives',
    scope: 'events:read',
    refusals: [],
    query: z.strictObject(pagingShape),
    answer: z.array(archiveAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const belowNo = cursorStart('archives', query.cursor, Number.MAX_SAFE_INTEGER)
    const found = await list(deps.db, workspaceId, { belowNo, limit: limit + 1 })
    const page = found.slice(0, limit)
    return {
      data: page.map(archiveAnswer),
      pagination: nextCursor('archives', found.length > limit ? (page.at(-1)?.no ?? null) : null),
    }
  },
)

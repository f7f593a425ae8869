import * as z from 'zod'
import { listArchives as list } from '../../../retention/archive/archives.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { pagingShape, readPage } from '../../paging.ts'
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
    forBound: 'refused',
    refusals: [],
    query: z.strictObject(pagingShape),
    answer: z.array(archiveAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const { rows, pagination } = await readPage(query, {
      kind: 'archives',
      read: (page) => list(deps.db, workspaceId, page),
    })
    return { data: rows.map(archiveAnswer), pagination }
  },
)

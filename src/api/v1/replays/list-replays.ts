import { z } from 'zod'
import { listReplays as list } from '../../../replay/replays.sql.ts'
import { route } from '../../define-route.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape } from '../../paging.ts'
import { replayAnswer, replayAnswerSchema } from './replay-answer.ts'

/** `GET /replays`: a workspace's replays, newest first. */
export const listReplays = route(
  {
    method: 'get',
    path: '/replays',
    summary: 'List replays',
    tag: 'Replays',
    query: z.strictObject(pagingShape),
    answer: z.array(replayAnswerSchema),
    paged: true,
  },
  async ({ relay, workspaceId, query }) => {
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT
    const belowNo = cursorStart('replays', query.cursor, Number.MAX_SAFE_INTEGER)
    const found = await list(relay.env.DB, workspaceId, { belowNo, limit: limit + 1 })
    const page = found.slice(0, limit)
    return {
      data: page.map(replayAnswer),
      pagination: nextCursor('replays', found.length > limit ? (page.at(-1)?.no ?? null) : null),
    }
  },
)

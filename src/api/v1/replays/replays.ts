import * as z from 'zod'
import { cancelReplay as cancel, listReplays as list } from '../../../replay/replays.sql.ts'
import { listReplaysOf } from '../../../replay/replays-of.sql.ts'
import { boundSubscriptionNos } from '../../../subscription/bound.sql.ts'
import type { ApiDeps } from '../../context.ts'
import { defineRoute } from '../../define-route.ts'
import { findAnyReplay } from '../../find.ts'
import { cursorStart, nextCursor, PAGE_LIMIT_DEFAULT, pagingShape, readPage } from '../../paging.ts'
import { replayAnswer, replayAnswerSchema, replayConflict } from './replay-answer.ts'

/**
 * `POST /replays/{id}/cancel`: ends a running replay; what it has made due is delivered all the same.
 * Cancelling it twice changes nothing; 409 when it had ended otherwise.
 */
export const cancelReplay = defineRoute(
  {
    method: 'post',
    path: '/replays/{id}/cancel',
    operationId: 'cancelReplay',
    summary: 'Cancel a replay',
    tag: 'Replays',
    scope: 'deliveries:retry',
    forBound: 'own',
    refusals: ['not_found', 'conflict'],
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const find = () => findAnyReplay(deps, workspaceId, id)
    await cancel(deps.db, (await find()).no, deps.now())
    const replay = await find()
    if (replay.state !== 'cancelled')
      throw replayConflict(`The replay has ${replay.state}; there is nothing to cancel.`)
    return { data: replayAnswer(replay) }
  },
)

/** `GET /replays`: a workspace's replays, newest first. */
export const listReplays = defineRoute(
  {
    method: 'get',
    path: '/replays',
    operationId: 'listReplays',
    summary: 'List replays',
    tag: 'Replays',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: [],
    query: z.strictObject(pagingShape),
    answer: z.array(replayAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const { rows, pagination } = await readReplays(deps, workspaceId, query)
    return { data: rows.map(replayAnswer), pagination }
  },
)

async function readReplays(
  { db, reach }: ApiDeps,
  workspaceId: string,
  query: { limit?: number | undefined; cursor?: string | undefined },
) {
  const subscriptionNos = await boundSubscriptionNos(db, workspaceId, reach.binding)
  const kind = 'replays'
  if (subscriptionNos === null)
    return await readPage(query, { kind, read: (page) => list(db, workspaceId, page) })
  const page = {
    belowNo: cursorStart(kind, query.cursor, Number.MAX_SAFE_INTEGER),
    limit: query.limit ?? PAGE_LIMIT_DEFAULT,
  }
  const { rows, nextBelowNo } = await listReplaysOf(db, workspaceId, { ...page, subscriptionNos })
  return { rows, pagination: nextCursor(kind, nextBelowNo) }
}

/** `GET /replays/{id}`: how far a replay has come. */
export const getReplay = defineRoute(
  {
    method: 'get',
    path: '/replays/{id}',
    operationId: 'getReplay',
    summary: 'Get a replay',
    tag: 'Replays',
    scope: 'deliveries:read',
    forBound: 'own',
    refusals: ['not_found'],
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    return { data: replayAnswer(await findAnyReplay(deps, workspaceId, id)) }
  },
)

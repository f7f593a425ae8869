import * as z from 'zod'
import { notFound } from '../../../model/errors.ts'
import {
  cancelReplay as cancel,
  findReplay,
  listReplays as list,
  type Replay,
} from '../../../replay/replays.sql.ts'
import { defineRoute } from '../../define-route.ts'
import { pagingShape, readPage } from '../../paging.ts'
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
    refusals: ['not_found', 'conflict'],
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const { db } = deps
    const find = async (): Promise<Replay> => {
      const replay = await findReplay(db, workspaceId, id)
      if (replay === null) throw notFound('replay')
      return replay
    }
    await cancel(db, (await find()).no, deps.now())
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
    refusals: [],
    query: z.strictObject(pagingShape),
    answer: z.array(replayAnswerSchema),
    paged: true,
  },
  async ({ deps, workspaceId, query }) => {
    const { rows, pagination } = await readPage(query, {
      kind: 'replays',
      read: (page) => list(deps.db, workspaceId, page),
    })
    return { data: rows.map(replayAnswer), pagination }
  },
)

/** `GET /replays/{id}`: how far a replay has come. */
export const getReplay = defineRoute(
  {
    method: 'get',
    path: '/replays/{id}',
    operationId: 'getReplay',
    summary: 'Get a replay',
    tag: 'Replays',
    scope: 'deliveries:read',
    refusals: ['not_found'],
    answer: replayAnswerSchema,
  },
  async ({ deps, workspaceId, id }) => {
    const replay = await findReplay(deps.db, workspaceId, id)
    if (replay === null) throw notFound('replay')
    return { data: replayAnswer(replay) }
  },
)

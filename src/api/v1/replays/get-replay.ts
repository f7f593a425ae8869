import { notFound } from '../../../model/errors.ts'
import { findReplay } from '../../../replay/replays.sql.ts'
import { route } from '../../define-route.ts'
import { replayAnswer, replayAnswerSchema } from './replay-answer.ts'

/** `GET /replays/{id}`: how far a replay has come. */
export const getReplay = route(
  {
    method: 'get',
    path: '/replays/{id}',
    summary: 'Get a replay',
    tag: 'Replays',
    answer: replayAnswerSchema,
  },
  async ({ relay, workspaceId, id }) => {
    const replay = await findReplay(relay.env.DB, workspaceId, id)
    if (replay === null) throw notFound('replay')
    return { data: replayAnswer(replay) }
  },
)
